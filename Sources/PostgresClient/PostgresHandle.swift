import CLibPQ
import Synchronization

/// Owns a `PGconn`; freed when the session lets go of it.
@safe struct PostgresHandle: ~Copyable {
    private let pointer: OpaquePointer?

    /// Starts to connect; ``isBad`` tells when that failed at once.
    init(_ settings: PostgresSettings) {
        let pairs = settings.secretPairs
        var keywords: [[UInt8]?] = pairs.map { Array($0.0.utf8) }
        var values: [[UInt8]?] = pairs.map { Array($0.1.utf8) }
        keywords.append(nil)
        values.append(nil)
        unsafe pointer = unsafe withCStrings(keywords) { keywords in
            unsafe withCStrings(values) { values in unsafe PQconnectStartParams(keywords, values, 0) }
        }
        // Verbose errors carry the SQLSTATE, which is the only way to it before a session exists.
        unsafe PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
    }
    deinit { unsafe PQfinish(pointer) }

    var isMade: Bool { unsafe pointer != nil }
    var isBad: Bool { unsafe PQstatus(pointer) == CONNECTION_BAD }
    var transactionStatus: PGTransactionStatusType { unsafe PQtransactionStatus(pointer) }
    var serverVersion: Int { unsafe Int(PQserverVersion(pointer)) }
    var serverProcessID: Int { unsafe Int(PQbackendPID(pointer)) }

    /// Ends the connecting phase: nothing blocks from here on.
    func becameReady(notices: NoticeBox) {
        unsafe PQsetErrorVerbosity(pointer, PQERRORS_DEFAULT)
        unsafe PQsetnonblocking(pointer, 1)
        unsafe PQsetNoticeReceiver(pointer, onNotice, Unmanaged.passUnretained(notices).toOpaque())
    }

    /// Lends itself: how a session reaches its handle, which is optional and cannot be copied.
    func lend<R>(_ body: (borrowing Self) -> R) -> R { body(self) }
    var socket: CInt { unsafe PQsocket(pointer) }
    var isBusy: Bool { unsafe PQisBusy(pointer) == 1 }
    func connectPoll() -> PostgresPollingStatusType { unsafe PQconnectPoll(pointer) }
    func consumeInput() -> Bool { unsafe PQconsumeInput(pointer) == 1 }
    /// 0 when all is sent, 1 when some is left, -1 when the connection is broken.
    func flush() -> CInt { unsafe PQflush(pointer) }
    /// The next result, nil at the end of a command; call it only when not ``isBusy``.
    func nextResult() -> PostgresResult? { unsafe PQgetResult(pointer).map { unsafe PostgresResult(owning: $0) } }

    func sendQuery(_ sql: String) -> Bool { unsafe PQsendQuery(pointer, sql) == 1 }
    func sendQuery(_ sql: String, _ parameters: [[UInt8]?]) -> Bool {
        unsafe withCStrings(parameters) { values in
            unsafe PQsendQueryParams(pointer, sql, CInt(parameters.count), nil, values, nil, nil, 0) == 1
        }
    }
    func sendPrepare(_ name: String, _ sql: String) -> Bool { unsafe PQsendPrepare(pointer, name, sql, 0, nil) == 1 }
    func sendPrepared(_ name: String, _ parameters: [[UInt8]?]) -> Bool {
        unsafe withCStrings(parameters) { values in
            unsafe PQsendQueryPrepared(pointer, name, CInt(parameters.count), values, nil, nil, 0) == 1
        }
    }
    /// 1 when taken, 0 when there is no room yet, -1 on failure.
    func putCopyData(_ bytes: RawSpan) -> CInt {
        unsafe bytes.withUnsafeBytes { memory in
            unsafe PQputCopyData(
                pointer,
                memory.baseAddress?.assumingMemoryBound(to: CChar.self),
                CInt(memory.count)
            )
        }
    }
    /// Ends a COPY; with a reason none of it is stored.
    func putCopyEnd(failing reason: String? = nil) -> CInt { unsafe PQputCopyEnd(pointer, reason) }
    func enterPipelineMode() -> Bool { unsafe PQenterPipelineMode(pointer) == 1 }
    func exitPipelineMode() -> Bool { unsafe PQexitPipelineMode(pointer) == 1 }
    func pipelineSync() -> Bool { unsafe PQpipelineSync(pointer) == 1 }

    /// What libpq says is wrong with the connection, with the server's SQLSTATE when it gave one.
    var failure: PostgresError {
        guard let raw = unsafe PQerrorMessage(pointer) else { return .lost("unknown") }
        let text = unsafe String(cString: raw)
        // With several hosts or addresses there is one line for each; details and places are lines of their own.
        let lines = text.split(separator: "\n").filter { line in
            !["LOCATION:", "DETAIL:", "HINT:", "\t"].contains { line.hasPrefix($0) }
        }
        let state = lines.lazy.compactMap { sqlState(in: $0) }.first
        let message = lines.joined(separator: "; ")
        return PostgresError(sqlState: state, message: message, isConnectionLost: true)
    }
}

/// `FATAL:  28P01: password authentication failed` gives `28P01`.
private func sqlState(in line: Substring) -> String? {
    var rest = line
    while let mark = rest.firstRange(of: ":  ") {
        rest = rest[mark.upperBound...]
        let state = rest.prefix(5)
        if rest.dropFirst(5).hasPrefix(": "), state.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isUppercase) }) {
            return String(state)
        }
    }
    return nil
}

/// Keeps notices; called back on the session's thread only, yet checked by a lock.
final class NoticeBox: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { if $0.count < 100 { $0.append(line) } } }
    func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }
}

private func onNotice(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let context = unsafe context, let result = unsafe result else { return }
    // The primary message only: details may hold values.
    guard let text = unsafe PQresultErrorField(result, 0x4D) else { return }
    unsafe Unmanaged<NoticeBox>.fromOpaque(context).takeUnretainedValue().add(String(cString: text))
}

/// Lends `texts` as C strings, nil as a null pointer; they lie in one piece of memory.
func withCStrings<R>(_ texts: [[UInt8]?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(texts.reduce(1) { $0 + ($1?.count ?? 0) + 1 })
    var starts: [Int?] = []
    for text in texts {
        guard let text else {
            starts.append(nil)
            continue
        }
        starts.append(bytes.count)
        bytes += text
        bytes.append(0)
    }
    bytes.append(0)
    return unsafe bytes.withUnsafeBytes { memory in
        let pointers: [UnsafePointer<CChar>?] = unsafe starts.map { start in
            guard let start, let base = memory.baseAddress else { return nil }
            return unsafe (base + start).assumingMemoryBound(to: CChar.self)
        }
        return unsafe (pointers + [nil]).withUnsafeBufferPointer { pointers in
            // An array is never without memory: it has at least the closing nil.
            guard let base = pointers.baseAddress else { preconditionFailure("no memory for parameters") }
            return unsafe body(base)
        }
    }
}
