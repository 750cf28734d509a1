/// Writes values as JSON the way Kafka Connect's JsonConverter does, appending UTF-8 to a byte array.
///
/// ```swift
/// var body: [UInt8] = []
/// try JSONWriter().append(record.value.value, schema: record.value.schema, to: &body)
/// ```
public struct JSONWriter: Sendable {
    /// How decimals are written; raw values are the option's texts.
    public enum DecimalFormat: String, Sendable, Hashable, CaseIterable {
        /// A JSON number.
        case numeric = "NUMERIC"
        /// Base64 of the unscaled value's bytes; needs the schema's scale.
        case base64 = "BASE64"
    }

    /// How decimals are written.
    public var decimals: DecimalFormat
    /// Whether a null field is written as its schema's default.
    public var replacesNullWithDefault: Bool
    /// Whether values without schema are written that JsonConverter refuses: dates as milliseconds, decimals and big
    /// integers as numbers, structs by their own schema.
    public var isLenient: Bool

    /// Makes a writer; the defaults are JsonConverter's.
    public init(decimals: DecimalFormat = .base64, replacesNullWithDefault: Bool = true, lenient: Bool = false) {
        (self.decimals, self.replacesNullWithDefault, isLenient) = (decimals, replacesNullWithDefault, lenient)
    }

    /// Appends the value as JSON.
    ///
    /// Throws a `DataException` when it does not fit its schema; `json` then ends in a fragment.
    public func append(_ value: Value, schema: Schema? = nil, to json: inout [UInt8]) throws(ConnectError) {
        if value.isNull {
            guard let schema else { return Self.append("null", to: &json) }
            if replacesNullWithDefault, let standIn = schema.defaultValue {
                return try append(standIn, schema: schema, to: &json)
            }
            guard schema.isOptional else {
                throw .data("Conversion error: null value for field that is required and has no default value")
            }
            return Self.append("null", to: &json)
        }
        guard let schema else { return try appendByClass(value, to: &json) }
        if let logical = schema.logicalType { return try append(value, logical, schema, to: &json) }
        switch (schema.type, value) {
        case (.array, .array(let elements)): try append(elements, of: schema.valueSchema, to: &json)
        case (.map, .map(let map)): try append(map, schema, to: &json)
        case (.structure, .structure(let structure)):
            guard isLenient || structure.schema == schema else { throw .data("Mismatching schema.") }
            try append(structure, to: &json)
        case (.bytes, _):
            guard case .bytes(let bytes) = value else {
                throw .data("Invalid type for bytes type: class \(value.javaClass)")
            }
            Self.append(base64: bytes, to: &json)
        default:
            guard schema.type.isPrimitive, value.inferredType == schema.type else {
                throw .data("Invalid type for \(schema.type.constant): class \(value.javaClass)")
            }
            try appendByClass(value, to: &json)
        }
    }

    private func appendByClass(_ value: Value, to json: inout [UInt8]) throws(ConnectError) {
        switch value {
        case .null: Self.append("null", to: &json)
        case .boolean(let flag): Self.append(flag ? "true" : "false", to: &json)
        case .int8(let number): Self.append(integer: Int64(number), to: &json)
        case .int16(let number): Self.append(integer: Int64(number), to: &json)
        case .int32(let number): Self.append(integer: Int64(number), to: &json)
        case .int64(let number): Self.append(integer: number, to: &json)
        case .float32(let number): Self.append(float: JavaNumber.text(number), isFinite: number.isFinite, to: &json)
        case .float64(let number): Self.append(float: JavaNumber.text(number), isFinite: number.isFinite, to: &json)
        case .number(let number): json.append(contentsOf: number.text.utf8)
        case .string(let text): Self.append(string: text, to: &json)
        case .bytes(let bytes): Self.append(base64: bytes, to: &json)
        case .array(let elements): try append(elements, of: nil, to: &json)
        case .map(let map): try append(map, nil, to: &json)
        case .structure(let structure) where isLenient: try append(structure, to: &json)
        case .structure: throw .data("Mismatching schema.")
        case .decimal(let number) where isLenient: json.append(contentsOf: number.description.utf8)
        case .bigInteger(let number) where isLenient: json.append(contentsOf: number.description.utf8)
        case .date(let milliseconds) where isLenient: Self.append(integer: milliseconds, to: &json)
        case .decimal, .bigInteger, .date:
            throw .data("Java class class \(value.javaClass) does not have corresponding schema type.")
        }
    }

