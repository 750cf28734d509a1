internal import ConnectConfig
internal import ConnectModel

/// Removes headers by name.
struct DropHeaders: Transform {
    static let headers = TransformKeys.distinctList("headers", "The names of the headers to remove.")
    static let keys: [any AnyConfigKey] = [headers]

    private let names: Set<String>

    init(_ config: [String: String]) throws(ConnectError) { names = Set(try Self.headers.read(config)) }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        var changed = record
        changed.headers.removeAll { names.contains($0.name) }
        return changed
    }
}

/// Adds a header with a fixed value, whose type is guessed from its text.
struct InsertHeader: Transform {
    static let header = ConfigKey<String>(
        "header",
        type: .string,
        default: nil,
        defaultText: nil,
        importance: .high,
        valid: "non-null string",
        "The name of the header to add."
    ) { text throws(ConfigIssue.Reason) in trimmed(text) }
    .refusingNull(ConfigIssue.Reason("entry must be non null"))
    static let literal = ConfigKey<String>(
        "value.literal",
        type: .string,
        default: nil,
        defaultText: nil,
        importance: .high,
        valid: "non-null string",
        "The value that every record gets. Its type is guessed: 1 is a number, true a boolean, [1,2] a list."
    ) { text throws(ConfigIssue.Reason) in trimmed(text) }
    .refusingNull(ConfigIssue.Reason("entry must be non null"))
    static let keys: [any AnyConfigKey] = [header, literal]

    private let inserted: ConnectHeader

    init(_ config: [String: String]) throws(ConnectError) {
        inserted = ConnectHeader(
            name: try Self.header.read(config),
            value: try HeaderText.parse(try Self.literal.read(config))
        )
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        var changed = record
        changed.headers.append(inserted)
        return changed
    }
}

/// Moves or copies fields into headers.
struct HeaderFrom: Transform {
    static let fields = TransformKeys.fullList("fields", "The fields to move or copy.")
    static let headers = TransformKeys.fullList("headers", "The headers' names, in the order of the fields.")
    static let operation = ConfigKey<String>.word(
        "operation",
        of: ["move", "copy"],
        "move takes the fields out of the key or value, copy leaves them there."
    )
    static let keys: [any AnyConfigKey] = [fields, headers, operation, TransformKeys.replaceNull]

    private let part: RecordPart
    private let fields: [String]
    private let headers: [String]
    private let operation: String
    private let replacesNull: Bool
    private let schemas = SchemaCache()

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        fields = try Self.fields.read(config)
        headers = try Self.headers.read(config)
        operation = try Self.operation.read(config)
        replacesNull = try TransformKeys.replaceNull.read(config)
        guard fields.count == headers.count else {
            throw .config("'fields' config must have the same number of elements as 'headers' config.")
        }
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        guard let schema = data.schema else { return try applySchemaless(record, data.value) }
        let source = try data.value.structure(for: "header \(operation)")
        var changed = record
        if operation == "move" {
            let updated = try schemas.schema(for: schema) { () throws(ConnectError) in
                var builder = SchemaBuilder(basicsOf: schema)
                for field in schema.fields where !fields.contains(field.name) {
                    try builder.add(field.name, field.schema)
                }
                return builder.build()
            }
            var result = try StructValue(updated)
            for field in updated.fields {
                if let original = source.schema.field(field.name) {
                    try result.set(field, source.value(original, orDefault: replacesNull))
                }
            }
            changed = part.write(SchemaAndValue(updated, .structure(result)), to: record)
        }
        for (name, header) in zip(fields, headers) {
            guard let field = source.schema.field(name) else {
                throw ConnectError(.nullPointer, "no field \(name) to \(operation) to header \(header)")
            }
            let value = source.value(field, orDefault: replacesNull)
            changed.headers.append(ConnectHeader(name: header, value: SchemaAndValue(field.schema, value)))
        }
        return changed
    }

    private func applySchemaless(_ record: ConnectRecord, _ value: Value) throws(ConnectError) -> ConnectRecord {
        let source = try value.map(for: "header \(operation)")
        var rest = source
        var changed = record
        for (name, header) in zip(fields, headers) {
            changed.headers.append(ConnectHeader(name: header, value: SchemaAndValue(nil, source[name] ?? .null)))
            rest[name] = nil
        }
        return operation == "move" ? part.write(SchemaAndValue(nil, .map(rest)), to: changed) : changed
    }
}
