import CLibPQ
import Glibc

/// One connection to a server.
///
/// Blocking, and for one thread at a time: a task's own thread, never a cooperative one.
///
/// Every wait has a time-out (``PostgresSettings/connectTimeout``, ``PostgresSettings/statementTimeout``). After a lost
/// connection or a time-out the session is closed for good (``isOpen``) and a new one must be made.
///
/// ```swift
/// let session = try PostgresSession(PostgresSettings(url: "postgresql://app@db/shop"))
/// let names = try session.execute("SELECT name FROM users WHERE id = $1", ["7"]).rows
/// ```
public final class PostgresSession {
    private var handle: PostgresHandle?
    private let settings: PostgresSettings
    /// What the server said by the way since the last ``takeNotices()``, at most 100 lines.
    private let notices = NoticeBox()
    /// The server's version as libpq counts it: 150004 is 15.4.
    public private(set) var serverVersion = 0

    /// Connects, which may take up to ``PostgresSettings/connectTimeout`` (looking up the host's name not counted).
    public init(_ settings: PostgresSettings) throws(PostgresError) {
        self.settings = settings
        let handle = PostgresHandle(settings)
        self.handle = consume handle
        do throws(PostgresError) {
            try connect()
            try prepareSession()
        } catch {
            close()
            throw error
        }
    }

    /// Whether calls can work; false after ``close()`` and after the connection was lost.
    public var isOpen: Bool { handle != nil }

    /// Whether a transaction is open, failed ones included.
    public var isInTransaction: Bool {
        guard let status = handle?.transactionStatus else { return false }
        return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN
    }

    /// The server process of this session, as `pg_stat_activity.pid` shows it; 0 when closed.
    public var serverProcessID: Int { handle?.serverProcessID ?? 0 }

    /// Ends the session; an open transaction is rolled back by the server.
    ///
    /// May be called again.
    public func close() { handle = nil }

    /// The notices gathered since the last call, oldest first, without details.
    public func takeNotices() -> [String] { notices.take() }

    /// Runs one statement with text parameters `$1`, `$2`, …; nil is NULL.
    ///
    /// Throws ``PostgresError``; the session stays usable unless ``PostgresError/isConnectionLost``.
    @discardableResult
    public func execute(_ sql: String, _ parameters: [String?] = []) throws(PostgresError) -> PostgresResult {
        try execute(sql, bytes: parameters.map { $0.map { Array($0.utf8) } })
    }

    /// The same with parameters given as UTF-8 bytes.
    @discardableResult
    public func execute(_ sql: String, bytes parameters: [[UInt8]?]) throws(PostgresError) -> PostgresResult {
        try Self.checkNoNUL(parameters)
        return try single(send { $0.sendQuery(sql, parameters) })
    }

    /// Runs several statements separated by semicolons in one go and gives the result of each.
    @discardableResult
    public func run(_ script: String) throws(PostgresError) -> [PostgresResult] {
        try send { $0.sendQuery(script) }
    }

    /// Prepares a statement under a name that lasts as long as the session.
    public func prepare(_ name: String, _ sql: String) throws(PostgresError) {
        _ = try send { $0.sendPrepare(name, sql) }
    }

    /// Runs a prepared statement with parameters as UTF-8 bytes; nil is NULL.
    @discardableResult
    public func execute(prepared name: String, _ parameters: [[UInt8]?]) throws(PostgresError) -> PostgresResult {
        try Self.checkNoNUL(parameters)
        return try single(send { $0.sendPrepared(name, parameters) })
    }

    /// Opens a transaction.
    public func begin() throws(PostgresError) { try run("BEGIN") }
    /// Ends the transaction for good.
    ///
    /// Throws `40000` when the server turned the commit into a rollback.
    public func commit() throws(PostgresError) {
        let failed = handle?.transactionStatus == PQTRANS_INERROR
        try run("COMMIT")
        if failed {
            throw PostgresError(sqlState: "40000", message: "COMMIT of a failed transaction was a rollback")
        }
    }
    /// Undoes the transaction, when there is one.
    public func rollback() throws(PostgresError) {
        guard isInTransaction else { return }
        try run("ROLLBACK")
    }

    /// Runs `body` in a transaction: commits after it, rolls back when it throws.
    public func transaction<R>(_ body: () throws(PostgresError) -> R) throws(PostgresError) -> R {
        try begin()
        do throws(PostgresError) {
            let value = try body()
            try commit()
            return value
        } catch {
            if isOpen { try? rollback() }
            throw error
        }
    }

    static func checkNoNUL(_ parameters: [[UInt8]?]) throws(PostgresError) {
        if parameters.contains(where: { $0?.contains(0) == true }) {
            throw PostgresError(sqlState: "22021", message: "PostgreSQL cannot store the character U+0000 in a text")
        }
    }
}

// The waits.
extension PostgresSession {
    /// Sends with `start`, which tells whether that worked, and collects all results.
    ///
    /// Throws the first error among them.
    func send(_ start: (borrowing PostgresHandle) -> Bool) throws(PostgresError) -> [PostgresResult] {
        let deadline = self.deadline
        try check(start)
        try flush(until: deadline)
        return try collect(until: deadline)
    }
    /// Calls libpq; throws the connection's error when the call fails.
    func check(_ call: (borrowing PostgresHandle) -> Bool) throws(PostgresError) {
        guard handle?.lend(call) == true else { throw connectionFailure() }
    }
    /// Gives `bytes` of a COPY to libpq: 1 when taken, 0 when there is no room yet.
    func tryCopy(_ call: (borrowing PostgresHandle) -> CInt) -> CInt { handle?.lend(call) ?? -1 }

