import CLibPQ

/// A running `COPY … FROM STDIN`; rows go out in pieces of about ``chunkSize`` bytes.
///
/// Borrowed from ``PostgresSession/copy(_:_:)``; append to ``buffer`` and call ``sendIfFull()`` now and then.
public struct PostgresCopyWriter: ~Copyable {
    /// Bytes that are worth a call into libpq.
    public static let chunkSize = 256 << 10
    /// What has not been sent yet, in the format of the COPY statement (text unless it says otherwise).
    public var buffer: [UInt8]
    private let session: PostgresSession
    /// Bytes given to libpq so far.
    public private(set) var sent = 0

    init(_ session: PostgresSession, buffer: [UInt8]) { (self.session, self.buffer) = (session, buffer) }

    /// Sends the buffer when it holds a chunk.
    @inline(__always)
    public mutating func sendIfFull() throws(PostgresError) {
        if buffer.count >= Self.chunkSize { try send() }
    }
    /// Sends the buffer, whatever is in it, and empties it.
    public mutating func send() throws(PostgresError) {
        try unsafe session.copyOut(buffer.span.bytes)
        sent += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }
    /// Sends bytes that lie elsewhere, after those of the buffer.
    public mutating func send(_ bytes: RawSpan) throws(PostgresError) {
        if !buffer.isEmpty { try send() }
        try session.copyOut(bytes)
        sent += bytes.byteCount
    }
}

extension PostgresSession {
    /// Runs a COPY: `body` writes the rows, then the count of rows is returned.
    ///
    /// `sql` may hold statements before the COPY (`BEGIN; COPY …`). When `body` throws, the COPY is given up and nothing of
    /// it is stored. `reusing` is memory for the buffer, which is handed back.
    @discardableResult
    public func copy<E: Error>(
        _ sql: String,
        reusing memory: inout [UInt8],
        _ body: (inout PostgresCopyWriter) throws(E) -> Void
    ) throws(PostgresCopyFailure<E>) -> Int {
        do throws(PostgresError) { try startCopy(sql) } catch { throw .server(error) }
        var taken: [UInt8] = []
        swap(&taken, &memory)
        taken.removeAll(keepingCapacity: true)
        taken.reserveCapacity(PostgresCopyWriter.chunkSize + (16 << 10))
        var writer = PostgresCopyWriter(self, buffer: taken)
        taken = []
        defer { swap(&writer.buffer, &memory) }
        do throws(E) { try body(&writer) } catch {
            endCopy(failing: "given up by the client")
            throw .body(error)
        }
        do throws(PostgresError) {
            try writer.send()
            return try finishCopy()
        } catch { throw .server(error) }
    }

    /// Runs a COPY of bytes that are all there: text format, rows ended by line feeds.
    @discardableResult
    public func copy(_ sql: String, _ bytes: RawSpan) throws(PostgresError) -> Int {
        try startCopy(sql)
        var start = 0
        while start < bytes.byteCount {
            let end = min(start + PostgresCopyWriter.chunkSize, bytes.byteCount)
            try copyOut(bytes.extracting(start..<end))
            start = end
        }
        return try finishCopy()
    }

    /// The same for bytes in an array.
    @discardableResult
    public func copy(_ sql: String, _ bytes: [UInt8]) throws(PostgresError) -> Int {
        try unsafe copy(sql, bytes.span.bytes)
    }

    private func startCopy(_ sql: String) throws(PostgresError) {
        let results = try send { $0.sendQuery(sql) }
        guard results.last?.status == PGRES_COPY_IN else {
            throw PostgresError(sqlState: "42601", message: "the statement is not COPY … FROM STDIN")
        }
    }

    func copyOut(_ bytes: RawSpan) throws(PostgresError) {
        guard bytes.byteCount > 0 else { return }
        let deadline = self.deadline
        while true {
            let taken = tryCopy { $0.putCopyData(bytes) }
            if taken == 1 { break }
            guard taken == 0 else { throw copyBroken(until: deadline) }
            try flush(until: deadline)
        }
        // Bounded memory: what libpq could not send at once is sent before more is made.
        try flush(until: deadline)
    }

    private func finishCopy() throws(PostgresError) -> Int {
        let deadline = self.deadline
        while true {
            let ended = tryCopy { $0.putCopyEnd() }
            if ended == 1 { break }
            guard ended == 0 else { throw copyBroken(until: deadline) }
            try flush(until: deadline)
        }
        try flush(until: deadline)
        return try collect(until: deadline).last?.affected ?? 0
    }

    /// libpq refuses more data: the server has an error to tell, or the connection is gone.
    private func copyBroken(until deadline: ContinuousClock.Instant) -> PostgresError {
        do throws(PostgresError) { _ = try collect(until: deadline) } catch { return error }
        return connectionFailure()
    }

    /// Ends a COPY without storing its rows.
    ///
    /// What goes wrong here closes the session, which has the same effect.
    private func endCopy(failing reason: String) {
        do throws(PostgresError) {
            let deadline = self.deadline
            guard tryCopy({ $0.putCopyEnd(failing: reason) }) == 1 else { return close() }
            try flush(until: deadline)
            _ = try collect(until: deadline)
        } catch  where error.sqlState == "57014" {
            return  // the server's word for a COPY that its client gave up
        } catch { close() }
    }
}

/// Who ended a COPY early.
public enum PostgresCopyFailure<Body: Error>: Error {
    /// The server or the connection.
    case server(PostgresError)
    /// The writer of the rows.
    case body(Body)
}
