import ConnectModel
import ConnectSDK
import JSONReading
import PostgresClient

/// Why the writing of a batch ended early.
enum WriteStop: Error {
    case server(PostgresError, doing: String)
    /// The table of a topic lacks columns, or some are too narrow.
    case evolve(topic: String, narrow: Set<String>)
    case failure(TaskFailure)
}

/// Writes ranges of a batch within a transaction that its owner opens and ends; lives as long as its session.
final class BatchWriter {
    let session: PostgresSession
    let config: PostgresSinkConfig
    /// Tables by topic.
    var tables: [String: TableWriter] = [:]
    /// Records of the range that can never be written.
    private(set) var faults: [RecordFault] = []
    /// For a refused row of a COPY: which record each of its rows was.
    private var recordsOfCopy: [Int32] = []
    /// The record that the last error blames, when that is known.
    private(set) var suspect: Int?

    private let record = JSONObjectReader()
    private let key = RecordKey()
    /// Tables by index of the batch's partitions; empty for parsed records, whose topics transforms may have changed.
    private var tableOfPartition: [TableWriter?] = []
    private var copying: (table: TableWriter, shape: Int)?
    private var usedStages: Set<ObjectIdentifier> = []
    /// Rows that the server took in the last range.
    private(set) var rowCount = 0
    /// How many temporary tables the session has had.
    var stages = 0

    init(_ session: PostgresSession, _ config: PostgresSinkConfig) { (self.session, self.config) = (session, config) }

    /// Writes the records of a range that are not excluded; those that cannot be written are noted in ``faults``.
    func write(_ batch: BatchReader, _ range: Range<Int>, excluding excluded: [Bool]) throws(WriteStop) {
        begin()
        if case .raw = batch.batch.content { tableOfPartition = batch.batch.partitions.map { tables[$0.topic] } }
        var stop: WriteStop?
        batch.forEach(range) { index, keyBytes, value in
            guard stop == nil, excluded.isEmpty || !excluded[index] else { return }
            do throws(WriteStop) { try add(batch, index, keyBytes, value) } catch { stop = error }
        }
        if let stop {
            if copying != nil { session.abandonCopy() }
            copying = nil
            throw stop
        }
        // Once a record is known to be bad the whole range is rolled back: no need to send the rest.
        try endCopying()
        for table in tables.values where !table.isEmpty { try send(table) }
    }

    /// Temporary tables are empty at the start of a transaction.
    func transactionBegins() { usedStages = [] }

    private func begin() {
        faults = []
        suspect = nil
        rowCount = 0
        copying = nil
        tableOfPartition = []
        for table in tables.values { table.removeRows() }
    }

    private func add(
        _ batch: BatchReader,
        _ index: Int,
        _ keyBytes: RawSpan?,
        _ value: RawSpan?
    ) throws(WriteStop) {
        let known = tableOfPartition.isEmpty ? nil : tableOfPartition[batch.batch.origins[index].partition]
        guard let table = known ?? tables[batch.batch.topic(at: index)] else { return withoutTable(index, value) }
        if config.keyMode == .recordKey {
            key.read(keyBytes, batch.keyFormat)
            if key.form == .malformed { return fault(index, "malformed_key", "the key is not valid JSON") }
        }
        guard let value, !isNull(value) else {
            guard config.isDeleteEnabled else {
                return fault(index, "null_value", "the value is null; with delete.enabled=true it would delete a row")
            }
            guard key.form != .none else { return fault(index, "null_key", "neither key nor value: no row to delete") }
            return try finish(table, batch, index, table.addDelete(key, batch.batch, index)) {
                $0.addDelete(self.key, batch.batch, index)
            }
        }
        do throws(JSONError) { try record.read(value) } catch {
            return fault(index, "malformed_json", "the value is no JSON object: \(error)")
        }
        let outcome = table.add(record, key: key, batch.batch, index)
        if case .written(let shape) = outcome {
            if table.plan.isStaged { return }
            return try stream(table, shape, index)
        }
        try finish(table, batch, index, outcome) { $0.add(self.record, key: self.key, batch.batch, index) }
    }

    /// A record of a topic that has no table yet, as no record so far could make one.
    private func withoutTable(_ index: Int, _ value: RawSpan?) {
        guard let value, !isNull(value) else {
            if !config.isDeleteEnabled { fault(index, "null_value", "the value is null and there is no table yet") }
            return
        }
        do throws(JSONError) { try record.read(value) } catch {
            return fault(index, "malformed_json", "the value is no JSON object: \(error)")
        }
        fault(index, "no_fields", "the record has no field to make a table of")
    }

