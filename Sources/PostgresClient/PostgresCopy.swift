import CLibPQ

extension PostgresSession {
    /// Bytes that are worth a call of ``sendCopy(_:)``.
    public static let copyChunkSize = 256 << 10

    /// Starts a `COPY … FROM STDIN`; until ``endCopy()`` or ``abandonCopy()`` nothing else may be called but ``sendCopy(_:)``.
    ///
    /// `sql` may hold statements before the COPY: `BEGIN; COPY …`.
    public func beginCopy(_ sql: String) throws(PostgresError) { try startCopy(sql) }

    /// Sends the buffer's rows, in the format of the COPY statement, and empties it but keeps its memory.
    ///
    /// A refused row is told by ``endCopy()``; here only a broken connection or a server that stopped listening throws.
    public func sendCopy(_ buffer: inout [UInt8]) throws(PostgresError) {
        try unsafe copyOut(buffer.span.bytes)
        buffer.removeAll(keepingCapacity: true)
    }

    /// Ends a COPY and gives the count of its rows; throws when one was refused, and then none of them is stored.
    @discardableResult
    public func endCopy() throws(PostgresError) -> Int { try finishCopy() }

    /// Ends a COPY without storing its rows; a transaction around it has failed.
    public func abandonCopy() { giveUpCopy("given up by the client") }

    /// Runs a COPY of rows that are all there: the `ranges` of `bytes`, or all of it.
    @discardableResult
    public func copy(
        _ sql: String,
        _ bytes: [UInt8],
        _ ranges: [Range<Int>]? = nil
    ) throws(PostgresError) -> Int {
        try startCopy(sql)
        for range in ranges ?? [0..<bytes.count] {
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(start + Self.copyChunkSize, range.upperBound)
                try unsafe copyOut(bytes.span.bytes.extracting(start..<end))
                start = end
            }
        }
        return try finishCopy()
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

    /// What goes wrong here closes the session, which has the same effect.
    private func giveUpCopy(_ reason: String) {
        do throws(PostgresError) {
            let deadline = self.deadline
            guard tryCopy({ $0.putCopyEnd(failing: reason) }) == 1 else { return close() }
            try flush(until: deadline)
            _ = try collect(until: deadline)
        } catch  where !error.isConnectionLost {
            return  // the server's word for a COPY that its client gave up
        } catch { close() }
    }
}
