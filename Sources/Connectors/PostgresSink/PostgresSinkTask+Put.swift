import ConnectSDK
import Metrics
import PostgresClient

// A put: one transaction, tried again after DDL, split up around bad records.
extension PostgresSinkTask {
    func write(_ batch: BatchReader) throws(TaskFailure) {
        // A table may need several changes: a few rounds, then the error stands.
        var round = 0
        while true {
            // A new session reads the offsets anew, so it comes first.
            let connection = try connected()
            let move = offsets?.move(batch.batch) ?? OffsetsTable.Move()
            guard move.unclaimed.isEmpty else { throw fenced("writing \(batch.batch.count) records", move.unclaimed) }
            let skipped = move.excluded.count { $0 }
            if round == 0 { recordsSkipped.add(skipped) }
            guard skipped < batch.batch.count else { return }
            do throws(WriteStop) {
                try connection.writer.prepare(batch, excluding: move.excluded)
                try writeAll(batch, move, connection)
                return
            } catch {
                if try recover(error, round, batch, move, connection) == .done { return }
            }
            round += 1
        }
    }

    private enum Next { case done, again }

    private func recover(
        _ stop: WriteStop,
        _ round: Int,
        _ batch: BatchReader,
        _ move: OffsetsTable.Move,
        _ connection: Connection
    ) throws(TaskFailure) -> Next {
        rollBack(connection)
        switch stop {
        case .failure(let failure): throw failure
        case .evolve(let topic, let narrow):
            guard round < 5 else {
                throw .config(
                    "auto.evolve",
                    doing: "changing the table of topic \"\(topic)\"",
                    because: "the table still does not fit after \(round) changes"
                )
            }
            do throws(WriteStop) { try connection.writer.evolve(topic, narrow: narrow, batch) } catch {
                guard case .server(let error, let doing) = error else { return .again }
                throw failed(error, doing)
            }
            return .again
        case .server(let error, let doing):
            guard connection.session.isOpen else { throw failed(error, doing) }
            if error.isAboutRecords { return try isolate(batch, move, connection, round) }
            // The table may have been changed, or made anew, since the session read it.
            guard round == 0, error.kind == .config, config.statements.isEmpty else { throw failed(error, doing) }
            disconnect()
            return .again
        }
    }

    private func writeAll(
        _ batch: BatchReader,
        _ move: OffsetsTable.Move,
        _ connection: Connection
    ) throws(WriteStop) {
        try begin(move, connection)
        var rows = 0
        let faults = try write(batch, 0..<batch.batch.count, move.excluded, connection, &rows)
        guard faults.isEmpty else { throw .failure(badRecords(faults, batch)) }
        try commit(move, connection, rows)
    }

    /// Finds the records that the server refuses, by splitting; when none is left the others are written and committed.
    private func isolate(
        _ batch: BatchReader,
        _ move: OffsetsTable.Move,
        _ connection: Connection,
        _ round: Int
    ) throws(TaskFailure) -> Next {
        do throws(WriteStop) {
            try begin(move, connection)
            try run("SET CONSTRAINTS ALL IMMEDIATE", connection)
            var rows = 0
            let faults = try split(batch, move, connection, &rows)
            guard faults.isEmpty else { throw .failure(badRecords(faults, batch)) }
            try commit(move, connection, rows)
            return .done
        } catch {
            if case .server(let error, let doing) = error {
                rollBack(connection)
                throw failed(error, doing)
            }
            return try recover(error, round, batch, move, connection)
        }
    }

