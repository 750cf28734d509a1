import ConnectModel
import ConnectSDK

/// Turns what a source has read into what is sent; pure.
struct SourcePipeline: Sendable {
    let converters: ConverterSet
    let tolerance: ErrorTolerance
    /// Reads raw JSON texts when they cannot pass as they are; nil when there is no JSON converter.
    let json: (any Converter)?

    struct Prepared: Sendable {
        var buffer: RecordBuffer
        var bad: [BadRecord] = []
        /// The record that ends the task; errors are not tolerated.
        var poison: BadRecord?
        /// Records that a transform left out.
        var filtered = 0
    }

    func prepare(_ batch: SourceBatch) -> Prepared {
        switch batch.content {
        case .raw(let buffer, let format):
            if passes(buffer, format) { return Prepared(buffer: buffer) }
            return converted(count: buffer.count) { index throws(RecordError) in
                try record(buffer, index, format)
            } bad: { error, index in
                Self.badRecord(error, buffer, index)
            }
        case .records(let records):
            return converted(count: records.count) { index throws(RecordError) in
                records[index]
            } bad: { error, index in
                BadRecord(
                    error: error,
                    timestamp: records[index].timestamp,
                    key: Self.bytes(of: records[index].key),
                    value: Self.bytes(of: records[index].value)
                )
            }
        }
    }

    /// Whether the bytes are already what the converters would make of them.
    private func passes(_ buffer: RecordBuffer, _ format: RawFormat) -> Bool {
        guard converters.chain == nil, let target = converters.value.rawFormat else { return false }
        guard target == format || target == .bytes || (target == .utf8 && format == .json) else { return false }
        switch converters.key.rawFormat {
        case .utf8?, .bytes?: return true
        case .json?, nil: return buffer.entries.allSatisfy { $0.key == nil }
        }
    }

    private func converted(
        count: Int,
        _ record: (Int) throws(RecordError) -> ConnectRecord,
        bad: (RecordError, Int) -> BadRecord
    ) -> Prepared {
        var result = Prepared(buffer: RecordBuffer(records: count))
        for index in 0..<count {
            do throws(RecordError) {
                let original = try record(index)
                guard let changed = try transform(original) else {
                    result.filtered += 1
                    continue
                }
                try append(changed, to: &result.buffer)
            } catch {
                let record = bad(error, index)
                guard tolerance == .all else {
                    result.poison = record
                    return result
                }
                result.bad.append(record)
            }
        }
        return result
    }

    private func transform(_ record: ConnectRecord) throws(RecordError) -> ConnectRecord? {
        guard let chain = converters.chain else { return record }
        do throws(DataError) { return try chain.apply(record) } catch {
            throw RecordError(error, .transformation, converters.names.chain)
        }
    }

    /// In Kafka Connect's order: headers, key, value.
    private func append(_ record: ConnectRecord, to buffer: inout RecordBuffer) throws(RecordError) {
        let topic = record.topic, names = converters.names
        var headers: [RecordBuffer.Header] = []
        do throws(DataError) {
            for header in record.headers {
                let bytes = try converters.header.fromConnectHeader(topic: topic, name: header.name, header.value)
                headers.append(.init(name: header.name, value: bytes))
            }
        } catch { throw RecordError(error, .headerConverter, names.header) }
        let key: [UInt8]?
        do throws(DataError) { key = try converters.key.fromConnect(topic: topic, record.key) } catch {
            throw RecordError(error, .keyConverter, names.key)
        }
        let value: [UInt8]?
        do throws(DataError) { value = try converters.value.fromConnect(topic: topic, record.value) } catch {
            throw RecordError(error, .valueConverter, names.value)
        }
        buffer.append(
            topic: buffer.index(ofTopic: topic),
            partition: record.partition ?? -1,
            timestamp: record.timestamp ?? -1,
            key: key,
            value: value,
            headers: headers
        )
    }

    /// A raw record as transforms see it.
    private func record(_ buffer: RecordBuffer, _ index: Int, _ format: RawFormat) throws(RecordError) -> ConnectRecord
    {
        let entry = buffer.entries[index], topic = buffer.topics[entry.topic]
        var headers: [ConnectHeader] = []
        do throws(DataError) {
            for header in buffer.headers[entry.headers] {
                let value = try converters.header.toConnectHeader(topic: topic, name: header.name, bytes: header.value)
                headers.append(ConnectHeader(name: header.name, value: value))
            }
        } catch { throw RecordError(error, .headerConverter, converters.names.header) }
        return ConnectRecord(
            topic: topic,
            partition: entry.partition >= 0 ? entry.partition : nil,
            key: entry.key.map { SchemaAndValue(.string, .string(Self.text(buffer, $0))) } ?? .null,
            value: try value(buffer, entry.value, format, topic),
            timestamp: entry.timestamp >= 0 ? entry.timestamp : nil,
            headers: headers
        )
    }

    private func value(
        _ buffer: RecordBuffer,
        _ range: Range<Int>?,
        _ format: RawFormat,
        _ topic: String
    ) throws(RecordError) -> SchemaAndValue {
        guard let range else { return .null }
        switch format {
        case .utf8: return SchemaAndValue(.string, .string(Self.text(buffer, range)))
        case .bytes: return SchemaAndValue(.bytes, .bytes(Array(buffer.bytes[range])))
        case .json:
            guard let json else { return SchemaAndValue(.string, .string(Self.text(buffer, range))) }
            let bytes = unsafe buffer.bytes.span.bytes.extracting(range)
            do throws(DataError) { return try json.toConnect(topic: topic, bytes: bytes) } catch {
                throw RecordError(error, .valueConverter, converters.names.value)
            }
        }
    }

    private static func text(_ buffer: RecordBuffer, _ range: Range<Int>) -> String {
        String(decoding: buffer.bytes[range], as: UTF8.self)
    }

    static func badRecord(_ error: RecordError, _ buffer: RecordBuffer, _ index: Int) -> BadRecord {
        let entry = buffer.entries[index]
        return BadRecord(
            error: error,
            timestamp: entry.timestamp >= 0 ? entry.timestamp : nil,
            key: entry.key.map { Array(buffer.bytes[$0]) },
            value: entry.value.map { Array(buffer.bytes[$0]) },
            headers: Array(buffer.headers[entry.headers])
        )
    }

    /// What a dead letter shows of a value that no converter has made bytes of: text and bytes as they are, else JSON.
    private static func bytes(of data: SchemaAndValue) -> [UInt8]? {
        switch data.value {
        case .null: return nil
        case .string(let text): return Array(text.utf8)
        case .bytes(let bytes): return bytes
        default:
            var json: [UInt8] = []
            do throws(ConnectError) {
                try JSONWriter(lenient: true).append(data.value, schema: data.schema, to: &json)
            } catch {
                return nil
            }
            return json
        }
    }
}

extension RecordBuffer {
    /// Only these records, in order.
    func selecting(_ indices: [Int]) -> RecordBuffer {
        var selected = RecordBuffer(records: indices.count)
        for index in indices {
            let entry = entries[index]
            selected.append(
                topic: selected.index(ofTopic: topics[entry.topic]),
                partition: entry.partition,
                timestamp: entry.timestamp,
                key: entry.key.map { bytes[$0] },
                value: entry.value.map { bytes[$0] },
                headers: Array(headers[entry.headers])
            )
        }
        return selected
    }
}
