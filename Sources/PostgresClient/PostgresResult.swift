import CLibPQ

/// What one statement gave back: rows of text, or a count.
///
/// libpq never changes a result once it is made, so it may be handed to other threads.
@safe public final class PostgresResult: Sendable {
    nonisolated(unsafe) private let result: OpaquePointer

    init(owning result: OpaquePointer) { unsafe self.result = unsafe result }
    deinit { unsafe PQclear(result) }

    var status: ExecStatusType { unsafe PQresultStatus(result) }

    /// How many rows there are.
    public var count: Int { unsafe Int(PQntuples(result)) }
    private var width: Int { unsafe Int(PQnfields(result)) }
    /// The columns' names in order.
    public var columns: [String] {
        unsafe (0..<PQnfields(result)).map { index in
            guard let name = unsafe PQfname(result, index) else { return "" }
            return unsafe String(cString: name)
        }
    }
    /// Rows that INSERT, UPDATE, DELETE, MERGE or COPY touched, or SELECT gave.
    public var affected: Int {
        guard let text = unsafe PQcmdTuples(result) else { return 0 }
        return unsafe Int(String(cString: text)) ?? 0
    }
    /// A value as the server wrote it; nil for NULL.
    ///
    /// Traps when there is no such row or column.
    public subscript(row: Int, column: Int) -> String? {
        precondition(row >= 0 && row < count, "row \(row) of \(count)")
        precondition(column >= 0 && column < width, "no column \(column)")
        let (row, column) = (Int32(row), Int32(column))
        guard unsafe PQgetisnull(result, row, column) == 0, let value = unsafe PQgetvalue(result, row, column)
        else { return nil }
        let length = unsafe Int(PQgetlength(result, row, column))
        return unsafe String(
            decoding: UnsafeRawBufferPointer(start: value, count: length),
            as: UTF8.self
        )
    }
    /// All rows as text.
    public var rows: [[String?]] {
        (0..<count).map { row in (0..<width).map { self[row, $0] } }
    }
    /// The first value of the first row; nil when there is none.
    public var scalar: String? { count > 0 ? self[0, 0] : nil }

    /// The error this result stands for; nil when it is none.
    var error: PostgresError? {
        switch status {
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: break
        default: return nil
        }
        let state = field("C")
        let whole = unsafe PQresultErrorMessage(result).map { unsafe String(cString: $0) }
        let text = field("M") ?? whole ?? "unknown"
        let context = field("W")
        return PostgresError(
            sqlState: state,
            message: firstLine(text),
            hint: field("H"),
            table: field("t"),
            column: field("c") ?? context.flatMap(copyColumn),
            constraint: field("n"),
            copyLine: context.flatMap(copyLine),
            isConnectionLost: state == nil || state?.hasPrefix("57P0") == true
        )
    }
    /// The fields are the letters of the protocol (`PG_DIAG_…` are macros that Swift does not see).
    private func field(_ code: Character) -> String? {
        guard let letter = code.asciiValue, let text = unsafe PQresultErrorField(result, CInt(letter)) else {
            return nil
        }
        return unsafe String(cString: text)
    }
}

func firstLine(_ text: String) -> String {
    String(text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: true).first ?? "")
}

/// `COPY orders, line 3, column total: "abc"` gives 3; whatever the server's language, the first number after a comma is it.
func copyLine(_ context: String) -> Int? {
    guard context.hasPrefix("COPY "), let line = context.split(separator: "\n").first else { return nil }
    for part in line.split(separator: ",").dropFirst() {
        let digits = part.drop { !$0.isNumber }.prefix { $0.isNumber }
        if let number = Int(digits) { return number }
    }
    return nil
}
/// `COPY orders, line 3, column total: "abc"` gives `total`.
func copyColumn(_ context: String) -> String? {
    guard context.hasPrefix("COPY "), let line = context.split(separator: "\n").first else { return nil }
    for part in line.split(separator: ",").dropFirst() where part.hasPrefix(" column ") {
        return String(part.dropFirst(8).prefix { $0 != ":" })
    }
    return nil
}
