internal import ConnectModel

/// Writes values of answers: JSON as JsonConverter's with plain decimals, and hints where it does not tell the class.
struct EvaluationWriting {
    private(set) var payload: [UInt8] = []

    /// Appends `"schema":…,"payload":…` and, where needed, `"types":…`.
    static func append(_ data: SchemaAndValue, to json: inout [UInt8]) {
        json += Array(#""schema":"#.utf8)
        json += schema(data.schema)
        var writing = EvaluationWriting()
        let hint = writing.write(data.value, data.schema)
        json += Array(#","payload":"#.utf8) + writing.payload
        if let hint { json += Array(#","types":"#.utf8) + hint }
    }

    private static func schema(_ schema: Schema?) -> [UInt8] {
        guard let schema else { return Array("null".utf8) }
        var json: [UInt8] = []
        do {
            try JSONWriter(decimals: .numeric, replacesNullWithDefault: false, lenient: true)
                .append(schema: schema, to: &json)
        } catch { return Array("null".utf8) }
        return json
    }

    private mutating func put(_ text: String) { payload.append(contentsOf: text.utf8) }

    /// Writes the payload and returns its hint.
    private mutating func write(_ value: Value, _ schema: Schema?) -> [UInt8]? {
        switch value {
        case .null: put("null")
        case .structure(let structure): return write(structure)
        case .array(let elements):
            let hints = write(elements, schema?.type == .array ? schema?.valueSchema : nil)
            return hints ?? (schema.map { $0.type != .array } == true ? hint("list") : nil)
        case .map(let map):
            let hints = write(map, schema?.type == .map ? schema : nil)
            return hints ?? (schema.map { $0.type != .map } == true ? hint("map") : nil)
        case .number(let number): return write(number.asConnect, schema)
        case .date(let milliseconds):
            if schema?.logicalType == .date, milliseconds % 86_400_000 == 0 {
                put("\(milliseconds / 86_400_000)")
            } else {
                put("\(milliseconds)")
                if schema?.logicalType != .time, schema?.logicalType != .timestamp { return hint("date") }
            }
        case .decimal(let number):
            put(number.description)
            let scale = schema?.logicalType == .decimal ? try? schema?.decimalScale() : nil
            return scale == number.scale ? nil : hint("decimal(\(number.scale))")
        case .bigInteger(let number):
            put(number.description)
            return hint("bigint")
        default: return writeScalar(value, schema)
        }
        return nil
    }

    private func hint(_ name: String) -> [UInt8] { Array("\"\(name)\"".utf8) }

    private mutating func writeScalar(_ value: Value, _ schema: Schema?) -> [UInt8]? {
        // These always have a text; only decimals, dates and containers can be refused.
        try? JSONWriter(lenient: true).append(value, to: &payload)
        if let schema {
            return schema.logicalType == nil && schema.type == value.inferredType ? nil : hint(Self.name(value))
        }
        switch value {
        case .boolean, .int64, .string: return nil
        case .float64(let number) where number.isFinite && number != number.rounded(): return nil
        default: return hint(Self.name(value))
        }
    }

    private static func name(_ value: Value) -> String {
        switch value {
        case .float32: "float32"
        case .float64: "float64"
        default: value.inferredType?.rawValue ?? "date"
        }
    }

    private mutating func write(_ structure: StructValue) -> [UInt8]? {
        var hints: [(String, [UInt8])] = []
        put("{")
        for field in structure.schema.fields {
            if field.index > 0 { put(",") }
            JSONWriter.append(string: field.name, to: &payload)
            put(":")
            if let hint = write(structure.values[field.index], field.schema) { hints.append((field.name, hint)) }
        }
        put("}")
        return Self.object(hints)
    }

    private static func object(_ hints: [(String, [UInt8])]) -> [UInt8]? {
        if hints.isEmpty { return nil }
        var json: [UInt8] = []
        for (name, hint) in hints {
            json.append(UInt8(ascii: json.isEmpty ? "{" : ","))
            JSONWriter.append(string: name, to: &json)
            json.append(UInt8(ascii: ":"))
            json += hint
        }
        return json + [UInt8(ascii: "}")]
    }

    private static func list(_ hints: [[UInt8]?]) -> [UInt8] {
        let all = hints.map { $0 ?? Array("null".utf8) }
        return [UInt8(ascii: "[")] + Array(all.joined(separator: [UInt8(ascii: ",")])) + [UInt8(ascii: "]")]
    }

    private mutating func write(_ elements: [Value], _ schema: Schema?) -> [UInt8]? {
        var hints: [[UInt8]?] = []
        put("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { put(",") }
            hints.append(write(element, schema))
        }
        put("]")
        return hints.contains { $0 != nil } ? Self.list(hints) : nil
    }

    /// Maps with text keys are objects; others are pairs, which a hint says where the schema does not.
    private mutating func write(_ map: MapValue, _ schema: Schema?) -> [UInt8]? {
        let hasTextKeys = map.entries.allSatisfy { if case .string = $0.key { true } else { false } }
        let isObject = schema.map { $0.keySchema?.type == .string && hasTextKeys } ?? hasTextKeys
        put(isObject ? "{" : "[")
        var named: [(String, [UInt8])] = []
        var pairs: [[UInt8]?] = []
        for (index, entry) in map.entries.enumerated() {
            if index > 0 { put(",") }
            if isObject, case .string(let name) = entry.key {
                JSONWriter.append(string: name, to: &payload)
                put(":")
                if let hint = write(entry.value, schema?.valueSchema) { named.append((name, hint)) }
            } else {
                put("[")
                let key = write(entry.key, schema?.keySchema)
                put(",")
                let value = write(entry.value, schema?.valueSchema)
                put("]")
                pairs.append(key == nil && value == nil ? nil : Self.list([key, value]))
            }
        }
        put(isObject ? "}" : "]")
        if isObject { return Self.object(named) }
        if schema?.keySchema != nil, pairs.allSatisfy({ $0 == nil }) { return nil }
        return Array(#"{"pairs":"#.utf8) + Self.list(pairs) + [UInt8(ascii: "}")]
    }
}
