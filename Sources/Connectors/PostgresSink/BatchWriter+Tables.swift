import ConnectModel
import ConnectSDK
import JSONReading
import PostgresClient

// Tables: read from the catalogue once per session, made and changed as the settings allow. Runs outside transactions, so
// that two tasks that do the same at once do not wait for each other's rows.
extension BatchWriter {
    /// Gets the tables of all topics of a batch ready.
    func prepare(_ batch: BatchReader, excluding excluded: [Bool]) throws(WriteStop) {
        guard config.statements.isEmpty else { return }
        var topics: [String] = []
        for index in 0..<batch.batch.count where excluded.isEmpty || !excluded[index] {
            let topic = batch.batch.topic(at: index)
            if topics.last != topic, !topics.contains(topic) { topics.append(topic) }
        }
        for topic in topics where tables[topic] == nil {
            try makeTable(topic, batch)
        }
    }

    /// Adds the columns that a batch needs, or widens those in `narrow`.
    func evolve(_ topic: String, narrow: Set<String>, _ batch: BatchReader) throws(WriteStop) {
        let name = config.table(forTopic: topic)
        let wanted = infer(topic, batch)
        let doing = "changing table \"\(name)\""
        guard let table = try ask(doing, { () throws(PostgresError) in try session.table(name) }) else {
            tables[topic] = nil
            return
        }
        if let sql = TableDDL.alter(table, wanted, narrow: narrow) {
            // The stage was made like the table, so it goes too.
            let drop =
                tables[topic].map { $0.plan.isStaged ? "DROP TABLE IF EXISTS pg_temp.\($0.plan.stage);" : "" } ?? ""
            _ = try ask(doing) { () throws(PostgresError) in try session.run("\(drop) \(sql)") }
        }
        tables[topic] = nil
    }

    private func makeTable(_ topic: String, _ batch: BatchReader) throws(WriteStop) {
        let name = config.table(forTopic: topic)
        let doing = "preparing table \"\(name)\""
        var keys = keyNames(topic, batch)
        var table = try ask(doing) { () throws(PostgresError) in try session.table(name) }
        if table == nil {
            guard config.isAutoCreate else {
                throw .failure(
                    .config(
                        "table.name.format",
                        doing: doing,
                        because: "the table does not exist; create it, or set auto.create=true"
                    )
                )
            }
            let columns = infer(topic, batch)
            guard !columns.isEmpty else { return }
            let sql = TableDDL.create(name, columns, keys: keys.map(config.column))
            do throws(PostgresError) { try session.run(sql) } catch {
                // Two tasks may make it at the same time: the one that comes second finds it there.
                guard ["23505", "42P07", "42710"].contains(error.sqlState) else { throw .server(error, doing: doing) }
            }
            table = try ask(doing) { () throws(PostgresError) in try session.table(name) }
        }
        guard let table else {
            throw .failure(.retry(doing: doing, because: "the table was made and is gone again"))
        }
        if config.insertMode != .insert && keys.isEmpty { keys = table.primaryKey }
        tables[topic] = try writer(table, keys, doing)
    }

    private func writer(
        _ table: PostgresTable,
        _ keys: [String],
        _ doing: String
    ) throws(WriteStop) -> TableWriter {
        let mode: TablePlan.Mode =
            switch config.insertMode {
            case .insert, .multi: .insert
            case .upsert: .upsert
            case .update: .update
            }
        let columns = keys.map(config.column)
        let plan: TablePlan
        stages += 1
        do throws(PlanProblem) {
            plan = try TablePlan(
                table,
                keys: columns,
                mode: mode,
                zoneIsUTC: ["UTC", "ETC/UTC", "GMT", "Z"].contains(config.timeZone.uppercased()),
                skipsUnchanged: config.skipsUnchanged,
                stageNumber: stages
            )
        } catch { throw .failure(Self.failure(error, table.name, doing)) }
        if plan.isStaged {
            _ = try ask(doing) { () throws(PostgresError) in try session.run(plan.createStage) }
        }
        return TableWriter(plan, table, keys: keys, config)
    }

