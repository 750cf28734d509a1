extension JSONWriter {
    /// Appends a schema as the envelope of JsonConverter has it; `field` is its name within a struct.
    ///
    /// Throws a `DataException` when a default does not fit.
    public func append(schema: Schema, field: String? = nil, to json: inout [UInt8]) throws(ConnectError) {
        json.append(contentsOf: "{\"type\":\"\(schema.type.rawValue)\"".utf8)
        switch schema.type {
        case .array: try append(named: "items", schema.valueSchema, to: &json)
        case .map:
            try append(named: "keys", schema.keySchema, to: &json)
            try append(named: "values", schema.valueSchema, to: &json)
        case .structure:
            json.append(contentsOf: #","fields":["#.utf8)
            for field in schema.fields {
                if field.index > 0 { json.append(UInt8(ascii: ",")) }
                try append(schema: field.schema, field: field.name, to: &json)
            }
            json.append(UInt8(ascii: "]"))
        default: break
        }
        json.append(contentsOf: ",\"optional\":\(schema.isOptional)".utf8)
        if let name = schema.name { append(named: "name", text: name, to: &json) }
        if let version = schema.version { json.append(contentsOf: ",\"version\":\(version)".utf8) }
        if let doc = schema.doc { append(named: "doc", text: doc, to: &json) }
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
            try append(standIn, schema: schema, to: &json)
        }
        if let field { append(named: "field", text: field, to: &json) }
        json.append(UInt8(ascii: "}"))
    }

    private func append(named name: String, _ schema: Schema?, to json: inout [UInt8]) throws(ConnectError) {
        json.append(contentsOf: ",\"\(name)\":".utf8)
        guard let schema else { return json.append(contentsOf: "null".utf8) }
        try append(schema: schema, to: &json)
    }

    private func append(named name: String, text: String, to json: inout [UInt8]) {
        json.append(contentsOf: ",\"\(name)\":".utf8)
        JSONWriter.append(string: text, to: &json)
    }
}
