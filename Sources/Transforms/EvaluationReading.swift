internal import ConnectModel

/// Reads the values of questions: JSON with a schema, and hints about classes where JSON does not say.
enum EvaluationReading {
    private static func malformed(_ what: String) -> ConnectError {
        ConnectError(.illegalArgument, "question: \(what)")
    }

    static func data(_ json: Value) throws(ConnectError) -> SchemaAndValue {
        guard case .map(let map) = json else { throw malformed("expected an object with schema and payload") }
        let schema = try schema(map["schema"] ?? .null)
        return SchemaAndValue(schema, try value(map["payload"] ?? .null, schema, map["types"] ?? .null))
    }

    /// A schema as JsonConverter writes it; element schemas may be null.
    static func schema(_ json: Value) throws(ConnectError) -> Schema? {
        if json.isNull { return nil }
        guard case .map(let map) = json, case .string(let name)? = map["type"], let type = SchemaType(rawValue: name)
        else { throw malformed("a schema without a known type") }
        var builder = SchemaBuilder(type, optional: map["optional"] == .boolean(true))
        if case .string(let name)? = map["name"] { builder.name = name }
        if case .int64(let version)? = map["version"] { builder.version = Int32(truncatingIfNeeded: version) }
        if case .string(let doc)? = map["doc"] { builder.doc = doc }
        if case .map(let parameters)? = map["parameters"] {
            builder.parameters = parameters.entries.map { ($0.key.javaText, $0.value.javaText) }
        }
        builder.keySchema = try schema(map["keys"] ?? .null)
        builder.valueSchema = try schema((type == .array ? map["items"] : map["values"]) ?? .null)
        if case .array(let fields)? = map["fields"] {
            for field in fields {
                guard case .map(let parts) = field, case .string(let name)? = parts["field"],
                    let schema = try schema(field)
                else { throw malformed("a field without name or schema") }
                try builder.add(name, schema)
            }
        }
        if let standIn = map["default"] {
            builder.setDefault(unchecked: try value(standIn, builder.build(), .null))
        }
        return builder.build()
    }

    static func value(_ json: Value, _ schema: Schema?, _ hint: Value) throws(ConnectError) -> Value {
        if json.isNull { return .null }
        if case .string(let hint) = hint { return try hinted(json, hint) }
        switch json {
        case .map(let map): return try object(map, schema, hint)
        case .array(let elements): return try list(elements, schema, hint)
        default: return try scalar(json, schema)
        }
    }

    private static func object(_ map: MapValue, _ schema: Schema?, _ hint: Value) throws(ConnectError) -> Value {
        var hints = MapValue()
        if case .map(let given) = hint { hints = given }
        if let schema, schema.type == .structure {
            var structure = try StructValue(schema)
            for field in schema.fields {
                let value = try value(map[field.name] ?? .null, field.schema, hints[field.name] ?? .null)
                structure.set(unchecked: value, at: field.index)
            }
            return .structure(structure)
        }
        var entries: [MapValue.Entry] = []
        for entry in map.entries {
            let value = try value(entry.value, schema?.valueSchema, hints[entry.key] ?? .null)
            entries.append(.init(key: entry.key, value: value))
        }
        return .map(MapValue(entries))
    }

    private static func list(_ elements: [Value], _ schema: Schema?, _ hint: Value) throws(ConnectError) -> Value {
        var pairHints: [Value]?
        if case .map(let map) = hint, case .array(let pairs)? = map["pairs"] { pairHints = pairs }
        if pairHints != nil || schema?.type == .map {
            var entries: [MapValue.Entry] = []
            for (index, element) in elements.enumerated() {
                guard case .array(let pair) = element, pair.count == 2 else { throw malformed("a map's pair") }
                var hints: [Value] = [.null, .null]
                if let pairHints, index < pairHints.count, case .array(let both) = pairHints[index], both.count == 2 {
                    hints = both
                }
                let key = try value(pair[0], schema?.keySchema, hints[0])
                entries.append(.init(key: key, value: try value(pair[1], schema?.valueSchema, hints[1])))
            }
            return .map(MapValue(lastOfEachKey: entries))
        }
        var hints: [Value] = []
        if case .array(let given) = hint { hints = given }
        var values: [Value] = []
        for (index, element) in elements.enumerated() {
            values.append(try value(element, schema?.valueSchema, index < hints.count ? hints[index] : .null))
        }
        return .array(values)
    }

    private static func scalar(_ json: Value, _ schema: Schema?) throws(ConnectError) -> Value {
        guard let schema else {
            if case .number(let number) = json { return .float64(number.doubleValue) }
            return json
        }
        switch schema.logicalType {
        case .decimal: return try hinted(json, "decimal(\(try schema.decimalScale()))")
        case .date:
            guard case .int64(let days) = json else { throw malformed("a date that is no number") }
            return .date(days * 86_400_000)
        case .time, .timestamp: return try hinted(json, "date")
        case nil: break
        }
        switch schema.type {
        case .float32, .float64:
            return try hinted(json, schema.type == .float32 ? "float32" : "float64")
        case .array, .map, .structure: throw malformed("a scalar where the schema says \(schema.type.rawValue)")
        default: return try hinted(json, schema.type.rawValue)
        }
    }

    private static func hinted(_ json: Value, _ hint: String) throws(ConnectError) -> Value {
        let value: Value? =
            switch hint {
            case "int8": integer(json).map { .int8(Int8(truncatingIfNeeded: $0)) }
            case "int16": integer(json).map { .int16(Int16(truncatingIfNeeded: $0)) }
            case "int32": integer(json).map { .int32(Int32(truncatingIfNeeded: $0)) }
            case "int64": integer(json).map { .int64($0) }
            case "date": integer(json).map { .date($0) }
            case "float32": text(json).flatMap { Float($0) }.map { .float32($0) }
            case "float64": text(json).flatMap { Double($0) }.map { .float64($0) }
            case "bigint": text(json).flatMap { BigInteger($0) }.map { .bigInteger($0) }
            case "bytes": text(json).flatMap { Base64.decode($0.utf8) }.map { .bytes($0) }
            case "boolean", "string": json
            case "list", "map": try self.value(json, nil, .null)
            default: decimal(json, hint)
            }
        guard let value else { throw malformed("a value that is no \(hint)") }
        return value
    }

    private static func integer(_ json: Value) -> Int64? {
        switch json {
        case .int64(let number): number
        case .number(let number): number.decimal?.rescaled(0)?.unscaled.int64
        default: nil
        }
    }

    private static func text(_ json: Value) -> String? {
        switch json {
        case .int64(let number): "\(number)"
        case .number(let number): number.text
        case .string("Infinity"): "inf"
        case .string("-Infinity"): "-inf"
        case .string(let text): text
        default: nil
        }
    }

    private static func decimal(_ json: Value, _ hint: String) -> Value? {
        guard hint.hasPrefix("decimal("), let scale = Int32(hint.dropFirst(8).dropLast()) else { return nil }
        return text(json).flatMap { Decimal($0) }?.rescaled(scale).map { .decimal($0) }
    }
}
