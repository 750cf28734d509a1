import PostgresClient

/// How JSON values are written for a column.
indirect enum ColumnKind: Hashable, Sendable {
    case boolean
    /// A whole number between these.
    case integer(min: Int64, max: Int64)
    /// NUMERIC and the floating-point types: the number's own text.
    case number
    case text
    /// JSON and JSONB.
    case json
    /// Wall-clock time in `db.timezone`.
    case timestamp
    case timestampWithZone
    case date
    case time
    case bytes
    case array(of: ColumnKind)
    /// Any other type: its input function reads the text.
    case other

    /// Chooses by the type's own name in `pg_type`.
    init(typeName: String, element: String? = nil) {
        if let element {
            self = .array(of: ColumnKind(typeName: element))
            return
        }
        switch typeName {
        case "bool": self = .boolean
        case "int2": self = .integer(min: Int64(Int16.min), max: Int64(Int16.max))
        case "int4": self = .integer(min: Int64(Int32.min), max: Int64(Int32.max))
        case "int8": self = .integer(min: .min, max: .max)
        case "numeric", "float4", "float8": self = .number
        case "text", "varchar", "bpchar", "name", "citext": self = .text
        case "json", "jsonb": self = .json
        case "timestamp": self = .timestamp
        case "timestamptz": self = .timestampWithZone
        case "date": self = .date
        case "time", "timetz": self = .time
        case "bytea": self = .bytes
        default: self = .other
        }
    }

    init(_ column: PostgresColumn) { self.init(typeName: column.typeName, element: column.elementType) }
}
