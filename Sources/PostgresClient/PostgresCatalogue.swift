/// What the catalogue says of one table.
public struct PostgresTable: Sendable, Hashable {
    /// Its name with its schema.
    public let name: PostgresName
    /// Its columns in order.
    public let columns: [PostgresColumn]
    /// The primary key's columns in the key's order; empty when there is none.
    public let primaryKey: [String]
    /// Columns of each usable unique index (whole rows, no expressions, not deferrable), the primary key's among them.
    public let uniqueKeys: [[String]]

    /// Puts a table together; tests do, the rest reads it with ``PostgresSession/table(_:)``.
    public init(name: PostgresName, columns: [PostgresColumn], primaryKey: [String], uniqueKeys: [[String]]) {
        (self.name, self.columns) = (name, columns)
        (self.primaryKey, self.uniqueKeys) = (primaryKey, uniqueKeys)
    }
    /// The column of that name.
    public func column(_ name: String) -> PostgresColumn? { columns.first { $0.name == name } }
}

/// One column of a table.
public struct PostgresColumn: Sendable, Hashable {
    /// Its name.
    public let name: String
    /// The type as SQL writes it: `numeric(10,2)`, `timestamp without time zone`, `text[]`.
    public let sqlType: String
    /// The type's own name, a domain's base type: `numeric`, `timestamp`, `_text`.
    public let typeName: String
    /// The element type's name of an array: `text`; nil for others.
    public let elementType: String?
    /// Whether it takes NULL.
    public let isNullable: Bool
    /// Whether the server fills it when it is left out (default or identity).
    public let hasDefault: Bool
    /// Whether it must be left out: generated, or an identity column `ALWAYS`.
    public let isGenerated: Bool

    /// Puts a column together.
    public init(
        name: String,
        sqlType: String,
        typeName: String,
        elementType: String? = nil,
        isNullable: Bool = true,
        hasDefault: Bool = false,
        isGenerated: Bool = false
    ) {
        (self.name, self.sqlType, self.typeName, self.elementType) = (name, sqlType, typeName, elementType)
        (self.isNullable, self.hasDefault, self.isGenerated) = (isNullable, hasDefault, isGenerated)
    }
}

extension PostgresSession {
    /// What the catalogue says of a table or a view that takes rows; nil when there is none of that name.
    public func table(_ name: PostgresName) throws(PostgresError) -> PostgresTable? {
        let found = try execute(
            """
            SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'p', 'v', 'f')
            """,
            [name.quoted]
        )
        guard found.count == 1, let oid = found[0, 0], let schema = found[0, 1], let table = found[0, 2] else {
            return nil
        }
        let columns = try execute(Self.columnsQuery, [oid]).rows.map { row in
            PostgresColumn(
                name: row[0] ?? "",
                sqlType: row[1] ?? "",
                typeName: row[2] ?? "",
                elementType: row[3],
                isNullable: row[4] == "f",
                hasDefault: row[5] == "t",
                isGenerated: row[6] == "t"
            )
        }
        var primaryKey: [String] = []
        var keys: [(index: String, columns: [String])] = []
        for row in try execute(Self.keysQuery, [oid]).rows {
            guard let index = row[0], let column = row[2] else { continue }
            if row[1] == "t" { primaryKey.append(column) }
            if keys.last?.index == index {
                keys[keys.count - 1].columns.append(column)
            } else {
                keys.append((index, [column]))
            }
        }
        return PostgresTable(
            name: PostgresName(schema: schema, table),
            columns: columns,
            primaryKey: primaryKey,
            uniqueKeys: keys.map(\.columns)
        )
    }

    private static let columnsQuery = """
        SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
            b.typname, e.typname,
            a.attnotnull OR (t.typtype = 'd' AND t.typnotnull),
            a.atthasdef OR a.attidentity <> '',
            a.attgenerated <> '' OR a.attidentity = 'a'
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
        LEFT JOIN pg_catalog.pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
        WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
        """
    private static let keysQuery = """
        SELECT i.indexrelid, i.indisprimary, a.attname
        FROM pg_catalog.pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
        ORDER BY NOT i.indisprimary, i.indexrelid, k.place
        """
}