    private func append(_ elements: [Value], of schema: Schema?, to json: inout [UInt8]) throws(ConnectError) {
        json.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            try append(element, schema: schema, to: &json)
        }
        json.append(UInt8(ascii: "]"))
    }

    private func append(_ structure: StructValue, to json: inout [UInt8]) throws(ConnectError) {
        json.append(UInt8(ascii: "{"))
        for field in structure.schema.fields {
            if field.index > 0 { json.append(UInt8(ascii: ",")) }
            Self.append(string: field.name, to: &json)
            json.append(UInt8(ascii: ":"))
            try append(structure.values[field.index], schema: field.schema, to: &json)
        }
        json.append(UInt8(ascii: "}"))
    }

    /// Maps with text keys are objects, others lists of pairs.
    private func append(_ map: MapValue, _ schema: Schema?, to json: inout [UInt8]) throws(ConnectError) {
        let isObject =
            schema.map { $0.keySchema?.type == .string }
            ?? map.entries.allSatisfy { if case .string = $0.key { true } else { false } }
        json.append(UInt8(ascii: isObject ? "{" : "["))
        for (index, entry) in map.entries.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            if isObject {
                guard case .string(let name) = entry.key else {
                    throw .data("Invalid type for STRING: class \(entry.key.javaClass)")
                }
                Self.append(string: name, to: &json)
                json.append(UInt8(ascii: ":"))
                try append(entry.value, schema: schema?.valueSchema, to: &json)
            } else {
                json.append(UInt8(ascii: "["))
                try append(entry.key, schema: schema?.keySchema, to: &json)
                json.append(UInt8(ascii: ","))
                try append(entry.value, schema: schema?.valueSchema, to: &json)
                json.append(UInt8(ascii: "]"))
            }
        }
        json.append(UInt8(ascii: isObject ? "}" : "]"))
    }
}

extension JSONWriter {
    private static let millisecondsPerDay: Int64 = 86_400_000

    private func append(
        _ value: Value,
        _ logical: LogicalType,
        _ schema: Schema,
        to json: inout [UInt8]
    ) throws(ConnectError) {
        if logical == .decimal {
            guard case .decimal(let number) = value else {
                throw .data("Invalid type for Decimal, expected BigDecimal but was class \(value.javaClass)")
            }
            if decimals == .numeric { return json.append(contentsOf: number.description.utf8) }
            let scale = try schema.decimalScale()
            guard scale == number.scale else {
                throw .data(
                    "Decimal value has mismatching scale for given Decimal schema. "
                        + "Schema has scale \(scale), value has scale \(number.scale)."
                )
            }
            return Self.append(base64: number.unscaled.twosComplement, to: &json)
        }
        guard case .date(let milliseconds) = value else {
            let name = logical == .date ? "Date" : logical == .time ? "Time" : "Timestamp"
            throw .data("Invalid type for \(name), expected Date but was class \(value.javaClass)")
        }
        switch logical {
        case .date:
            guard milliseconds % Self.millisecondsPerDay == 0 else {
                throw .data("Kafka Connect Date type should not have any time fields set to non-zero values.")
            }
            Self.append(integer: milliseconds / Self.millisecondsPerDay, to: &json)
        case .time:
            guard milliseconds >= 0, milliseconds <= Self.millisecondsPerDay else {
                throw .data("Kafka Connect Time type should not have any date fields set to non-zero values.")
            }
            Self.append(integer: milliseconds, to: &json)
        default: Self.append(integer: milliseconds, to: &json)
        }
    }

    /// Appends text in quotes, escaped as Jackson does: what JSON asks for, and characters beyond the BMP as two `\u`.
    public static func append(string: String, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        let bytes = string.utf8.span
        var isPlain = true
        for index in bytes.indices where needsEscape(bytes[index]) {
            isPlain = false
            break
        }
        if isPlain {
            json.append(contentsOf: string.utf8)
        } else {
            for scalar in string.unicodeScalars { append(escaping: scalar, to: &json) }
        }
        json.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte >= 0xF0
    }

    private static func append(escaping scalar: Unicode.Scalar, to json: inout [UInt8]) {
        switch scalar {
        case "\"", "\\": json.append(contentsOf: [UInt8(ascii: "\\"), UInt8(scalar.value)])
        case "\u{8}": append("\\b", to: &json)
        case "\t": append("\\t", to: &json)
        case "\n": append("\\n", to: &json)
        case "\u{C}": append("\\f", to: &json)
        case "\r": append("\\r", to: &json)
        default:
            if scalar.value < 0x20 || scalar.value > 0xFFFF {
                for unit in String(scalar).utf16 {
                    append("\\u", to: &json)
                    for shift in stride(from: 12, through: 0, by: -4) {
                        json.append(Array("0123456789ABCDEF".utf8)[Int(unit >> UInt16(shift) & 15)])
                    }
                }
            } else {
                json.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }

    /// Appends a whole number without making text of it first.
    public static func append(integer: Int64, to json: inout [UInt8]) {
        if integer < 0 { json.append(UInt8(ascii: "-")) }
        var left = integer.magnitude
        let start = json.count
        repeat {
            json.append(UInt8(ascii: "0") + UInt8(left % 10))
            left /= 10
        } while left > 0
        json[start...].reverse()
    }

    /// NaN and the infinities are text, as JSON has no such numbers.
    private static func append(float text: String, isFinite: Bool, to json: inout [UInt8]) {
        if !isFinite { json.append(UInt8(ascii: "\"")) }
        json.append(contentsOf: text.utf8)
        if !isFinite { json.append(UInt8(ascii: "\"")) }
    }

    /// Appends bytes as Base64 in quotes.
    public static func append(base64 bytes: [UInt8], to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        Base64.append(bytes, to: &json)
        json.append(UInt8(ascii: "\""))
    }

    private static func append(_ text: StaticString, to json: inout [UInt8]) {
        json.append(contentsOf: "\(text)".utf8)
    }
}
