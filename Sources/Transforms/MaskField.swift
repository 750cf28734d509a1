internal import ConnectConfig
internal import ConnectModel

/// Puts nothing, or a replacement, in the place of fields' values.
struct MaskField: Transform {
    static let fields = TransformKeys.distinctList("fields", "The fields to mask.")
    static let replacement = ConfigKey<String?>(
        "replacement",
        type: .string,
        default: .some(nil),
        defaultText: nil,
        importance: .low,
        valid: "non-empty string",
        "What numbers and texts are replaced by; without it numbers become 0, texts empty, booleans false."
    ) { text throws(ConfigIssue.Reason) in
        let text = trimmed(text)
        guard !text.isEmpty else { throw ConfigIssue.Reason("String must be non-empty").showing("") }
        return text
    }
    static let keys: [any AnyConfigKey] = [fields, replacement, TransformKeys.replaceNull]
    private static let purpose = "mask fields"

    private let part: RecordPart
    private let fields: [String]
    private let replacement: String?
    private let replacesNull: Bool

    init(_ part: RecordPart, _ config: [String: String]) throws(ConnectError) {
        self.part = part
        fields = try Self.fields.read(config)
        replacement = try Self.replacement.read(config)
        replacesNull = try TransformKeys.replaceNull.read(config)
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        let data = part.read(record)
        guard data.schema != nil else {
            var map = try data.value.map(for: Self.purpose)
            for field in fields { map[field] = try masked(map[field] ?? .null) }
            return part.write(SchemaAndValue(nil, .map(map)), to: record)
        }
        let source = try data.value.structure(for: Self.purpose)
        var result = try StructValue(source.schema)
        for field in source.schema.fields {
            let value = source.value(field, orDefault: replacesNull)
            try result.set(field, fields.contains(field.name) ? try masked(value) : value)
        }
        return part.write(SchemaAndValue(data.schema, .structure(result)), to: record)
    }

    private func masked(_ value: Value) throws(ConnectError) -> Value {
        if value.isNull { return .null }
        if case .number(let number) = value { return try masked(number.asConnect) }
        if let replacement { return try replaced(value, replacement) }
        switch value {
        case .boolean: return .boolean(false)
        case .int8: return .int8(0)
        case .int16: return .int16(0)
        case .int32: return .int32(0)
        case .int64: return .int64(0)
        case .float32: return .float32(0)
        case .float64: return .float64(0)
        case .bigInteger: return .bigInteger(BigInteger(0))
        case .decimal: return .decimal(Decimal(0))
        case .date: return .date(0)
        case .string: return .string("")
        case .array: return .array([])
        case .map: return .map(MapValue())
        default: throw .data("Cannot mask value of type: class \(value.javaClass)")
        }
    }

    private func replaced(_ value: Value, _ text: String) throws(ConnectError) -> Value {
        switch value {
        case .int8: return .int8(Int8(truncatingIfNeeded: try whole(text)))
        case .int16: return .int16(Int16(truncatingIfNeeded: try whole(text)))
        case .int32: return .int32(Int32(truncatingIfNeeded: try whole(text)))
        case .int64: return .int64(try whole(text))
        case .float32: return .float32(Float(try number(text).doubleValue))
        case .float64: return .float64(try number(text).doubleValue)
        case .string: return .string(text)
        case .decimal:
            guard let number = Decimal(text) else { throw notNumber(text, "number") }
            return .decimal(number)
        case .bigInteger:
            guard let number = BigInteger(text) else { throw notNumber(text, "number") }
            return .bigInteger(number)
        default: throw .data("Cannot mask value of type class \(value.javaClass) with custom replacement.")
        }
    }

    private func number(_ text: String) throws(ConnectError) -> Decimal {
        guard let number = Decimal(text) else { throw notNumber(text, "a number") }
        return number
    }

    private func whole(_ text: String) throws(ConnectError) -> Int64 {
        guard case .int64(let whole) = try CastNumber.cast(.decimal(try number(text)), .int64) else { return 0 }
        return whole
    }

    private func notNumber(_ text: String, _ what: String) -> ConnectError {
        .data("Unable to convert \(text) (class java.lang.String) to \(what)")
    }
}
