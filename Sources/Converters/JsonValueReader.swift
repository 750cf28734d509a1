internal import ConnectModel

/// Turns JSON into values of a schema, with Jackson's readings of what does not fit.
struct JsonValueReader: Sendable {
    let replacesNullWithDefault: Bool

    /// What Kafka Connect makes of blank bytes: they are no null, but Jackson's missing node.
    ///
    /// Numbers are 0, texts null, lists empty, as for any other node of the wrong type; only messages name it.
    func valueOfNothing(_ schema: Schema) throws(ConnectError) -> Value {
        do throws(ConnectError) { return try value(.boolean(false), schema) } catch {
            throw .data(error.message.replacing("BOOLEAN", with: "MISSING"))
        }
    }

    func value(_ json: Value, _ schema: Schema?) throws(ConnectError) -> Value {
        guard let schema else { return json }
        if json.isNull {
            if replacesNullWithDefault, let standIn = schema.defaultValue { return standIn }
            if schema.isOptional { return .null }
            throw .data("Invalid null value for required \(schema.type.constant) field")
        }
        if let logical = schema.logicalType { return try value(json, logical, schema) }
        switch schema.type {
        case .boolean: return .boolean(json == .boolean(true))
        case .int8: return .int8(Int8(truncatingIfNeeded: JsonNode.long(json)))
        case .int16: return .int16(Int16(truncatingIfNeeded: JsonNode.long(json)))
        case .int32: return .int32(Int32(truncatingIfNeeded: JsonNode.long(json)))
        case .int64: return .int64(JsonNode.long(json))
        case .float32: return .float32(JsonNode.float(json))
        case .float64: return .float64(JsonNode.double(json))
        case .string:
            if case .string = json { return json }
            return .null
        case .bytes:
            guard case .string(let text) = json else { return .null }
            guard let bytes = Base64.decode(Array(text.utf8).filter { $0 > 0x20 }) else {
                throw .data("Invalid bytes field")
            }
            return .bytes(bytes)
        case .array: return try array(json, schema)
        case .map: return try map(json, schema)
        case .structure: return try structure(json, schema)
        }
    }

    private func array(_ json: Value, _ schema: Schema) throws(ConnectError) -> Value {
        let source: [Value] =
            switch json {
            case .array(let elements): elements
            case .map(let map): map.entries.map(\.value)
            default: []
            }
        var elements: [Value] = []
        for element in source { elements.append(try value(element, schema.valueSchema)) }
        return .array(elements)
    }

    private func map(_ json: Value, _ schema: Schema) throws(ConnectError) -> Value {
        var entries: [MapValue.Entry] = []
        if schema.keySchema?.type == .string {
            guard case .map(let map) = json else {
                throw .data(
                    "Maps with string fields should be encoded as JSON objects, but found \(JsonNode.type(json))"
                )
            }
            for entry in map.entries {
                entries.append(.init(key: entry.key, value: try value(entry.value, schema.valueSchema)))
            }
            return .map(MapValue(entries))
        }
        guard case .array(let pairs) = json else {
            throw .data(
                "Maps with non-string fields should be encoded as JSON array of tuples, but found \(JsonNode.type(json))"
            )
        }
        for pair in pairs {
            guard case .array(let parts) = pair else {
                throw .data("Found invalid map entry instead of array tuple: \(JsonNode.type(pair))")
            }
            guard parts.count == 2 else {
                throw .data("Found invalid map entry, expected length 2 but found :\(parts.count)")
            }
            let key = try value(parts[0], schema.keySchema)
            entries.append(.init(key: key, value: try value(parts[1], schema.valueSchema)))
        }
        return .map(MapValue(lastOfEachKey: entries))
    }

    private func structure(_ json: Value, _ schema: Schema) throws(ConnectError) -> Value {
        guard case .map(let map) = json else {
            throw .data("Structs should be encoded as JSON objects, but found \(JsonNode.type(json))")
        }
        var structure = try StructValue(schema)
        for field in schema.fields {
            try structure.set(field, try value(map[field.name] ?? .null, field.schema))
        }
        return .structure(structure)
    }

    private func value(_ json: Value, _ logical: LogicalType, _ schema: Schema) throws(ConnectError) -> Value {
        switch logical {
        case .decimal:
            switch json {
            case .int64(let number): return .decimal(Decimal(number))
            case .number(let number):
                guard let decimal = number.decimal else { throw .data("Invalid bytes for Decimal field") }
                return .decimal(decimal)
            case .string(let text):
                guard let bytes = Base64.decode(Array(text.utf8).filter { $0 > 0x20 }), !bytes.isEmpty,
                    let scale = try? schema.decimalScale()
                else { throw .data("Invalid bytes for Decimal field") }
                return .decimal(Decimal(twosComplement: bytes, scale: scale))
            default:
                throw .data(
                    "Invalid type for Decimal, underlying representation should be numeric or bytes but was "
                        + JsonNode.type(json)
                )
            }
        case .date, .time:
            guard case .int64(let number) = json, let small = Int32(exactly: number) else {
                let name = logical == .date ? "Date" : "Time"
                throw .data(
                    "Invalid type for \(name), underlying representation should be integer but was \(JsonNode.type(json))"
                )
            }
            if logical == .date { return .date(Int64(small) * 86_400_000) }
            guard small >= 0, small <= 86_400_000 else {
                throw .data("Time values must use number of milliseconds greater than 0 and less than 86400000")
            }
            return .date(Int64(small))
        case .timestamp:
            guard let number = JsonNode.integer(json) else {
                throw .data(
                    "Invalid type for Timestamp, underlying representation should be integral but was "
                        + JsonNode.type(json)
                )
            }
            return .date(number)
        }
    }
}

/// Jackson's view of a JSON value.
enum JsonNode {
    /// The name of Jackson's `JsonNodeType`.
    static func type(_ json: Value) -> String {
        switch json {
        case .map: "OBJECT"
        case .array: "ARRAY"
        case .string: "STRING"
        case .boolean: "BOOLEAN"
        case .null: "NULL"
        default: "NUMBER"
        }
    }

    /// A whole number, wrapped around to 64 bits; nil for anything else.
    static func integer(_ json: Value) -> Int64? {
        switch json {
        case .int64(let number): number
        case .number(let number) where number.isIntegral: BigInteger(number.text)?.wrapped
        default: nil
        }
    }

    /// `longValue`: the low 64 bits of the whole part; 0 for what is no number.
    static func long(_ json: Value) -> Int64 {
        if let integer = integer(json) { return integer }
        guard case .number(let number) = json, let decimal = number.decimal else { return 0 }
        // Beyond 2 to the power of 64 times ten to the 64th, all low bits are zero.
        if decimal.scale < -200 { return 0 }
        if Int(decimal.scale) > decimal.precision { return 0 }
        return decimal.integerPart.wrapped
    }

    /// `doubleValue`: 0 for what is no number.
    static func double(_ json: Value) -> Double {
        switch json {
        case .int64(let number): Double(number)
        case .number(let number): number.doubleValue
        default: 0
        }
    }

    /// `floatValue`: rounded once from the text.
    static func float(_ json: Value) -> Float {
        switch json {
        case .int64(let number): Float(number)
        case .number(let number): (Float(number.text) ?? .nan) + 0
        default: 0
        }
    }
}
