internal import ConnectConfig
internal import ConnectModel

/// Brings the fields of nested structs or maps to the top, their names joined.
struct Flatten: Transform {
    static let delimiter = ConfigKey<String>.string(
        "delimiter",
        default: ".",
        "What stands between the names of the levels. Blanks around it are taken off."
    )
    static let keys: [any AnyConfigKey] = [delimiter]
    private static let purpose = "flattening"

    private let part: RecordPart
    private let delimiter: String
    private let schemas = SchemaCache()

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        delimiter = try Self.delimiter.read(config)
    }

    private func joined(_ prefix: String, _ name: String) -> String {
        prefix.isEmpty ? name : prefix + delimiter + name
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        if data.value.isNull { return record }
        guard let schema = data.schema else {
            var entries: [MapValue.Entry] = []
            try flatten(data.value.map(for: Self.purpose), "", into: &entries)
            return part.write(SchemaAndValue(nil, .map(MapValue(lastOfEachKey: entries))), to: record)
        }
        let source = try data.value.structure(for: Self.purpose)
        let updated = try schemas.schema(for: schema) { () throws(ConnectError) in
            var builder = SchemaBuilder(basicsOf: schema)
            var standIn: StructValue?
            if case .structure(let structure)? = schema.defaultValue { standIn = structure }
            try add(schema, "", optional: schema.isOptional, standIn, to: &builder)
            return builder.build()
        }
        var result = try StructValue(updated)
        try copy(source, "", to: &result)
        return part.write(SchemaAndValue(updated, .structure(result)), to: record)
    }

    private func flatten(
        _ map: MapValue,
        _ prefix: String,
        into entries: inout [MapValue.Entry]
    ) throws(ConnectError) {
        for entry in map.entries {
            guard case .string(let key) = entry.key else {
                throw ConnectError(.classCast, "class \(entry.key.javaClass) cannot be cast to class java.lang.String")
            }
            let name = joined(prefix, key)
            switch entry.value {
            case .null: entries.append(.init(key: .string(name), value: .null))
            case .map(let inner): try flatten(inner, name, into: &entries)
            case .structure:
                throw .data(
                    "Flatten transformation does not support class \(entry.value.javaClass)"
                        + " for record without schemas (for field \(name))."
                )
            default:
                guard entry.value.inferredType != nil else {
                    throw .data(
                        "Flatten transformation was passed a value of type class \(entry.value.javaClass)"
                            + " which is not supported by Connect's data API"
                    )
                }
                entries.append(.init(key: .string(name), value: entry.value))
            }
        }
    }

    private func add(
        _ schema: Schema,
        _ prefix: String,
        optional: Bool,
        _ standIn: StructValue?,
        to builder: inout SchemaBuilder
    ) throws(ConnectError) {
        for field in schema.fields {
            let name = joined(prefix, field.name)
            let isOptional = optional || field.schema.isOptional
            var value = field.schema.defaultValue
            if value == nil { value = try standIn?.value(field.name) }
            switch field.schema.type {
            case .structure:
                var inner: StructValue?
                if case .structure(let structure)? = value { inner = structure }
                try add(field.schema, name, optional: isOptional, inner, to: &builder)
            case .map:
                throw .data(
                    "Flatten transformation does not support MAP for record with schemas (for field \(name))."
                )
            default:
                var fieldBuilder = SchemaBuilder(basicsOf: field.schema)
                fieldBuilder.isOptional = isOptional
                if let value, !value.isNull { try fieldBuilder.setDefault(value) }
                try builder.add(name, fieldBuilder.build())
            }
        }
    }

    private func copy(_ source: StructValue, _ prefix: String, to result: inout StructValue) throws(ConnectError) {
        for field in source.schema.fields {
            let name = joined(prefix, field.name)
            if field.schema.type == .structure {
                // A null struct's fields stay unset, whatever the struct's default.
                if case .structure(let inner) = source.values[field.index] { try copy(inner, name, to: &result) }
            } else {
                try result.set(name, source.value(field))
            }
        }
    }
}
