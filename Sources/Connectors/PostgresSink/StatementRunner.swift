import ConnectModel
import ConnectSDK
import JSONReading
import PostgresClient

/// Runs the `statements` of the settings for each record, in pipelines of prepared statements.
final class StatementRunner {
    private let session: PostgresSession
    private let statements: [NamedStatement]
    private let record = JSONObjectReader()
    private let key = RecordKey()
    /// What came of the last call of ``run(_:_:excluding:)``.
    private(set) var faults: [RecordFault] = []
    private(set) var suspect: Int?
    private(set) var rowCount = 0

    init(_ session: PostgresSession, _ statements: [NamedStatement]) throws(PostgresError) {
        (self.session, self.statements) = (session, statements)
        for (index, statement) in statements.enumerated() { try session.prepare("sluice_\(index)", statement.sql) }
    }

    /// Runs all statements of each record of a range, in order.
    func run(_ batch: BatchReader, _ range: Range<Int>, excluding excluded: [Bool]) throws(PostgresError) {
        (faults, suspect, rowCount) = ([], nil, 0)
        var commands: [PostgresCommand] = []
        var records: [Int] = []
        var failure: PostgresError?
        batch.forEach(range) { index, keyBytes, value in
            guard failure == nil, excluded.isEmpty || !excluded[index] else { return }
            key.read(keyBytes, batch.keyFormat)
            if let value, !isNull(value) {
                do throws(JSONError) { try record.read(value) } catch {
                    let reason = "the value is no JSON object: \(error)"
                    faults.append(RecordFault(index: index, kind: "malformed_json", reason: reason))
                    return
                }
            } else {
                try? record.read(Array("{}".utf8))
            }
            for (number, statement) in statements.enumerated() {
                let parameters = statement.names.map { parameter($0, batch.batch, index, keyBytes, value) }
                commands.append(PostgresCommand("sluice_\(number)", parameters))
                records.append(index)
            }
            if commands.count >= 2_000 {
                do throws(PostgresError) { try send(&commands, &records) } catch { failure = error }
            }
        }
        if let failure { throw failure }
        try send(&commands, &records)
    }

    private func send(_ commands: inout [PostgresCommand], _ records: inout [Int]) throws(PostgresError) {
        do throws(PostgresError) { rowCount += try session.pipeline(commands) } catch {
            suspect = error.commandIndex.map { records[$0] }
            throw error
        }
        commands.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
    }

    private func parameter(
        _ name: String,
        _ batch: SinkBatch,
        _ index: Int,
        _ keyBytes: RawSpan?,
        _ value: RawSpan?
    ) -> [UInt8]? {
        switch name {
        case "__connect_topic": return Array(batch.topic(at: index).utf8)
        case "__connect_partition": return Array("\(batch.topicPartition(at: index).partition)".utf8)
        case "__connect_offset": return Array("\(batch.origins[index].offset)".utf8)
        case "__connect_timestamp":
            let time = batch.origins[index].timestamp
            guard time >= 0 else { return nil }
            var text: [UInt8] = []
            appendDate(ofDay: time.dividedDown(by: 86_400_000), to: &text)
            text.append(UInt8(ascii: " "))
            appendTime(ofDay: time.modulo(86_400_000), to: &text)
            return text + Array("+00".utf8)
        case "__connect_key":
            guard let keyBytes else { return nil }
            var text: [UInt8]?
            // A key that is one text goes without its quotes.
            if key.form == .value { _ = key.with([]) { _, content, _ in text = bytes(content) } }
            return text ?? bytes(keyBytes)
        case "__connect_value":
            guard let value else { return nil }
            return bytes(value)
        default:
            guard let field = record.field(Array(name.utf8)), record.kind(field) != .null else { return nil }
            return record.withContent(field, bytes)
        }
    }

    private func bytes(_ span: RawSpan) -> [UInt8] {
        var copy: [UInt8] = []
        append(span, to: &copy)
        return copy
    }
}
