import ConnectConfig
import ConnectSDK
import PostgresClient
import Testing

@testable import PostgresSink

@Suite struct ConfigTests {
    private let least = ["connection.url": "jdbc:postgresql://db/shop"]

    private func issues(_ more: [String: String]) -> [String] {
        PostgresSink.descriptor.issues(in: least.merging(more) { $1 }).map(\.key)
    }

    @Test func `a URL is enough`() throws {
        let config = try PostgresSinkConfig(least)
        #expect(config.isExactlyOnce && config.insertMode == .insert && config.keyMode == .none)
        #expect(config.table(forTopic: "a.b") == PostgresName(schema: "a", "b"))
    }

    @Test func `every issue is told at once, and no password`() {
        let issues = PostgresSink.descriptor.issues(in: [
            "connection.url": "jdbc:mysql://u:secret@h/d", "insert.mode": "merge", "max.retries": "-1",
            "delete.enabled": "true", "pk.mode": "kafka", "pk.fields": "a,b", "statements": "SELECT 'x",
            "dialect.name": "OracleDatabaseDialect",
        ])
        #expect(
            Set(issues.map(\.key)) == [
                "connection.url", "insert.mode", "max.retries", "delete.enabled", "pk.fields", "statements",
                "dialect.name",
            ]
        )
        #expect(!issues.map(\.message).joined().contains("secret"))
    }

    @Test(arguments: [
        ["auto.create": "maybe"], ["auto.evolve": "1"], ["auto.evolve.widening": "text"], ["unknown.fields": "drop"],
        ["delete.enabled": "yes"], ["exactly.once": "on"], ["retry.backoff.ms": "x"], ["quote.sql.identifiers": "no"],
        ["upsert.skip.unchanged": "?"], ["infer.timestamps": "?"], ["replace.null.with.default": "?"],
        ["connection.timeout.ms": "0"], ["query.timeout.ms": "0"], ["schema.evolution": "full"], ["pk.mode": "record"],
        ["table.name.format": ""], ["offsets.table": ""], ["truncate.enabled": "true"], ["db.timezone": ""],
        ["insert.mode": "update", "pk.mode": "kafka"],
    ]) func `a bad value is an issue of its key`(config: [String: String]) {
        #expect(issues(config).count == 1)
        #expect(config.keys.contains(issues(config).first ?? ""))
    }

    @Test func `a Confluent and a Debezium config run unchanged`() throws {
        let confluent = try PostgresSinkConfig(
            least.merging([
                "connection.user": "u", "connection.password": "p", "insert.mode": "UPSERT", "pk.mode": "record_key",
                "pk.fields": "id", "table.name.format": "shop.${topic}_v1", "auto.create": "true", "batch.size": "5000",
                "dialect.name": "PostgreSqlDatabaseDialect", "db.timezone": "Asia/Jerusalem", "max.retries": "3",
                "fields.whitelist": "a, b", "quote.sql.identifiers": "never", "connection.attempts": "5",
            ]) { $1 }
        )
        #expect(confluent.table(forTopic: "Orders") == PostgresName(schema: "shop", "orders_v1"))
        #expect(confluent.whitelist == ["a", "b"] && confluent.column(forField: "Total") == "total")
        let debezium = try PostgresSinkConfig(
            least.merging([
                "connection.username": "u", "primary.key.mode": "record_value", "primary.key.fields": "id",
                "schema.evolution": "basic", "collection.name.format": "t", "use.reduction.buffer": "true",
            ]) { $1 }
        )
        #expect(debezium.isAutoCreate && debezium.isAutoEvolve && debezium.keyFields == ["id"])
        #expect(debezium.settings.parameters["user"] == "u" && debezium.tableFormat == "t")
    }

    @Test func `the descriptor answers to the class names of the JDBC sinks`() {
        #expect(PostgresSink.descriptor.name == "PostgresSink")
        #expect(PostgresSink.descriptor.aliases.contains("io.confluent.connect.jdbc.JdbcSinkConnector"))
        let names = PostgresSink.descriptor.keys.map(\.definition.name)
        #expect(Set(names).count == names.count)
        for key in PostgresSink.descriptor.keys { #expect(key.definition.documentation.hasSuffix(".")) }
    }
}

@Suite struct NamedStatementTests {
    @Test func `parameters are numbered, everything else stays`() throws {
        let parsed = try NamedStatement.parse(
            """
            INSERT INTO t VALUES (:id, :id::text, ':no', E'it\\'s :no', "a:b", $x$ :no; $x$, a[1:2], :"my field"); -- :no;
            /* ; :no */ SELECT :price
            """
        )
        #expect(parsed.map(\.names) == [["id", "my field"], ["price"]])
        #expect(
            parsed[0].sql
                == "INSERT INTO t VALUES ($1, $1::text, ':no', E'it\\'s :no', \"a:b\", $x$ :no; $x$, a[1:2], $2)"
        )
        #expect(parsed[1].sql.hasSuffix("SELECT $1"))
    }

    @Test(arguments: ["SELECT 'x", "SELECT $a$ x", "/* x", "SELECT \"x", "SELECT :\"x"])
    func `what is not closed is refused`(text: String) {
        #expect(throws: ConfigIssue.Reason.self) { try NamedStatement.parse(text) }
    }
}
