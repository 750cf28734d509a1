internal import ConnectConfig
internal import ConnectModel

/// Changes the type of fields, or of the whole key or value.
struct Cast: Transform {
    struct Spec: Sendable {
        var whole: SchemaType?
        var fields: [(name: String, type: SchemaType)] = []
    }

    static let spec = ConfigKey<Spec>(
        "spec",
        type: .list,
        default: nil,
        defaultText: nil,
        importance: .high,
        valid: "list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>",
        "Fields with the type to cast each to, as field1:type,field2:type; or one type alone for the entire value. Types are "
            + "int8, int16, int32, int64, float32, float64, boolean and string. Bytes can be cast to string, as Base64."
    ) { text throws(ConfigIssue.Reason) in try parse(text) }
    .refusingNull(.whole("Must specify at least one field to cast."))
    static let keys: [any AnyConfigKey] = [spec, TransformKeys.replaceNull]

    private static let outputs = SchemaType.allCases.filter { $0.isPrimitive && $0 != .bytes }.map(\.constant)
    private static let inputs = SchemaType.allCases.filter(\.isPrimitive).map(\.constant)
    private static let purpose = "cast types"

    private let part: RecordPart
    private let casts: Spec
    private let replacesNull: Bool
    private let schemas = SchemaCache()

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        casts = try Self.spec.read(config)
        replacesNull = try TransformKeys.replaceNull.read(config)
    }

    private static func parse(_ text: String) throws(ConfigIssue.Reason) -> Spec {
        let items = try TransformKeys.items(text, .list("spec", ""))
        guard !items.isEmpty else { throw .whole("Must specify at least one field to cast.") }
        var spec = Spec()
        for item in items {
            let parts = javaSplit(item, by: ":").map { trimmed($0) }
            guard parts.count <= 2 else {
                throw .whole(
                    "Invalid value [\(items.joined(separator: ", "))] for configuration renames: "
                        + "Invalid rename mapping: \(item)"
                )
            }
            let type = try type(parts[parts.count - 1])
            if parts.count == 1 {
                spec.whole = type
            } else {
                spec.fields.removeAll { $0.name == parts[0] }
                spec.fields.append((parts[0], type))
            }
        }
        if spec.whole != nil, items.count > 1 {
            throw .whole(
                "Cast transformations that specify a type to cast the entire value to may only specify a single cast in"
                    + " their spec"
            )
        }
        return spec
    }

    private static func type(_ name: String) throws(ConfigIssue.Reason) -> SchemaType {
        let constant = name.uppercased()
        guard let type = SchemaType.allCases.first(where: { $0.constant == constant }) else {
            throw .whole(
                "Invalid value java.lang.IllegalArgumentException: No enum constant"
                    + " org.apache.kafka.connect.data.Schema.Type.\(constant) for configuration"
                    + " Invalid type found in casting spec: \(name)"
            )
        }
        guard outputs.contains(type.constant) else {
            throw .whole(
                "Cast transformation does not support casting to \(type.constant); supported types are"
                    + " [\(outputs.joined(separator: ", "))]"
            )
        }
        return type
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        if data.value.isNull { return record }
        guard let schema = data.schema else {
            if let whole = casts.whole {
                return part.write(SchemaAndValue(nil, try Self.cast(data.value, nil, whole)), to: record)
            }
            var map = try data.value.map(for: Self.purpose)
            for cast in casts.fields { map[cast.name] = try Self.cast(map[cast.name] ?? .null, nil, cast.type) }
            return part.write(SchemaAndValue(nil, .map(map)), to: record)
        }
        let updated = try schemas.schema(for: schema) { () throws(ConnectError) in try updatedSchema(schema) }
        if let whole = casts.whole {
            return part.write(SchemaAndValue(updated, try Self.cast(data.value, schema, whole)), to: record)
        }
        let source = try data.value.structure(for: Self.purpose)
        var result = try StructValue(updated)
        for field in source.schema.fields {
            var value = source.value(field, orDefault: replacesNull)
            if let type = type(of: field.name) { value = try Self.cast(value, field.schema, type) }
            if let target = updated.field(field.name) { try result.set(target, value) }
        }
        return part.write(SchemaAndValue(updated, .structure(result)), to: record)
    }

    private func type(of field: String) -> SchemaType? { casts.fields.first { $0.name == field }?.type }

    private func updatedSchema(_ schema: Schema) throws(ConnectError) -> Schema {
        var builder: SchemaBuilder
        if let whole = casts.whole {
            builder = SchemaBuilder(whole, name: schema.name, version: schema.version)
            builder.doc = schema.doc
            builder.parameters = schema.parameters
        } else {
            let fields = try schema.structFields()
            builder = SchemaBuilder(basicsOf: schema)
            for field in fields {
                guard let type = type(of: field.name) else {
                    try builder.add(field.name, field.schema)
                    continue
                }
                var fieldBuilder = SchemaBuilder(type, optional: field.schema.isOptional)
                if let standIn = field.schema.defaultValue {
                    try fieldBuilder.setDefault(try Self.cast(standIn, field.schema, type))
                }
                try builder.add(field.name, fieldBuilder.build())
            }
        }
        builder.isOptional = schema.isOptional
        if let standIn = schema.defaultValue {
            let cast = try Self.cast(standIn, schema, casts.whole ?? .structure)
            // A logical name that no longer fits its type makes the check refuse any default.
            try builder.setDefault(cast)
        }
        return builder.build()
    }

    private static func cast(_ original: Value, _ schema: Schema?, _ target: SchemaType) throws(ConnectError) -> Value {
        if original.isNull { return .null }
        guard let type = schema?.type ?? original.inferredType else {
            throw .data(
                "Cast transformation was passed a value of type class \(original.javaClass)"
                    + " which is not supported by Connect's data API"
            )
        }
        guard inputs.contains(type.constant) else {
            throw .data(
                "Cast transformation does not support casting from \(type.constant); supported types are"
                    + " [\(inputs.joined(separator: ", "))]"
            )
        }
        var value = original
        if let logical = schema?.logicalType, target != .string { value = try encoded(value, logical) }
        if target == .string { return .string(text(value)) }
        return try CastNumber.cast(value, target)
    }

    /// Dates become the numbers that Connect keeps them as.
    private static func encoded(_ value: Value, _ logical: LogicalType) throws(ConnectError) -> Value {
        guard logical != .decimal, case .date(let milliseconds) = value else { return value }
        switch logical {
        case .date:
            guard milliseconds % 86_400_000 == 0 else {
                throw .data("Kafka Connect Date type should not have any time fields set to non-zero values.")
            }
            return .int32(Int32(truncatingIfNeeded: milliseconds / 86_400_000))
        case .time:
            guard milliseconds >= 0, milliseconds <= 86_400_000 else {
                throw .data("Kafka Connect Time type should not have any date fields set to non-zero values.")
            }
            return .int32(Int32(truncatingIfNeeded: milliseconds))
        default: return .int64(milliseconds)
        }
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .date(let milliseconds): JavaDateFormat.forDate(milliseconds).text(milliseconds)
        case .bytes(let bytes): Base64.encode(bytes)
        default: value.javaText
        }
    }
}
