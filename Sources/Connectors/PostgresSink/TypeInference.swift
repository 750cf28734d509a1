import ConnectModel
import JSONReading
import PostgresClient

/// A column type that plain JSON values call for: the smallest one that holds all that were seen.
enum InferredType: Sendable, Hashable {
    case boolean, bigint, numeric, text, jsonb, timestamp, timestampWithZone

    var sql: String {
        switch self {
        case .boolean: "boolean"
        case .bigint: "bigint"
        case .numeric: "numeric"
        case .text: "text"
        case .jsonb: "jsonb"
        case .timestamp: "timestamp"
        case .timestampWithZone: "timestamptz"
        }
    }

    /// The smallest type that holds the values of both.
    func joined(_ other: Self) -> Self {
        if self == other { return self }
        switch (self, other) {
        case (.bigint, .numeric), (.numeric, .bigint): return .numeric
        case (.jsonb, _), (_, .jsonb): return .jsonb
        default: return .text
        }
    }

    /// The type for one value; nil for null.
    init?(_ value: JSONKind, content: RawSpan, timestamps: Bool) {
        switch value {
        case .null: return nil
        case .true, .false: self = .boolean
        case .integer: self = Int64(string(content)) == nil ? .numeric : .bigint
        case .number: self = .numeric
        case .string: self = timestamps && TimestampText.isDateTime(content) ? .timestampWithZone : .text
        case .object, .array: self = .jsonb
        }
    }
}

/// Gathers the columns that records call for, in the order in which their fields appear.
struct TypeInference {
    struct Column: Sendable, Hashable {
        let name: String
        /// As SQL writes it; nil while only nulls were seen.
        var sqlType: String?
        var inferred: InferredType?
        /// What its numbers alone call for, whatever else was seen.
        var number: InferredType?
        /// A record's schema decided.
        var isDeclared = false
    }
    private(set) var columns: [Column] = []
    private var index: [String: Int] = [:]
    private let infersTimestamps: Bool
    private let timestampFields: Set<String>

    init(infersTimestamps: Bool = false, timestampFields: Set<String> = []) {
        (self.infersTimestamps, self.timestampFields) = (infersTimestamps, timestampFields)
    }

    /// Takes a field of a plain JSON record into account.
    mutating func see(_ field: String, as column: String, _ value: JSONKind, content: RawSpan) {
        let place = place(of: column)
        if value == .integer || value == .number,
            let type = InferredType(value, content: content, timestamps: false)
        {
            columns[place].number = columns[place].number.map { $0.joined(type) } ?? type
        }
        guard !columns[place].isDeclared else { return }
        if timestampFields.contains(field) {
            columns[place].inferred = .timestamp
        } else if let type = InferredType(value, content: content, timestamps: infersTimestamps) {
            columns[place].inferred = columns[place].inferred.map { $0.joined(type) } ?? type
        }
        columns[place].sqlType = columns[place].inferred?.sql
    }

    /// Takes a field whose type is given; the first one counts.
    mutating func declare(_ column: String, _ sqlType: String) {
        let place = place(of: column)
        guard !columns[place].isDeclared else { return }
        columns[place].sqlType = sqlType
        columns[place].isDeclared = true
    }

    private mutating func place(of column: String) -> Int {
        if let known = index[column] { return known }
        index[column] = columns.count
        columns.append(Column(name: column))
        return columns.count - 1
    }

    /// The type of PostgreSQL for a Connect schema, as the Confluent JDBC sink maps them; jsonb for what has parts.
    static func sqlType(of schema: Schema) -> String {
        switch schema.logicalType {
        case .decimal: return "decimal"
        case .date: return "date"
        case .time: return "time"
        case .timestamp: return "timestamp"
        case nil: break
        }
        switch schema.type {
        case .int8, .int16: return "smallint"
        case .int32: return "int"
        case .int64: return "bigint"
        case .float32: return "real"
        case .float64: return "double precision"
        case .boolean: return "boolean"
        case .string: return schema.name == "io.debezium.data.Json" ? "jsonb" : "text"
        case .bytes: return "bytea"
        case .array:
            guard let element = schema.valueSchema, element.type.isPrimitive else { return "jsonb" }
            return "\(sqlType(of: element))[]"
        case .map, .structure: return "jsonb"
        }
    }
}

/// The DDL that brings a table to what records call for.
enum TableDDL {
    /// Makes a table.
    ///
    /// A key's columns are NOT NULL; columns of which only nulls were seen are text.
    static func create(_ table: PostgresName, _ columns: [TypeInference.Column], keys: [String]) -> String {
        var parts = columns.map { column in
            "\(quotedIdentifier(column.name)) \(column.sqlType ?? "text")"
                + (keys.contains(column.name) ? " NOT NULL" : "")
        }
        if !keys.isEmpty { parts.append("PRIMARY KEY (\(keys.map(quotedIdentifier).joined(separator: ", ")))") }
        return "CREATE TABLE IF NOT EXISTS \(table.quoted) (\n    \(parts.joined(separator: ",\n    "))\n)"
    }

    /// Adds missing columns and widens the integer columns in `narrow`; nil when nothing is to do.
    static func alter(
        _ table: PostgresTable,
        _ columns: [TypeInference.Column],
        narrow: Set<String> = []
    ) -> String? {
        var changes: [String] = []
        for column in columns {
            let name = quotedIdentifier(column.name)
            guard let existing = table.column(column.name) else {
                if let type = column.sqlType { changes.append("ADD COLUMN IF NOT EXISTS \(name) \(type)") }
                continue
            }
            if narrow.contains(column.name), let wider = wider(existing, column) {
                changes.append("ALTER COLUMN \(name) TYPE \(wider)")
            }
        }
        guard !changes.isEmpty else { return nil }
        return "ALTER TABLE \(table.name.quoted)\n    \(changes.joined(separator: ",\n    "))"
    }

    private static func wider(_ existing: PostgresColumn, _ column: TypeInference.Column) -> String? {
        switch (existing.typeName, column.number) {
        case ("int2", .bigint), ("int4", .bigint): "bigint"
        case ("int2", .numeric), ("int4", .numeric), ("int8", .numeric): "numeric"
        default: nil
        }
    }
}
