internal import ConnectConfig
internal import ConnectModel

/// Adds fields with the record's topic, partition, offset, timestamp or a fixed text.
struct InsertField: Transform {
    private static let marks =
        "End the name with ! to make the field required, with ? to keep it optional (the default)."
    static let topicField = ConfigKey<String?>.optionalString("topic.field", "The field for the topic. \(marks)")
    static let partitionField = ConfigKey<String?>.optionalString(
        "partition.field",
        "The field for the partition. \(marks)"
    )
    static let offsetField = ConfigKey<String?>.optionalString(
        "offset.field",
        "The field for the offset; for sink connectors only. \(marks)"
    )
    static let timestampField = ConfigKey<String?>.optionalString(
        "timestamp.field",
        "The field for the record's timestamp. \(marks)"
    )
    static let staticField = ConfigKey<String?>.optionalString("static.field", "The field for a fixed text. \(marks)")
    static let staticValue = ConfigKey<String?>.optionalString("static.value", "The text for static.field.")
    static let keys: [any AnyConfigKey] = [
        topicField, partitionField, offsetField, timestampField, staticField, staticValue, TransformKeys.replaceNull,
    ]
    private static let purpose = "field insertion"

    private enum Source: Sendable {
        case topic, partition, offset, timestamp, text(String)
    }
    private struct Insertion: Sendable {
        let name: String
        let isOptional: Bool
        let source: Source

        /// One mark is taken off the end of the name.
        init(_ spec: String, _ source: Source) {
            isOptional = !spec.hasSuffix("!")
            name = spec.hasSuffix("!") || spec.hasSuffix("?") ? String(spec.dropLast()) : spec
            self.source = source
        }
    }

    private let part: RecordPart
    private let insertions: [Insertion]
    private let replacesNull: Bool
    private let schemas = SchemaCache()

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        replacesNull = try TransformKeys.replaceNull.read(config)
        var insertions: [Insertion] = []
        let sources: [(ConfigKey<String?>, Source)] = [
            (Self.topicField, .topic), (Self.partitionField, .partition), (Self.offsetField, .offset),
            (Self.timestampField, .timestamp),
        ]
        for (key, source) in sources {
            if let spec = try key.read(config) { insertions.append(Insertion(spec, source)) }
        }
        let text = try Self.staticValue.read(config)
        if let spec = try Self.staticField.read(config) {
            guard let text else {
                throw .invalid(
                    nil,
                    for: "static.value",
                    "No value specified for static field: org.apache.kafka.connect.transforms.InsertField$InsertionSpec"
                )
            }
            insertions.append(Insertion(spec, .text(text)))
        }
        if insertions.isEmpty { throw .config("No field insertion configured") }
        self.insertions = insertions
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        if data.value.isNull { return record }
        guard data.schema != nil else {
            var map = try data.value.map(for: Self.purpose)
            for insertion in insertions {
                var value = try value(insertion.source, record)
                if case .date(let milliseconds) = value { value = .int64(milliseconds) }
                if !value.isNull { map[insertion.name] = value }
            }
            return part.write(SchemaAndValue(nil, .map(map)), to: record)
        }
        let source = try data.value.structure(for: Self.purpose)
        let updated = try schemas.schema(for: source.schema) { () throws(ConnectError) in
            try updatedSchema(source.schema)
        }
        var result = try StructValue(updated)
        for field in source.schema.fields {
            try result.set(field.name, source.value(field, orDefault: replacesNull))
        }
        for insertion in insertions {
            let value = try value(insertion.source, record)
            if !value.isNull { try result.set(insertion.name, value) }
        }
        return part.write(SchemaAndValue(updated, .structure(result)), to: record)
    }

    private func value(_ source: Source, _ record: ConnectRecord) throws(ConnectError) -> Value {
        switch source {
        case .topic: return .string(record.topic)
        case .partition: return record.partition.map { .int32($0) } ?? .null
        case .timestamp: return record.timestamp.map { .date($0) } ?? .null
        case .text(let text): return .string(text)
        case .offset:
            guard let offset = record.offset else {
                throw .data(
                    "Only SinkRecord supported for [\(Self.purpose)], found: org.apache.kafka.connect.source.SourceRecord"
                )
            }
            return .int64(offset)
        }
    }

    private func updatedSchema(_ schema: Schema) throws(ConnectError) -> Schema {
        var builder = SchemaBuilder(basicsOf: schema)
        for field in schema.fields { try builder.add(field.name, field.schema) }
        for insertion in insertions {
            let type: SchemaType =
                switch insertion.source {
                case .topic, .text: .string
                case .partition: .int32
                case .offset, .timestamp: .int64
                }
            var schema = insertion.isOptional ? Schema.optional(type) : .required(type)
            if case .timestamp = insertion.source { schema = .logical(.timestamp, optional: insertion.isOptional) }
            try builder.add(insertion.name, schema)
        }
        return builder.build()
    }
}
