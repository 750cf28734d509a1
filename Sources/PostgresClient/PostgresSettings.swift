import CLibPQ

/// How to reach a database; parsed from any of the three forms people write.
///
/// `jdbc:postgresql://host:5432,other/db?sslmode=require`, `postgresql://user:pw@host/db`, `host=… dbname=…`. The password
/// is in no description and no dump.
public struct PostgresSettings: Sendable, CustomStringConvertible, CustomReflectable {
    /// libpq's keywords and values, the password aside.
    public private(set) var parameters: [String: String]
    /// Longest time to set up a connection; default 10 s.
    public var connectTimeout: Duration = .seconds(10)
    /// Longest time one statement may take; default 60 s.
    ///
    /// The server gets it as `statement_timeout`.
    public var statementTimeout: Duration = .seconds(60)
    /// `SET` commands of every new session: name and value.
    public var sessionSettings: [(name: String, value: String)] = []
    /// Parameters of a JDBC URL that mean nothing here and are harmless, to be told to the user.
    public private(set) var ignored: [String] = []
    private var password: String?

    /// A text that is no usable connection URL, and why.
    public struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        /// What is wrong; never shows the URL, which may hold a password.
        public let description: String
    }

    /// What libpq does by default: the local socket, `PGHOST` and its like.
    public init() { parameters = ["client_encoding": "UTF8", "fallback_application_name": "sluice"] }

    /// Parses `url`; `user` and `password`, when given, count more than what the URL says.
    public init(url: String, user: String? = nil, password: String? = nil) throws(Invalid) {
        if url.hasPrefix("jdbc:") {
            (parameters, ignored) = try JDBCURL.parse(url)
        } else {
            parameters = try Self.parseWithLibPQ(url)
        }
        self.password = parameters.removeValue(forKey: "password")
        if let user { parameters["user"] = user }
        if let password { self.password = password }
        parameters["client_encoding"] = "UTF8"
        if parameters["application_name"] == nil { parameters["fallback_application_name"] = "sluice" }
    }

    /// `user@host:port/db`, without the password.
    public var description: String {
        let host = parameters["host"] ?? parameters["hostaddr"] ?? "localhost"
        let user = parameters["user"].map { "\($0)@" } ?? ""
        return "\(user)\(host):\(parameters["port"] ?? "5432")/\(parameters["dbname"] ?? parameters["user"] ?? "")"
    }
    /// Only what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }

    /// Sets one of libpq's keywords, for example `dbname`.
    public mutating func set(_ keyword: String, _ value: String?) {
        if keyword == "password" { password = value } else { parameters[keyword] = value }
    }

    /// All pairs for libpq, the password among them.
    var secretPairs: [(String, String)] {
        var pairs = parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if let password { pairs.append(("password", password)) }
        return pairs
    }

    private static func parseWithLibPQ(_ text: String) throws(Invalid) -> [String: String] {
        var reason: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(text, &reason) else {
            unsafe PQfreemem(reason)
            // libpq's reason quotes the text, and with it a password.
            throw Invalid(description: "is neither a postgresql:// URL nor a list of keyword=value pairs")
        }
        defer { unsafe PQconninfoFree(options) }
        var found: [String: String] = [:]
        var next = unsafe options
        while let keyword = unsafe next.pointee.keyword {
            if let value = unsafe next.pointee.val { unsafe found[String(cString: keyword)] = String(cString: value) }
            unsafe next += 1
        }
        return found
    }
}

/// The URLs of PostgreSQL's JDBC driver (pgjdbc 42), with its parameters turned into libpq's.
enum JDBCURL {
    /// Parameters with a twin in libpq.
    private static let renamed = [
        "user": "user", "password": "password", "sslmode": "sslmode", "sslrootcert": "sslrootcert",
        "sslcert": "sslcert", "sslkey": "sslkey", "sslpassword": "sslpassword", "sslNegotiation": "sslnegotiation",
        "ApplicationName": "application_name", "connectTimeout": "connect_timeout", "gssEncMode": "gssencmode",
        "channelBinding": "channel_binding", "kerberosServerName": "krbsrvname", "options": "options",
        "tcpKeepAlive": "keepalives", "requireAuth": "require_auth",
    ]
    /// Parameters that tune the driver itself or do what happens here anyway.
    private static let harmless: Set<String> = [
        "reWriteBatchedInserts", "stringtype", "prepareThreshold", "preparedStatementCacheQueries",
        "preparedStatementCacheSizeMiB", "defaultRowFetchSize", "loginTimeout", "socketTimeout", "cancelSignalTimeout",
        "binaryTransfer", "binaryTransferEnable", "binaryTransferDisable", "loggerLevel", "loggerFile",
        "assumeMinServerVersion", "autosave", "cleanupSavepoints", "preferQueryMode", "logUnclosedConnections",
        "disableColumnSanitiser", "allowEncodingChanges", "unknownLength", "sendBufferSize", "receiveBufferSize",
        "readOnly", "readOnlyMode", "escapeSyntaxCallMode", "maxResultBuffer", "logServerErrorDetail",
        "hostRecheckSeconds", "databaseMetadataCacheFields", "databaseMetadataCacheFieldsMiB", "adaptiveFetch",
        "adaptiveFetchMinimum", "adaptiveFetchMaximum", "quoteReturningIdentifiers", "sslfactory", "ssl",
        "targetServerType", "currentSchema", "loadBalanceHosts", "compatible", "tcpNoDelay",
    ]

