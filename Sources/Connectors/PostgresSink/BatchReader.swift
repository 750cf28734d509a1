import ConnectModel
import ConnectSDK

/// Lends the records of a batch as bytes, whatever form they came in.
///
/// Parsed records are written as JSON once more: numbers keep all their digits, decimals are plain numbers, bytes are
/// Base64, and times are Connect's numbers, which the columns' types give their meaning back.
struct BatchReader {
    let batch: SinkBatch
    private let writer: JSONWriter

    init(_ batch: SinkBatch, replacesNullWithDefault: Bool) {
        self.batch = batch
        writer = JSONWriter(decimals: .numeric, replacesNullWithDefault: replacesNullWithDefault)
    }

    /// What the keys' bytes are.
    var keyFormat: RawFormat {
        if case .raw(_, let key, _) = batch.content { return key }
        return .json
    }

    /// Calls `body` for the records of a range in order; nil is a missing key or a tombstone.
    func forEach(_ range: Range<Int>, _ body: (Int, _ key: RawSpan?, _ value: RawSpan?) -> Void) {
        switch batch.content {
        case .raw(let memory, _, _): memory.forEach(in: range) { body($0, $1, $2) }
        case .records(let records):
            var key: [UInt8] = [], value: [UInt8] = []
            for index in range {
                let hasKey = write(records[index].key, to: &key)
                let hasValue = write(records[index].value, to: &value)
                let keyBytes = unsafe key.span.bytes, valueBytes = unsafe value.span.bytes
                body(index, hasKey ? keyBytes : nil, hasValue ? valueBytes : nil)
            }
        }
    }

    /// The schema of a parsed record's value.
    func schema(_ index: Int) -> Schema? {
        if case .records(let records) = batch.content { return records[index].value.schema }
        return nil
    }
    /// The schema of a parsed record's key.
    func keySchema(_ index: Int) -> Schema? {
        if case .records(let records) = batch.content { return records[index].key.schema }
        return nil
    }

    /// False for null.
    ///
    /// What cannot be written becomes bytes that are no JSON, and so a bad record.
    private func write(_ part: SchemaAndValue, to bytes: inout [UInt8]) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        if part.value.isNull { return false }
        do throws(ConnectError) { try writer.append(part.value, schema: part.schema, to: &bytes) } catch { bytes = [0] }
        return true
    }
}
