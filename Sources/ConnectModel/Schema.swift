/// The kinds of values that Connect's schemas know; raw values are the names JsonConverter writes.
public enum SchemaType: String, Sendable, Hashable, CaseIterable {
    /// 8 bits, signed.
    case int8
    /// 16 bits, signed.
    case int16
    /// 32 bits, signed.
    case int32
    /// 64 bits, signed.
    case int64
    /// IEEE 754 single precision.
    case float32 = "float"
    /// IEEE 754 double precision.
    case float64 = "double"
    /// True or false.
    case boolean
    /// Unicode text.
    case string
    /// Bytes.
    case bytes
    /// Ordered values of one schema.
    case array
    /// Keys and values of one schema each.
    case map
    /// Named fields.
    case structure = "struct"

    /// The name of Java's enum constant: `INT8`, `FLOAT64`, `STRUCT`.
    public var constant: String {
        switch self {
        case .float32: "FLOAT32"
        case .float64: "FLOAT64"
        default: rawValue.uppercased()
        }
    }

    /// Whether it is neither an array nor a map nor a struct.
    public var isPrimitive: Bool { self != .array && self != .map && self != .structure }
}

/// One field of a struct schema.
public struct Field: Sendable, Hashable {
    /// The field's name, unique in its struct.
    public let name: String
    /// Zero-based position.
    public let index: Int
    /// What the field may hold.
    public let schema: Schema
}

/// Describes values, as Connect's `Schema`: immutable and shared.
///
/// ``SchemaBuilder`` makes one.
public final class Schema: Sendable {
    /// The kind of value.
    public let type: SchemaType
    /// Whether null is allowed.
    public let isOptional: Bool
    /// A name such as `shop.Order` or that of a logical type.
    public let name: String?
    /// The version of the named schema.
    public let version: Int32?
    /// Documentation for people.
    public let doc: String?
    /// Name and text pairs in the order they were given.
    public let parameters: [(name: String, value: String)]
    /// What stands for a missing value.
    public let defaultValue: Value?
    /// A struct's fields; empty for others.
    public let fields: [Field]
    /// A map's key schema.
    public let keySchema: Schema?
    /// A map's or array's element schema; nil when it is not known (header text such as `[]`).
    public let valueSchema: Schema?
    private let indexes: [String: Int]

    init(_ builder: SchemaBuilder) {
        type = builder.type
        isOptional = builder.isOptional
        name = builder.name
        version = builder.version
        doc = builder.doc
        parameters = builder.parameters
        defaultValue = builder.defaultValue
        fields = builder.fields
        keySchema = builder.keySchema
        valueSchema = builder.valueSchema
        indexes = builder.indexes
    }

    /// A struct's field of that name.
    public func field(_ name: String) -> Field? { indexes[name].map { fields[$0] } }

    /// The text of a parameter.
    public func parameter(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// `Schema{shop.Order:STRUCT}`, as Java prints it.
    public var description: String { name.map { "Schema{\($0):\(type.constant)}" } ?? "Schema{\(type.constant)}" }
}

extension Schema: Hashable, CustomStringConvertible {
    /// By content: type, optional, version, name, doc, default, fields, element schemas and parameters (in any order).
    public static func == (a: Schema, b: Schema) -> Bool {
        if a === b { return true }
        return a.type == b.type && a.isOptional == b.isOptional && a.name == b.name && a.version == b.version
            && a.doc == b.doc && a.fields == b.fields && a.keySchema == b.keySchema && a.valueSchema == b.valueSchema
            && a.defaultValue == b.defaultValue && a.parameters.count == b.parameters.count
            && a.parameters.allSatisfy { b.parameter($0.name) == $0.value }
    }

    /// By the parts that differ most.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        hasher.combine(isOptional)
        hasher.combine(name)
        hasher.combine(version)
        hasher.combine(fields)
        hasher.combine(valueSchema)
    }
}

extension Schema {
    /// A required schema of a primitive type.
    public static func required(_ type: SchemaType) -> Schema {
        primitive[type]?.required ?? SchemaBuilder(type).build()
    }
    /// An optional schema of a primitive type.
    public static func optional(_ type: SchemaType) -> Schema {
        primitive[type]?.optional ?? SchemaBuilder(type, optional: true).build()
    }

    /// Required text.
    public static let string = required(.string)
    /// Optional text.
    public static let optionalString = optional(.string)
    /// Required bytes.
    public static let bytes = required(.bytes)
    /// Optional bytes.
    public static let optionalBytes = optional(.bytes)

    private static let primitive: [SchemaType: (required: Schema, optional: Schema)] = Dictionary(
        uniqueKeysWithValues: SchemaType.allCases.filter(\.isPrimitive).map {
            ($0, (SchemaBuilder($0).build(), SchemaBuilder($0, optional: true).build()))
        }
    )
}

/// Connect's logical types: a named schema over a primitive one.
public enum LogicalType: String, Sendable, Hashable, CaseIterable {
    /// Exact decimal over bytes; the scale is a parameter.
    case decimal = "org.apache.kafka.connect.data.Decimal"
    /// Days since 1970 over int32.
    case date = "org.apache.kafka.connect.data.Date"
    /// Milliseconds since midnight over int32.
    case time = "org.apache.kafka.connect.data.Time"
    /// Milliseconds since 1970 over int64.
    case timestamp = "org.apache.kafka.connect.data.Timestamp"

    /// The primitive type below.
    public var type: SchemaType {
        switch self {
        case .decimal: .bytes
        case .date, .time: .int32
        case .timestamp: .int64
        }
    }
}

extension Schema {
    /// Which logical type the schema's name calls for.
    public var logicalType: LogicalType? { name.flatMap { LogicalType(rawValue: $0) } }

    /// The scale of a Decimal schema.
    ///
    /// Throws when the parameter is missing or no number.
    public func decimalScale() throws(ConnectError) -> Int32 {
        guard let text = parameter("scale") else {
            throw .data("Invalid Decimal schema: scale parameter not found.")
        }
        guard let scale = Int32(text) else { throw .data("Invalid scale parameter found in Decimal schema: ") }
        return scale
    }

    /// A Decimal schema.
    public static func decimal(scale: Int32, optional: Bool = false) -> Schema {
        var builder = SchemaBuilder(.bytes, optional: optional, name: LogicalType.decimal.rawValue, version: 1)
        builder.parameters = [("scale", "\(scale)")]
        return builder.build()
    }
    /// A schema of a logical type other than Decimal.
    public static func logical(_ type: LogicalType, optional: Bool = false) -> Schema {
        SchemaBuilder(type.type, optional: optional, name: type.rawValue, version: 1).build()
    }
}
