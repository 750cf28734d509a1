import ConnectModel
import JSONReading

/// `${asin}-${timestamp}`: how a document's id is put together.
struct IDTemplate: Sendable, Hashable {
    private enum Part: Hashable {
        case text([UInt8])
        case topic, partition, offset, key
        case field([UInt8])
    }
    private let parts: [Part]

    /// Reads a template; nil when a `${` has no name or no end.
    init?(_ template: String) {
        var parts: [Part] = []
        var rest = template[...]
        while let start = rest.firstRange(of: "${") {
            if start.lowerBound > rest.startIndex { parts.append(.text(Array(rest[..<start.lowerBound].utf8))) }
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: "}"), end > rest.startIndex else { return nil }
            switch rest[..<end] {
            case "topic": parts.append(.topic)
            case "partition": parts.append(.partition)
            case "offset": parts.append(.offset)
            case "key": parts.append(.key)
            case let field: parts.append(.field(Array(field.utf8)))
            }
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { parts.append(.text(Array(rest.utf8))) }
        self.parts = parts
    }

    /// Whether no two records of a partition can have the same id.
    var isUniquePerRecord: Bool { parts.contains(.offset) && parts.contains(.partition) }
    /// Whether the value must be read.
    var hasFields: Bool { parts.contains { if case .field = $0 { true } else { false } } }

    /// Appends the id; throws for a record that lacks a part of it.
    ///
    /// `fields` has read the value.
    func append(
        to id: inout [UInt8],
        _ place: TopicPartition,
        offset: Int64,
        key: [UInt8]?,
        fields: JSONObjectReader
    ) throws(DocumentFault) {
        for part in parts {
            switch part {
            case .text(let text): id += text
            case .topic: id += Array(place.topic.utf8)
            case .partition: JSONWriter.append(integer: Int64(place.partition), to: &id)
            case .offset: JSONWriter.append(integer: offset, to: &id)
            case .key:
                guard let key else { throw DocumentFault("id.template names the key, which is null") }
                id += key
            case .field(let name):
                guard let field = fields.field(name), fields.kind(field) != .null else {
                    throw DocumentFault(
                        "id.template names the field \(String(decoding: name, as: UTF8.self)), "
                            + "which the value does not have"
                    )
                }
                fields.withContent(field) { id.append($0) }
            }
        }
    }
}

/// Why a record cannot become a document; the text holds nothing of the record.
struct DocumentFault: Error {
    var kind = "org.apache.kafka.connect.errors.DataException"
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
