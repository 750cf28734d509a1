internal import ConnectConfig
internal import ConnectModel

/// Sets the name and version of a struct's schema.
struct SetSchemaMetadata: Transform {
    static let schemaName = ConfigKey<String?>.optionalString(
        "schema.name",
        importance: .high,
        "The schema's new name."
    )
    static let schemaVersion = ConfigKey<Int?>.optionalInt(
        "schema.version",
        importance: .high,
        "The schema's new version."
    )
    static let keys: [any AnyConfigKey] = [schemaName, schemaVersion, TransformKeys.replaceNull]

    private let part: RecordPart
    private let name: String?
    private let version: Int32?
    private let replacesNull: Bool
    private let schemas = SchemaCache()

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        name = try Self.schemaName.read(config)
        version = try Self.schemaVersion.read(config).map { Int32($0) }
        replacesNull = try TransformKeys.replaceNull.read(config)
        if name == nil, version == nil { throw .config("Neither schema name nor version configured") }
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        if data.schema == nil, data.value.isNull { return record }
        guard let schema = data.schema else { throw .data("Schema required for [updating schema metadata]") }
        let updated = try schemas.schema(for: schema) { () throws(ConnectError) in
            var builder = SchemaBuilder(basicsOf: schema)
            for field in try schema.structFields() { try builder.add(field.name, field.schema) }
            builder.isOptional = schema.isOptional
            builder.name = name ?? schema.name
            builder.version = version ?? schema.version
            builder.setDefault(unchecked: schema.defaultValue)
            return builder.build()
        }
        guard case .structure(let source) = data.value else {
            return part.write(SchemaAndValue(updated, data.value), to: record)
        }
        var result = try StructValue(updated)
        for field in updated.fields {
            try result.set(field, source.value(field, orDefault: replacesNull))
        }
        return part.write(SchemaAndValue(updated, .structure(result)), to: record)
    }
}
