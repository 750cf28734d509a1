/// Collects the parts of a ``Schema``.
///
/// ```swift
/// var order = SchemaBuilder(.structure, name: "shop.Order")
/// try order.add("id", .required(.int64))
/// let schema = order.build()
/// ```
public struct SchemaBuilder: Sendable {
    /// The kind of value.
    public let type: SchemaType
    /// Whether null is allowed.
    public var isOptional: Bool
    /// A name such as `shop.Order` or that of a logical type.
    public var name: String?
    /// The version of the named schema.
    public var version: Int32?
    /// Documentation for people.
    public var doc: String?
    /// Name and text pairs; order is kept.
    public var parameters: [(name: String, value: String)] = []
    /// What stands for a missing value; ``setDefault(_:)`` checks it.
    public private(set) var defaultValue: Value?
    /// The fields added so far.
    public private(set) var fields: [Field] = []
    /// A map's key schema.
    public var keySchema: Schema?
    /// A map's or array's element schema.
    public var valueSchema: Schema?
    private(set) var indexes: [String: Int] = [:]

    /// Starts a schema of a type.
    public init(_ type: SchemaType, optional: Bool = false, name: String? = nil, version: Int32? = nil) {
        (self.type, isOptional, self.name, self.version) = (type, optional, name, version)
    }

    /// Starts an array's schema; nil is an unknown element schema.
    public static func array(of value: Schema?, optional: Bool = false) -> Self {
        var builder = Self(.array, optional: optional)
        builder.valueSchema = value
        return builder
    }

    /// Starts a map's schema; nil is an unknown schema.
    public static func map(_ key: Schema?, _ value: Schema?, optional: Bool = false) -> Self {
        var builder = Self(.map, optional: optional)
        (builder.keySchema, builder.valueSchema) = (key, value)
        return builder
    }

    /// Copies name, version, doc and parameters of `source`, as transforms do that rebuild a struct.
    public init(basicsOf source: Schema) {
        self.init(source.type, name: source.name, version: source.version)
        doc = source.doc
        parameters = source.parameters
        keySchema = source.keySchema
        valueSchema = source.valueSchema
    }

    /// Adds a struct's field.
    ///
    /// Throws when the name is empty or taken, or the type is not a struct.
    public mutating func add(_ name: String, _ schema: Schema) throws(ConnectError) {
        guard type == .structure else {
            throw ConnectError(.schemaBuilder, "Cannot create fields on type \(type.constant)")
        }
        guard !name.isEmpty else { throw ConnectError(.schemaBuilder, "fieldName cannot be null.") }
        guard indexes[name] == nil else {
            throw ConnectError(.schemaBuilder, "Cannot create field because of field name duplication \(name)")
        }
        indexes[name] = fields.count
        fields.append(Field(name: name, index: fields.count, schema: schema))
    }

    /// Sets the default.
    ///
    /// Throws when it does not fit the schema as built so far.
    public mutating func setDefault(_ value: Value) throws(ConnectError) {
        do { try build().validate(value) } catch { throw ConnectError(.schemaBuilder, "Invalid default value") }
        defaultValue = value
    }

    /// Sets a default that is known to fit.
    public mutating func setDefault(unchecked value: Value?) { defaultValue = value }

    /// The schema.
    public func build() -> Schema { Schema(self) }
}
