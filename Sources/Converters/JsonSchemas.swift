internal import ConnectModel

extension JsonValueReader {
    /// The schema that JSON describes.
    ///
    /// Throws a `DataException` or `SchemaBuilderException` when it does not.
    func schema(_ json: Value) throws(ConnectError) -> Schema? {
        if json.isNull { return nil }
        guard case .map(let map) = json, case .string(let type)? = map["type"] else {
            throw .data("Schema must contain 'type' field")
        }
        var builder = try builder(type, map)
        builder.isOptional = map["optional"] == .boolean(true)
        if case .string(let name)? = map["name"] { builder.name = name }
        if let version = map["version"].flatMap(JsonNode.integer) {
            builder.version = Int32(truncatingIfNeeded: version)
        }
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
