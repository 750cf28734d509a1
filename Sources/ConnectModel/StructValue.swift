/// A struct: a value for each field of its schema.
public struct StructValue: Sendable, Hashable {
    /// Describes the fields; its type is a struct.
    public let schema: Schema
    /// One value per field, in the schema's order; null where nothing was set.
    public private(set) var values: [Value]

    /// A struct without values.
    ///
    /// Throws when the schema is not a struct's.
    public init(_ schema: Schema) throws(ConnectError) {
        guard schema.type == .structure else { throw .data("Not a struct schema: \(schema)") }
        self.schema = schema
        values = Array(repeating: .null, count: schema.fields.count)
    }

    /// The value of a field, or the field's default where nothing was set.
    ///
    /// Throws when there is no such field.
    public func value(_ name: String) throws(ConnectError) -> Value { value(try field(name)) }

    /// The value of a field of this schema, or its default where nothing was set.
    public func value(_ field: Field) -> Value {
        let value = values[field.index]
        return value.isNull ? field.schema.defaultValue ?? .null : value
    }

    /// What was set, without the default.
    ///
    /// Throws when there is no such field.
    public func valueWithoutDefault(_ name: String) throws(ConnectError) -> Value { values[try field(name).index] }

    /// Sets a field.
    ///
    /// Throws when there is no such field or the value does not fit its schema.
    public mutating func set(_ name: String, _ value: Value) throws(ConnectError) { try set(field(name), value) }

    /// Sets a field of this schema.
    ///
    /// Throws when the value does not fit the field's schema.
    public mutating func set(_ field: Field, _ value: Value) throws(ConnectError) {
        try field.schema.validate(value, field: field.name)
        values[field.index] = value
    }

    /// Sets the field at an index to a value that is known to fit.
    public mutating func set(unchecked value: Value, at index: Int) { values[index] = value }

    /// Throws when a required field without default is not set or a value does not fit.
    public func validate() throws(ConnectError) {
        for field in schema.fields {
            let value = values[field.index]
            if value.isNull, field.schema.isOptional || field.schema.defaultValue != nil { continue }
            try field.schema.validate(value, field: field.name)
        }
    }

    private func field(_ name: String) throws(ConnectError) -> Field {
        guard let field = schema.field(name) else { throw .data("\(name) is not a valid field name") }
        return field
    }
}