    static func parse(
        _ url: String
    ) throws(PostgresSettings.Invalid) -> (parameters: [String: String], ignored: [String]) {
        let prefix = "jdbc:postgresql:"
        guard url.hasPrefix(prefix) else {
            let scheme = url.dropFirst(5).prefix { $0 != ":" }
            throw .init(description: "names the database \"\(scheme)\"; only PostgreSQL is supported")
        }
        var rest = url.dropFirst(prefix.count)
        var query: Substring = ""
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        var found: [String: String] = [:]
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let authority = rest.prefix { $0 != "/" }
            rest = rest.dropFirst(authority.count + 1)
            try addHosts(authority, to: &found)
        }
        if !rest.isEmpty { found["dbname"] = try decoded(rest) }
        var ignored: [String] = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            try add(try decoded(parts[0]), parts.count > 1 ? try decoded(parts[1]) : "", to: &found, &ignored)
        }
        return (found, ignored)
    }

    private static func addHosts(
        _ authority: Substring,
        to found: inout [String: String]
    ) throws(PostgresSettings.Invalid) {
        var hosts: [String] = [], ports: [String] = []
        for part in authority.split(separator: ",") {
            var host = part, port: Substring = ""
            if part.hasPrefix("["), let close = part.firstIndex(of: "]") {
                host = part[part.index(after: part.startIndex)..<close]
                port = part[part.index(after: close)...].drop { $0 == ":" }
            } else if let colon = part.lastIndex(of: ":") {
                host = part[..<colon]
                port = part[part.index(after: colon)...]
            }
            guard port.isEmpty || UInt16(port) != nil else {
                throw .init(description: "has the port \"\(port)\", which is no number from 0 to 65535")
            }
            hosts.append(host.isEmpty ? "localhost" : String(host))
            ports.append(port.isEmpty ? "5432" : String(port))
        }
        guard !hosts.isEmpty else { return }
        found["host"] = hosts.joined(separator: ",")
        found["port"] = ports.joined(separator: ",")
    }

    private static func add(
        _ name: String,
        _ value: String,
        to found: inout [String: String],
        _ ignored: inout [String]
    ) throws(PostgresSettings.Invalid) {
        switch (name, value) {
        case ("currentSchema", _): append("-c search_path=\(escaped(value))", to: &found)
        case ("ssl", "true"), ("ssl", ""): if found["sslmode"] == nil { found["sslmode"] = "verify-full" }
        case ("targetServerType", "primary"), ("targetServerType", "master"):
            found["target_session_attrs"] = "primary"
        case ("tcpKeepAlive", _): found["keepalives"] = value == "false" ? "0" : "1"
        case ("options", _): append(value, to: &found)
        default:
            if let keyword = renamed[name] {
                found[keyword] = value
            } else if harmless.contains(name) {
                ignored.append(name)
            } else {
                throw .init(description: "has the parameter \"\(name)\", which is not known")
            }
        }
    }
    private static func append(_ option: String, to found: inout [String: String]) {
        found["options"] = [found["options"], option].compactMap { $0 }.joined(separator: " ")
    }
    /// Blanks end an option unless escaped.
    private static func escaped(_ value: String) -> String {
        String(value.flatMap { $0 == " " || $0 == "\\" ? ["\\", $0] : [$0] })
    }
    private static func decoded(_ text: Substring) throws(PostgresSettings.Invalid) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                continue
            }
            guard let code = UInt8(String(Substring(rest.prefix(2))), radix: 16), rest.count >= 2 else {
                throw .init(description: "has a % that two hexadecimal digits do not follow")
            }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