    private func finish(
        _ table: TableWriter,
        _ batch: BatchReader,
        _ index: Int,
        _ outcome: TableWriter.Outcome,
        again: (TableWriter) -> TableWriter.Outcome
    ) throws(WriteStop) {
        switch outcome {
        case .written: break
        case .refused(let reason): fault(index, "unsuitable_value", reason)
        case .unknownField(let field): throw try unknown(field, table, batch.batch.topic(at: index))
        case .tooNarrow(let column): throw .evolve(topic: batch.batch.topic(at: index), narrow: [column])
        case .sendFirst:
            try endCopying()
            try send(table)
            let outcome = again(table)
            if case .sendFirst = outcome { preconditionFailure("an empty table still holds the key") }
            try finish(table, batch, index, outcome, again: again)
        }
    }

    private func unknown(_ field: String, _ table: TableWriter, _ topic: String) throws(WriteStop) -> WriteStop {
        if config.isAutoEvolve { return .evolve(topic: topic, narrow: []) }
        return .failure(
            .config(
                "unknown.fields",
                doing: "writing topic \"\(topic)\" to table \"\(table.plan.table)\"",
                because: """
                    the field "\(field)" has no column; add one, or set auto.evolve=true, list the wanted fields in \
                    fields.whitelist, or set unknown.fields=ignore
                    """
            )
        )
    }

    private func fault(_ index: Int, _ kind: String, _ reason: String) {
        faults.append(RecordFault(index: index, kind: kind, reason: reason))
    }
}

// Sending.
extension BatchWriter {
    /// Sends rows while more are made: the server parses them on another core meanwhile.
    private func stream(_ table: TableWriter, _ shape: Int, _ index: Int) throws(WriteStop) {
        let group = table.groups[shape]
        group.records.append(Int32(index))
        guard group.bytes.count >= Self.chunkSize else { return }
        if let copying {
            guard copying.table === table, copying.shape == shape else { return }
        } else {
            try start(table, shape)
        }
        try server("writing", table) { () throws(PostgresError) in try session.sendCopy(&group.bytes) }
    }
    /// Small enough that the server is busy from early on.
    private static let chunkSize = 64 << 10

    private func start(_ table: TableWriter, _ shape: Int) throws(WriteStop) {
        let sql = table.shapes[shape].copy
        try server("writing", table) { () throws(PostgresError) in try session.beginCopy(sql) }
        copying = (table, shape)
    }

    private func endCopying() throws(WriteStop) {
        guard let copying else { return }
        self.copying = nil
        let (table, shape) = copying
        let group = table.groups[shape]
        recordsOfCopy = group.records
        try server("writing", table) { () throws(PostgresError) in
            try session.sendCopy(&group.bytes)
            rowCount += try session.endCopy()
        }
        group.records.removeAll(keepingCapacity: true)
    }

    /// Sends what a table has gathered and brings staged rows into it.
    private func send(_ table: TableWriter) throws(WriteStop) {
        for shape in table.shapes.indices where !table.groups[shape].bytes.isEmpty {
            let ranges = table.liveRanges(shape)
            guard !ranges.isEmpty else { continue }
            guard table.plan.isStaged else {
                try start(table, shape)
                try endCopying()
                continue
            }
            recordsOfCopy = []
            if !usedStages.insert(ObjectIdentifier(table)).inserted {
                try server("emptying the stage of", table) { () throws(PostgresError) in
                    try session.run(table.plan.truncateStage)
                }
            }
            try server("staging rows for", table) { () throws(PostgresError) in
                try session.copy(table.shapes[shape].copy, table.groups[shape].bytes, ranges)
            }
            guard let merge = table.shapes[shape].merge else { continue }
            try server("merging rows into", table) { () throws(PostgresError) in
                rowCount += try session.execute(merge).affected
            }
        }
        table.removeRows()
    }

    private func server(
        _ doing: String,
        _ table: TableWriter,
        _ body: () throws(PostgresError) -> Void
    ) throws(WriteStop) {
        do throws(PostgresError) { try body() } catch {
            suspect = error.copyLine.flatMap { $0 > 0 && $0 <= recordsOfCopy.count ? Int(recordsOfCopy[$0 - 1]) : nil }
            throw .server(error, doing: "\(doing) table \"\(table.plan.table)\"")
        }
    }
}

/// Whether the bytes are JSON's null.
func isNull(_ value: RawSpan) -> Bool {
    value.byteCount == 4 && value.unsafeLoadByte(0) == UInt8(ascii: "n") && value.unsafeLoadByte(1) == UInt8(ascii: "u")
}