    private static func failure(_ problem: PlanProblem, _ table: PostgresName, _ doing: String) -> TaskFailure {
        switch problem {
        case .noColumn(let column):
            .config(
                "pk.fields",
                doing: doing,
                because: "the key column \"\(column)\" does not exist; add it or change pk.fields"
            )
        case .noKey:
            .config(
                "pk.fields",
                doing: doing,
                because: "there is no key: set pk.fields, or give the table a primary key"
            )
        case .notUnique(let columns):
            .config(
                "pk.fields",
                doing: doing,
                because: """
                    no primary key or unique index covers exactly (\(columns.joined(separator: ", "))), which an upsert \
                    needs; CREATE UNIQUE INDEX ON \(table.quoted) (\(columns.map(quotedIdentifier).joined(separator: ", "))), \
                    or change pk.fields
                    """
            )
        }
    }

    private func ask<R>(
        _ doing: String,
        _ body: () throws(PostgresError) -> R
    ) throws(WriteStop) -> R {
        do throws(PostgresError) { return try body() } catch { throw .server(error, doing: doing) }
    }

    /// The key's fields: those that are named, or all of the first record key.
    private func keyNames(_ topic: String, _ batch: BatchReader) -> [String] {
        switch config.keyMode {
        case .none: return []
        case .kafka: return config.kafkaColumns
        case .recordValue: return config.keyFields
        case .recordKey:
            guard config.keyFields.isEmpty else { return config.keyFields }
            var names: [String] = []
            let key = RecordKey()
            batch.forEach(0..<batch.batch.count) { index, bytes, _ in
                guard names.isEmpty, batch.batch.topic(at: index) == topic else { return }
                key.read(bytes, batch.keyFormat)
                names = key.names
            }
            return names
        }
    }

    /// The columns that a topic's records in a batch call for.
    private func infer(_ topic: String, _ batch: BatchReader) -> [TypeInference.Column] {
        var inference = TypeInference(
            infersTimestamps: config.infersTimestamps,
            timestampFields: config.timestampFields
        )
        let keys = keyNames(topic, batch)
        if config.keyMode == .kafka {
            for (column, type) in zip(config.kafkaColumns, ["text", "int", "bigint"]) {
                inference.declare(column, type)
            }
        }
        let record = JSONObjectReader(), key = RecordKey()
        batch.forEach(0..<batch.batch.count) { index, keyBytes, value in
            guard batch.batch.topic(at: index) == topic else { return }
            if config.keyMode == .recordKey {
                key.read(keyBytes, batch.keyFormat)
                let schema = batch.keySchema(index)
                for name in keys {
                    if let type = schema.map({ $0.field(name)?.schema ?? $0 }), type.type != .structure {
                        inference.declare(config.column(forField: name), TypeInference.sqlType(of: type))
                    }
                    _ = key.with(Array(name.utf8)) { kind, content, _ in
                        inference.see(name, as: config.column(forField: name), kind, content: content)
                    }
                }
            }
            if let schema = batch.schema(index), schema.type == .structure {
                for field in schema.fields where isWanted(field.name, keys) {
                    inference.declare(config.column(forField: field.name), TypeInference.sqlType(of: field.schema))
                }
            }
            guard let value, !isNull(value), (try? record.read(value)) != nil else { return }
            for field in 0..<record.count {
                let name = record.key(field)
                guard isWanted(name, keys) else { continue }
                record.withContent(field) { content in
                    inference.see(name, as: config.column(forField: name), record.kind(field), content: content)
                }
            }
        }
        return inference.columns
    }

    private func isWanted(_ field: String, _ keys: [String]) -> Bool {
        config.whitelist.isEmpty || config.whitelist.contains(field) || keys.contains(field)
    }
}
