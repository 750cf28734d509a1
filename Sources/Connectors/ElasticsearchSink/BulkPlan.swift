import ConnectModel
import ConnectSDK
import JSONReading

/// Turns records into the lines of a `_bulk` body: pure, apart from the reader it keeps for reuse.
///
/// A value that came as JSON goes into the body as it is, unparsed; only an id template with fields makes it look inside.
struct BulkPlan {
    /// What became of a record.
    enum Result {
        case appended
        /// A tombstone that the settings ignore.
        case ignored
        case refused(DocumentFault)
    }
    static let idBytesMax = 512
    static let offsetBits = 40

    let rules: DocumentRules
    let indexes: IndexRules
    private let fields = JSONObjectReader()

    init(_ rules: DocumentRules, _ indexes: IndexRules) { (self.rules, self.indexes) = (rules, indexes) }

    /// Appends the lines of one record; after a refusal `body` is as before.
    func append(_ index: Int, of batch: SinkBatch, to body: inout [UInt8]) -> Result {
        let start = body.count
        var result = Result.appended
        do throws(DocumentFault) {
            var isIgnored = false
            switch batch.content {
            case .raw(let memory, let keyFormat, _):
                var fault: DocumentFault?
                memory.forEach(in: index..<(index + 1)) { _, key, value in
                    do throws(DocumentFault) {
                        var text: [UInt8]?
                        if let key { text = try Self.text(of: key, keyFormat) }
                        isIgnored = try !append(index, of: batch, text, value, to: &body)
                    } catch { fault = error }
                }
                if let fault { throw fault }
            case .records(let records):
                let key = try Self.text(of: records[index].key.value)
                let document = try Self.document(of: records[index])
                isIgnored = try unsafe !append(index, of: batch, key, document?.span.bytes, to: &body)
            }
            if isIgnored { result = .ignored }
        } catch {
            body.removeSubrange(start...)
            result = .refused(error)
        }
        return result
    }

    /// The version of the document of an offset: later than all of an earlier life of the topic.
    func version(_ offset: Int64) -> Int64 { Int64(rules.epoch) << Int64(Self.offsetBits) | offset }

    /// False for a record to ignore.
    private func append(
        _ index: Int,
        of batch: SinkBatch,
        _ key: [UInt8]?,
        _ value: RawSpan?,
        to body: inout [UInt8]
    ) throws(DocumentFault) -> Bool {
        let topic = batch.topic(at: index)
        guard let value, !Self.isNull(value) else {
            switch rules.onNull {
            case .ignore: return false
            case .fail: throw DocumentFault("the value is null and behavior.on.null.values is fail")
            case .delete: break
            }
            guard rules.usesKey(topic), key != nil, !rules.isStream else { return false }  // no document to name
            try appendAction("delete", index, of: batch, topic, key, isVersioned: rules.isVersioned(topic), to: &body)
            return true
        }
        guard Self.isObject(value) else { throw DocumentFault("the value is not a JSON object") }
        if rules.idTemplate?.hasFields == true {
            do throws(JSONError) { try fields.read(value) } catch { throw DocumentFault("the value is \(error)") }
        }
        switch rules.writeMethod {
        case .insert where rules.isStream:
            try appendAction("create", index, of: batch, topic, key, isVersioned: false, to: &body)
            Self.append(value, timestamp: batch.origins[index].timestamp, to: &body)
        case .insert:
            let isVersioned = rules.isVersioned(topic)
            try appendAction("index", index, of: batch, topic, key, isVersioned: isVersioned, to: &body)
            body.append(jsonOnOneLine: value)
        case .upsert:
            try appendAction("update", index, of: batch, topic, key, isVersioned: false, to: &body)
            body += Array(#"{"doc":"#.utf8)
            body.append(jsonOnOneLine: value)
            body += Array(#","doc_as_upsert":true}"#.utf8)
        }
        body.append(UInt8(ascii: "\n"))
        return true
    }

    private func appendAction(
        _ action: String,
        _ index: Int,
        of batch: SinkBatch,
        _ topic: String,
        _ key: [UInt8]?,
        isVersioned: Bool,
        to body: inout [UInt8]
    ) throws(DocumentFault) {
        body += Array(#"{"\#(action)":{"_index":"#.utf8)
        JSONWriter.append(string: indexes.name(for: topic), to: &body)
        if !rules.autogeneratesIDs {
            let id = try id(of: batch.topicPartition(at: index), batch.origins[index].offset, topic, key)
            guard id.count <= Self.idBytesMax else {
                throw DocumentFault("the id has \(id.count) bytes, more than \(Self.idBytesMax)")
            }
            body += Array(#","_id":"#.utf8)
            Self.append(quoted: id, to: &body)
        }
        if isVersioned {
            body += Array(#","version":"#.utf8)
            JSONWriter.append(integer: try version(index, of: batch), to: &body)
            body += Array(#","version_type":"external""#.utf8)
        }
        if action == "update" { body += Array(#","retry_on_conflict":3"#.utf8) }
        body += Array("}}\n".utf8)
    }

    private func id(
        of place: TopicPartition,
        _ offset: Int64,
        _ topic: String,
        _ key: [UInt8]?
    ) throws(DocumentFault) -> [UInt8] {
        var id: [UInt8] = []
        if let template = rules.idTemplate {
            try template.append(to: &id, place, offset: offset, key: key, fields: fields)
        } else if rules.usesKey(topic) {
            guard let key else {
                throw DocumentFault("Key is used as document id and can not be null.")
            }
            id = key
        } else {
            id = Array("\(place.topic)+\(place.partition)+\(offset)".utf8)
        }
        if id.isEmpty { throw DocumentFault("the id is empty") }
        return id
    }

    private func version(_ index: Int, of batch: SinkBatch) throws(DocumentFault) -> Int64 {
        guard !rules.versionHeader.isEmpty else { return version(batch.origins[index].offset) }
        let text: String? =
            switch batch.content {
            case .raw(let memory, _, _):
                memory.headers(at: index).last { $0.name == rules.versionHeader }?.value
                    .map { String(decoding: $0, as: UTF8.self) }
            case .records(let records):
                records[index].headers.last { $0.name == rules.versionHeader }?.value.value.javaText
            }
        guard let version = text.flatMap({ Int64($0) }), version >= 0 else {
            throw DocumentFault("the header \(rules.versionHeader) is not a whole number")
        }
        return version
    }
}
