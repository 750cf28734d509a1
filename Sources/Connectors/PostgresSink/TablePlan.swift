import PostgresClient

/// How the rows of one table are written: pure text, no database.
struct TablePlan: Sendable {
    struct Column: Sendable, Hashable {
        let name: String
        let sqlType: String
        let kind: ColumnKind
        let hasDefault: Bool
        /// A `timestamp` column that takes instants: they are staged with their zone and moved by the server.
        let isStagedWithZone: Bool
    }
    enum Mode: Sendable { case insert, upsert, update }

    let table: PostgresName
    /// The columns that can be written, the key's first.
    let columns: [Column]
    /// How many of the first columns are the key; 0 in plain inserts.
    let keyCount: Int
    let mode: Mode
    /// Whether rows go through a temporary table.
    let isStaged: Bool
    let skipsUnchanged: Bool
    /// The temporary table of this table in a session.
    let stage: String
    private let index: [String: Int]

    /// Plans for a table of the catalogue.
    ///
    /// `keys` are the key columns; throws a ``PlanProblem`` when the table does not fit the settings.
    init(
        _ table: PostgresTable,
        keys: [String],
        mode: Mode,
        zoneIsUTC: Bool,
        skipsUnchanged: Bool = false,
        stageNumber: Int = 1
    ) throws(PlanProblem) {
        self.table = table.name
        self.mode = mode
        self.skipsUnchanged = skipsUnchanged
        let keyColumns = mode == .insert ? [] : keys
        for key in keys where table.column(key) == nil { throw .noColumn(key) }
        if mode != .insert, keyColumns.isEmpty { throw .noKey }
        // Rows are merged by this key, so the table must hold it unique.
        if mode == .upsert, !table.uniqueKeys.contains(where: { Set($0) == Set(keyColumns) }) {
            throw .notUnique(keyColumns)
        }
        let writable = table.columns.filter { !$0.isGenerated || keyColumns.contains($0.name) }
        let ordered = keyColumns.compactMap(table.column) + writable.filter { !keyColumns.contains($0.name) }
        columns = ordered.map { column in
            let kind = ColumnKind(column)
            let isStagedWithZone = kind == .timestamp && !zoneIsUTC
            return Column(
                name: column.name,
                sqlType: column.sqlType,
                kind: isStagedWithZone ? .timestampWithZone : kind,
                hasDefault: column.hasDefault,
                isStagedWithZone: isStagedWithZone
            )
        }
        keyCount = keyColumns.count
        isStaged = mode != .insert || columns.contains(where: \.isStagedWithZone)
        stage = quotedIdentifier("sluice_stage_\(stageNumber)")
        index = Dictionary(columns.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    /// The place of a column in ``columns``.
    func column(_ name: String) -> Int? { index[name] }

    private func list(_ columns: [Int], prefix: String = "") -> String {
        columns.map { prefix + quotedIdentifier(self.columns[$0].name) }.joined(separator: ", ")
    }
    private func isKey(_ column: Int) -> Bool { column < keyCount }

    /// Makes the temporary table: the columns' types without their constraints.
    var createStage: String {
        let parts = columns.map { column in
            let name = quotedIdentifier(column.name)
            return column.isStagedWithZone ? "\(name)::timestamptz AS \(name)" : name
        }
        return """
            CREATE TEMPORARY TABLE \(stage) ON COMMIT DELETE ROWS AS \
            SELECT \(parts.joined(separator: ", ")) FROM \(table.quoted) WITH NO DATA
            """
    }

    /// The COPY of rows with these columns.
    func copy(_ columns: [Int]) -> String {
        "COPY \(isStaged ? "pg_temp.\(stage)" : table.quoted) (\(list(columns))) FROM STDIN"
    }

    /// Brings staged rows with these columns into the table; nil when COPY has done it.
    func merge(_ columns: [Int]) -> String? {
        guard isStaged else { return nil }
        let selected = columns.map { column -> String in
            let name = quotedIdentifier(self.columns[column].name)
            return self.columns[column].isStagedWithZone ? "\(name)::timestamp" : name
        }
        let from = "FROM pg_temp.\(stage)"
        let insert = "INSERT INTO \(table.quoted) (\(list(columns))) SELECT \(selected.joined(separator: ", ")) \(from)"
        let others = columns.filter { !isKey($0) }
        switch mode {
        case .insert: return insert
        case .upsert:
            let target = "ON CONFLICT (\(list(Array(0..<keyCount))))"
            guard !others.isEmpty else { return "\(insert) \(target) DO NOTHING" }
            let changes = others.map { column in
                let name = quotedIdentifier(self.columns[column].name)
                return "\(name) = EXCLUDED.\(name)"
            }
            let update = "\(insert) \(target) DO UPDATE SET \(changes.joined(separator: ", "))"
            // Types without equality cannot be compared.
            guard skipsUnchanged, !others.contains(where: { isIncomparable($0) }) else { return update }
            let name = quotedIdentifier(table.name)
            return """
                \(update) WHERE (\(list(others, prefix: "\(name)."))) IS DISTINCT FROM (\(list(others, prefix: "EXCLUDED.")))
                """
        case .update:
            guard !others.isEmpty else { return nil }
            let changes = others.map { column -> String in
                let name = quotedIdentifier(self.columns[column].name)
                return "\(name) = s.\(name)" + (self.columns[column].isStagedWithZone ? "::timestamp" : "")
            }
            return """
                UPDATE \(table.quoted) AS t SET \(changes.joined(separator: ", ")) \(from) AS s WHERE \(keysMatch)
                """
        }
    }

    /// Deletes the rows whose keys are staged.
    var delete: String { "DELETE FROM \(table.quoted) AS t USING pg_temp.\(stage) AS s WHERE \(keysMatch)" }

    /// Empties the temporary table within a transaction.
    var truncateStage: String { "TRUNCATE pg_temp.\(stage)" }

    private var keysMatch: String {
        (0..<keyCount).map { column in
            let name = quotedIdentifier(columns[column].name)
            return "t.\(name) = s.\(name)"
        }.joined(separator: " AND ")
    }
    private func isIncomparable(_ column: Int) -> Bool {
        let type = columns[column].sqlType
        return ["json", "xml", "point", "polygon", "box", "circle", "path", "lseg"].contains { type.hasPrefix($0) }
            && !type.hasPrefix("jsonb")
    }
}

/// Why a table cannot be written to with the settings as they are.
enum PlanProblem: Error, Sendable, Equatable {
    case noColumn(String)
    case noKey
    case notUnique([String])
}
