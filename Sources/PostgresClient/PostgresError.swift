/// Why a call to PostgreSQL failed, read once from the result or the connection.
///
/// It never holds row values: DETAIL and CONTEXT texts are left out, and what a message quotes in data errors (class 22)
/// is blanked.
public struct PostgresError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What can be done about it.
    public enum Kind: String, Sendable, Hashable {
        /// The server is away, restarting, out of room, read-only, or too slow: the same call will work later.
        case outage
        /// Another transaction was in the way: the same transaction will work when run again.
        case conflict
        /// The data can never be stored as it is.
        case poison
        /// Settings, rights or the schema are wrong: a person must change something.
        case config
        /// Anything else.
        case other
    }
    /// The five letters of the SQLSTATE; nil when the server never answered.
    public let sqlState: String?
    /// The primary message, without values.
    public let message: String
    /// The server's hint, when it has one.
    public let hint: String?
    /// What can be done about it.
    public let kind: Kind
    /// The table the server blames; nil when it names none.
    public let table: String?
    /// The column the server blames; nil when it names none.
    public let column: String?
    /// The constraint that was violated.
    public let constraint: String?
    /// The row of a COPY that was refused, counted from 1.
    public let copyLine: Int?
    /// The command of a pipeline that failed, counted from 0.
    public internal(set) var commandIndex: Int?
    /// Whether the session is gone; a new one is needed.
    public let isConnectionLost: Bool

    /// Makes an error; `kind` follows from `sqlState` unless given.
    public init(
        sqlState: String?,
        message: String,
        kind: Kind? = nil,
        hint: String? = nil,
        table: String? = nil,
        column: String? = nil,
        constraint: String? = nil,
        copyLine: Int? = nil,
        isConnectionLost: Bool = false
    ) {
        self.sqlState = sqlState
        self.message = sqlState?.hasPrefix("22") == true ? Self.withoutValues(message) : message
        self.kind = kind ?? Self.kind(of: sqlState)
        (self.hint, self.table, self.column, self.constraint) = (hint, table, column, constraint)
        (self.copyLine, self.isConnectionLost) = (copyLine, isConnectionLost)
    }

    /// `42P01 relation "orders" does not exist`.
    public var description: String { sqlState.map { "\($0) \(message)" } ?? message }

    static func lost(_ message: String) -> Self {
        Self(sqlState: "08006", message: message, isConnectionLost: true)
    }
    static func timedOut(_ doing: String, _ limit: Duration) -> Self {
        Self(sqlState: nil, message: "no answer within \(limit) while \(doing)", kind: .outage, isConnectionLost: true)
    }

    /// What a SQLSTATE asks for (PostgreSQL 15, appendix A).
    ///
    /// No SQLSTATE means that libpq failed by itself, which it does when the connection breaks.
    public static func kind(of sqlState: String?) -> Kind {
        guard let sqlState, sqlState.utf8.count == 5 else { return .outage }
        switch sqlState {
        case "25006": return .outage  // read-only: the primary has moved elsewhere
        case "55P03", "55006": return .conflict  // lock not available, object in use
        case "44000", "P0001": return .poison  // a view's check option or a trigger refused the row
        default: break
        }
        switch sqlState.prefix(2) {
        case "08", "53", "57", "58": return .outage
        case "40": return .conflict
        case "22", "23": return .poison
        case "42", "28", "3D", "3F", "0A", "0P": return .config
        default: return .other
        }
    }

    /// `invalid input syntax for type integer: "abc"` without its last part; other quoted values become `"…"`.
    static func withoutValues(_ message: String) -> String {
        var result = ""
        var isQuoted = false
        for scalar in message.unicodeScalars {
            if scalar == "\"" {
                isQuoted.toggle()
                result += isQuoted ? "\"…" : "\""
            } else if !isQuoted {
                result.unicodeScalars.append(scalar)
            }
        }
        if isQuoted { result += "\"" }
        if result.hasSuffix(": \"…\"") { result.removeLast(5) }
        return result
    }
}