    /// When a statement that starts now is given up: a little after the server should have done so.
    var deadline: ContinuousClock.Instant { .now + settings.statementTimeout + .seconds(2) }

    /// Pushes out what libpq holds back, taking in what the server sends meanwhile.
    func flush(until deadline: ContinuousClock.Instant) throws(PostgresError) {
        while true {
            let left = handle?.flush() ?? -1
            if left == 0 { return }
            guard left == 1 else { throw connectionFailure() }
            if try wait(writing: true, until: deadline) { try consume() }
        }
    }

    /// All results up to the end of the command, or up to the start of a COPY.
    func collect(until deadline: ContinuousClock.Instant) throws(PostgresError) -> [PostgresResult] {
        var results: [PostgresResult] = []
        var failure: PostgresError?
        while let result = try nextResult(until: deadline) {
            if let error = result.error {
                if error.isConnectionLost {
                    close()
                    throw error
                }
                failure = failure ?? error
            } else {
                results.append(result)
            }
            if result.status == PGRES_COPY_IN { break }
        }
        if let failure { throw failure }
        return results
    }

    /// The next result; nil at the end of the command.
    func nextResult(until deadline: ContinuousClock.Instant) throws(PostgresError) -> PostgresResult? {
        while handle?.isBusy == true {
            _ = try wait(writing: false, until: deadline)
            try consume()
        }
        guard isOpen else { throw PostgresError.lost("the session is closed") }
        return handle?.nextResult()
    }

    private func consume() throws(PostgresError) {
        guard handle?.consumeInput() != true else { return }
        // The reason may be a last error of the server's that is still to be read: a shutdown, for example.
        if handle?.isBusy == false, let error = handle?.nextResult()?.error {
            close()
            throw error
        }
        throw connectionFailure()
    }

    /// Waits for the socket; true when there is something to read.
    ///
    /// Throws and closes when time is out.
    func wait(writing: Bool, until deadline: ContinuousClock.Instant) throws(PostgresError) -> Bool {
        let events = try poll(POLLIN | (writing ? POLLOUT : 0), until: deadline) {
            PostgresError.timedOut("waiting for \(settings)", settings.statementTimeout)
        }
        return events & (POLLIN | POLLHUP | POLLERR) != 0
    }

    private func poll(
        _ events: Int32,
        until deadline: ContinuousClock.Instant,
        _ tooLate: () -> PostgresError
    ) throws(PostgresError) -> Int32 {
        guard let socket = handle?.socket, socket >= 0 else { throw connectionFailure() }
        var waiting = pollfd(fd: socket, events: Int16(events), revents: 0)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else {
                close()
                throw tooLate()
            }
            let ready = unsafe Glibc.poll(&waiting, 1, milliseconds(left))
            if ready > 0 { return Int32(waiting.revents) }
            guard ready == 0 || errno == EINTR else {
                close()
                throw PostgresError.lost("poll: errno \(errno)")
            }
        }
    }

    /// The connection's own error, after which it is closed if it is broken.
    func connectionFailure() -> PostgresError {
        guard let error = handle?.failure else { return PostgresError.lost("the session is closed") }
        close()
        return error
    }

    private func single(_ results: [PostgresResult]) throws(PostgresError) -> PostgresResult {
        guard let result = results.last else { throw PostgresError.lost("the server sent no result") }
        return result
    }
}

// Connecting.
extension PostgresSession {
    private func connect() throws(PostgresError) {
        let deadline = ContinuousClock.now + settings.connectTimeout
        guard handle?.isMade == true else { throw PostgresError.lost("libpq has no memory for a connection") }
        if handle?.isBad == true { throw connectionFailure() }
        var events = POLLOUT
        while true {
            _ = try poll(events, until: deadline) {
                PostgresError.timedOut("connecting to \(settings)", settings.connectTimeout)
            }
            switch handle?.connectPoll() {
            case PGRES_POLLING_OK:
                handle?.becameReady(notices: notices)
                serverVersion = handle?.serverVersion ?? 0
                return
            case PGRES_POLLING_READING: events = POLLIN
            case PGRES_POLLING_WRITING: events = POLLOUT
            default: throw connectionFailure()
            }
        }
    }

    private func prepareSession() throws(PostgresError) {
        let limit = milliseconds(settings.statementTimeout)
        var script = "SET standard_conforming_strings = on; SET statement_timeout = \(limit)"
        // The server notices by itself that a client is gone, and lets go of its locks.
        if serverVersion >= 140_000 { script += "; SET client_connection_check_interval = '5s'" }
        for (name, value) in settings.sessionSettings {
            script += "; SET \(quotedIdentifier(name)) = \(quotedLiteral(value))"
        }
        try run(script)
    }
}

private func milliseconds(_ duration: Duration) -> CInt {
    let (seconds, attoseconds) = duration.components
    let whole = seconds.multipliedReportingOverflow(by: 1_000)
    guard !whole.overflow else { return CInt.max }
    return CInt(clamping: whole.partialValue + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
}
