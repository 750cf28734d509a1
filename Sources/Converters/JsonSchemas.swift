internal import ConnectModel

/// Writes schemas as JsonConverter's envelope has them.
struct JsonSchemaWriter {
    let writer: JSONWriter

    func append(_ schema: Schema, field: String? = nil, to json: inout [UInt8]) throws(ConnectError) {
        json.append(contentsOf: "{\"type\":\"\(schema.type.rawValue)\"".utf8)
        switch schema.type {
        case .array: try append("items", schema.valueSchema, to: &json)
        case .map:
            try append("keys", schema.keySchema, to: &json)
            try append("values", schema.valueSchema, to: &json)
        case .structure:
            json.append(contentsOf: #","fields":["#.utf8)
            for field in schema.fields {
                if field.index > 0 { json.append(UInt8(ascii: ",")) }
                try append(field.schema, field: field.name, to: &json)
            }
            json.append(UInt8(ascii: "]"))
        default: break
        }
        json.append(contentsOf: ",\"optional\":\(schema.isOptional)".utf8)
        if let name = schema.name { append("name", text: name, to: &json) }
        if let version = schema.version { json.append(contentsOf: ",\"version\":\(version)".utf8) }
        if let doc = schema.doc { append("doc", text: doc, to: &json) }
        if !schema.parameters.isEmpty {
            json.append(contentsOf: #","parameters":{"#.utf8)
            for (index, parameter) in schema.parameters.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                JSONWriter.append(string: parameter.name, to: &json)
                json.append(UInt8(ascii: ":"))
                JSONWriter.append(string: parameter.value, to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
        if let standIn = schema.defaultValue {
            json.append(contentsOf: #","default":"#.utf8)
            try writer.append(standIn, schema: schema, to: &json)
        }
        if let field { append("field", text: field, to: &json) }
        json.append(UInt8(ascii: "}"))
    }

    private func append(_ name: String, _ schema: Schema?, to json: inout [UInt8]) throws(ConnectError) {
        json.append(contentsOf: ",\"\(name)\":".utf8)
        guard let schema else { return json.append(contentsOf: "null".utf8) }
        try append(schema, to: &json)
    }

    private func append(_ name: String, text: String, to json: inout [UInt8]) {
        json.append(contentsOf: ",\"\(name)\":".utf8)
        JSONWriter.append(string: text, to: &json)
    }
}

extension JsonValueReader {
    /// The schema that JSON describes. Throws a `DataException` or `SchemaBuilderException` when it does not.
    func schema(_ json: Value) throws(ConnectError) -> Schema? {
        if json.isNull { return nil }
        guard case .map(let map) = json, case .string(let type)? = map["type"] else {
            throw .data("Schema must contain 'type' field")
        }
        var builder = try builder(type, map)
        builder.isOptional = map["optional"] == .boolean(true)
        if case .string(let name)? = map["name"] { builder.name = name }
        if let version = map["version"].flatMap(JsonNode.integer) { builder.version = Int32(truncatingIfNeeded: version) }
        if case .string(let doc)? = map["doc"] { builder.doc = doc }
        if case .map(let parameters)? = map["parameters"] {
            for entry in parameters.entries {
                guard case .string(let name) = entry.key, case .string(let value) = entry.value else {
                    throw .data("Schema parameters must have string values.")
                }
                builder.parameters.append((name, value))
            }
        }
        if let standIn = map["default"] {
            let value = try value(standIn, builder.build())
            // Connect compares the struct's schema with one that is still being built, which never are the same.
            guard builder.type != .structure || value.isNull else {
                throw ConnectError(.schemaBuilder, "Invalid default value")
            }
            try builder.setDefault(value)
            if value.isNull { builder.setDefault(unchecked: nil) }
        }
        return builder.build()
    }

    private func builder(_ type: String, _ map: MapValue) throws(ConnectError) -> SchemaBuilder {
        switch type {
        case "array":
            guard let items = map["items"], !items.isNull else {
                throw .data("Array schema did not specify the element type")
            }
            return .array(of: try schema(items))
        case "map":
            guard let keys = map["keys"] else { throw .data("Map schema did not specify the key type") }
            guard let values = map["values"] else { throw .data("Map schema did not specify the value type") }
            return .map(try schema(keys), try schema(values))
        case "struct":
            var builder = SchemaBuilder(.structure)
            guard case .array(let fields)? = map["fields"] else {
                throw .data("Struct schema's \"fields\" argument is not an array.")
            }
            for field in fields {
                guard case .map(let parts) = field, case .string(let name)? = parts["field"] else {
                    throw .data("Struct schema's field name not specified properly")
                }
                guard let fieldSchema = try schema(field) else { continue }
                try builder.add(name, fieldSchema)
            }
            return builder
        default:
            guard let primitive = SchemaType(rawValue: type), primitive.isPrimitive else {
                throw .data("Unknown schema type: \(type)")
            }
            return SchemaBuilder(primitive)
        }
    }
}