    private func split(
        _ batch: BatchReader,
        _ move: OffsetsTable.Move,
        _ connection: Connection,
        _ rows: inout Int
    ) throws(WriteStop) -> [RecordFault] {
        var faults: [RecordFault] = []
        var ranges = [0..<batch.batch.count]
        var hintsLeft = 8  // with few bad records the server's word saves most of the splitting, with many it costs
        while let range = ranges.popLast() {
            let live = range.filter { move.excluded.isEmpty || !move.excluded[$0] }
            guard let first = live.first, let last = live.last else { continue }
            try run("SAVEPOINT sluice", connection)
            do throws(WriteStop) {
                faults += try write(batch, range, move.excluded, connection, &rows)
                try run("RELEASE SAVEPOINT sluice", connection)
            } catch {
                guard case .server(let error, _) = error, error.isAboutRecords, connection.session.isOpen else {
                    throw error
                }
                try run("ROLLBACK TO SAVEPOINT sluice; RELEASE SAVEPOINT sluice", connection)
                if first == last {
                    let place = error.column.map { " (column \"\($0)\")" } ?? ""
                    let kind = "SQLSTATE \(error.sqlState ?? "?")"
                    faults.append(RecordFault(index: first, kind: kind, reason: "\(error.message)\(place)"))
                    continue
                }
                let suspect = connection.statements?.suspect ?? connection.writer.suspect
                if let suspect, hintsLeft > 0, range.contains(suspect) {
                    hintsLeft -= 1
                    // Around the suspect: what comes before it is good, it is alone, and the rest is not known yet.
                    ranges.append((suspect + 1)..<range.upperBound)
                    ranges.append(suspect..<(suspect + 1))
                    ranges.append(range.lowerBound..<suspect)
                    continue
                }
                let middle = live[live.count / 2]
                ranges.append(middle..<range.upperBound)
                ranges.append(range.lowerBound..<middle)
            }
        }
        return faults.sorted { $0.index < $1.index }
    }

    private func write(
        _ batch: BatchReader,
        _ range: Range<Int>,
        _ excluded: [Bool],
        _ connection: Connection,
        _ rows: inout Int
    ) throws(WriteStop) -> [RecordFault] {
        guard let statements = connection.statements else {
            try connection.writer.write(batch, range, excluding: excluded)
            rows += connection.writer.rowCount
            return connection.writer.faults
        }
        do throws(PostgresError) { try statements.run(batch, range, excluding: excluded) } catch {
            throw .server(error, doing: "running the statements for \(range.count) records")
        }
        rows += statements.rowCount
        return statements.faults
    }

    private func begin(_ move: OffsetsTable.Move, _ connection: Connection) throws(WriteStop) {
        connection.writer.transactionBegins()
        guard let offsets else { return try run("BEGIN", connection) }
        let doing = "moving the offsets in table \"\(config.offsetsTable)\""
        let isOurs: Bool
        do throws(PostgresError) { isOurs = try offsets.apply(move, connection.session) } catch {
            throw .server(error, doing: doing)
        }
        guard isOurs else { throw .failure(fenced(doing, move.next.keys.sorted())) }
    }

    private func commit(
        _ move: OffsetsTable.Move,
        _ connection: Connection,
        _ rows: Int
    ) throws(WriteStop) {
        do throws(PostgresError) { try connection.session.commit() } catch {
            throw .server(error, doing: "committing \(rows) rows")
        }
        offsets?.committed(move)
        rowsWritten.add(rows)
        transactions.add()
    }

    private func rollBack(_ connection: Connection) {
        guard connection.session.isOpen else { return }
        // What cannot be rolled back is closed, which does the same.
        do throws(PostgresError) { try connection.session.rollback() } catch { connection.session.close() }
    }

    private func run(_ sql: String, _ connection: Connection) throws(WriteStop) {
        do throws(PostgresError) { try connection.session.run(sql) } catch {
            throw .server(error, doing: "writing a batch")
        }
    }

    /// None of the batch is stored: with `errors.tolerance=none` the offsets must not have moved past a bad record.
    private func badRecords(_ faults: [RecordFault], _ batch: BatchReader) -> TaskFailure {
        let kinds = Set(faults.map(\.kind)).sorted().joined(separator: ", ")
        let first = faults.first.map { "; the first: \($0.reason)" } ?? ""
        return TaskFailure(
            .badRecords(faults, restIsWritten: false),
            doing: "writing \(batch.batch.count) records",
            because: "\(faults.count) of them cannot be stored (\(kinds))\(first)"
        )
    }
}

extension PostgresError {
    /// Whether splitting the batch helps: bad values, or one row that was hit twice.
    fileprivate var isAboutRecords: Bool { kind == .poison || sqlState == "21000" }
}
