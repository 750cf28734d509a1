import ConnectModel
import ConnectSDK
import ConnectTestKit
import PostgresClient
import Testing

@testable import PostgresSink

@Suite struct AppendTests {
    @Test func `plain JSON goes into the columns of its names`() async throws {
        let fixture = try Fixture(
            """
            CREATE TABLE orders (id bigint, total numeric, note text, at timestamp, doc jsonb, tags text[], raw bytea,
              ok boolean, state text DEFAULT 'new', n int GENERATED ALWAYS AS IDENTITY)
            """
        )
        let task = try await fixture.task()
        try await task.put(
            jsonBatch([
                #"{"id":1,"total":19.90,"note":"a\tb","at":"2026-02-20T14:30:00+02:00","doc":{"x":[1.10]},"tags":["a","b"],"raw":"AP8=","ok":true,"state":"paid","n":9}"#,
                #"{"total":12345678901234567890.123456789,"id":2,"note":null}"#,
            ])
        )
        #expect(
            try fixture.text("SELECT id, total, note, at, doc, tags, raw, ok, state, n FROM orders ORDER BY id") == """
                1|19.90|a\tb|2026-02-20 12:30:00|{"x": [1.10]}|{a,b}|\\x00ff|t|paid|1
                2|12345678901234567890.123456789|NULL|NULL|NULL|NULL|NULL|NULL|new|2
                """
        )
    }

    @Test func `a missing table is made, and grows`() async throws {
        let fixture = try Fixture()
        let task = try await fixture.task([
            "auto.create": "true", "auto.evolve": "true", "table.name.format": "t_${topic}",
        ])
        try await task.put(jsonBatch([#"{"id":1,"price":5,"tags":["x"]}"#, #"{"id":2,"price":6,"new":null}"#]))
        try await task.put(jsonBatch([#"{"id":3,"price":6.50,"new":"a","deep":{"a":1}}"#], from: 2))
        #expect(
            try fixture.text(
                "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 't_orders' AND table_schema = current_schema() ORDER BY ordinal_position"
            ) == "id|bigint\nprice|numeric\ntags|jsonb\nnew|text\ndeep|jsonb"
        )
        #expect(try fixture.text("SELECT id, price, new FROM t_orders ORDER BY id") == "1|5|NULL\n2|6|NULL\n3|6.50|a")
    }

    @Test func `a column is widened for numbers, whatever else is in the batch`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int, n smallint)")
        let task = try await fixture.task(["auto.evolve": "true"])
        try await task.put(jsonBatch([#"{"id":1,"n":"7"}"#, #"{"id":9999999999,"n":1.5}"#]))
        #expect(
            try fixture.text("SELECT id, n, pg_typeof(id), pg_typeof(n) FROM orders ORDER BY id") == """
                1|7|bigint|numeric
                9999999999|1.5|bigint|numeric
                """
        )
        let fixed = try await fixture.task(
            ["auto.evolve": "true", "auto.evolve.widening": "none"],
            FakeContext(epoch: 2)
        )
        let failure = try await failure { try await fixed.put(jsonBatch([#"{"id":1e40,"n":1}"#], from: 2)) }
        guard case .badRecords = failure.verdict else { throw failure }
    }

    @Test func `a table or a column that is missing is a config error that says what to do`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int)")
        let task = try await fixture.task()
        let column = try await failure { try await task.put(jsonBatch([#"{"id":1,"x":2}"#])) }
        #expect(column.verdict == .config(key: "unknown.fields") && column.because.contains("auto.evolve"))
        let missing = try await fixture.task(["table.name.format": "nothing"], FakeContext(epoch: 2))
        let error = try await failure { try await missing.put(jsonBatch([#"{"id":1}"#])) }
        #expect(error.verdict == .config(key: "table.name.format") && error.description.contains("\"nothing\""))
    }

    @Test func `unknown fields may be left out, and fields chosen`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int, a text)")
        let ignoring = try await fixture.task(["unknown.fields": "ignore"])
        try await ignoring.put(jsonBatch([#"{"id":1,"a":"x","b":2}"#]))
        let choosing = try await fixture.task(["fields.whitelist": "id"], FakeContext(epoch: 2))
        try await choosing.put(jsonBatch([#"{"id":2,"a":"y","b":2}"#], from: 1))
        #expect(try fixture.text("SELECT id, a FROM orders ORDER BY id") == "1|x\n2|NULL")
    }

    @Test func `a column dropped and a table made anew are noticed`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int, a text)")
        let task = try await fixture.task(["unknown.fields": "ignore"])
        try await task.put(jsonBatch([#"{"id":1,"a":"x"}"#]))
        try fixture.session.run("ALTER TABLE orders DROP COLUMN a")
        try await task.put(jsonBatch([#"{"id":2,"a":"x"}"#], from: 1))
        try fixture.session.run("DROP TABLE orders; CREATE TABLE orders (id bigint)")
        try await task.put(jsonBatch([#"{"id":3,"b":1}"#], from: 2))
        #expect(try fixture.text("SELECT * FROM orders") == "3")
    }

    @Test func `times go to the zone of the database`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (a timestamp, b timestamptz)")
        let task = try await fixture.task(["db.timezone": "Asia/Jerusalem"])
        try await task.put(
            jsonBatch([
                #"{"a":"2026-02-20T12:30:00Z","b":"2026-02-20T12:30:00"}"#, #"{"a":1700000000000}"#,
                #"{"a":"2026-02-20 12:30:00"}"#,
            ])
        )
        #expect(
            try fixture.text("SELECT a, b AT TIME ZONE 'UTC' FROM orders") == """
                2026-02-20 14:30:00|2026-02-20 10:30:00
                2023-11-15 00:13:20|NULL
                2026-02-20 12:30:00|NULL
                """
        )
    }

    @Test func `records with a schema make typed tables`() async throws {
        let fixture = try Fixture()
        var builder = SchemaBuilder(.structure)
        try builder.add("id", .required(.int32))
        try builder.add("price", .decimal(scale: 2))
        try builder.add("day", .logical(.date))
        try builder.add("at", .logical(.timestamp, optional: true))
        try builder.add("raw", .optionalBytes)
        try builder.add("tags", SchemaBuilder.array(of: .string).build())
        let schema = builder.build()
        var value = try StructValue(schema)
        try value.set("id", .int32(7))
        try value.set("price", .decimal(try #require(Decimal("19.90"))))
        try value.set("day", .date(86_400_000 * 19_000))
        try value.set("at", .date(1_700_000_000_123))
        try value.set("raw", .bytes([0, 255]))
        try value.set("tags", .array([.string("a\"b"), .string("c")]))
        let record = ConnectRecord(topic: "orders", value: SchemaAndValue(schema, .structure(value)))
        let batch = SinkBatch(
            .records([record]),
            partitions: [TopicPartition("orders", 0)],
            origins: [RecordOrigin(partition: 0, offset: 0, timestamp: -1)]
        )
        let task = try await fixture.task(["auto.create": "true", "pk.mode": "kafka", "insert.mode": "upsert"])
        try await task.put(batch)
        #expect(
            try fixture.text("SELECT * FROM orders")
                == #"orders|0|0|7|19.90|2022-01-08|2023-11-14 22:13:20.123|\x00ff|{"a\"b",c}"#
        )
        #expect(
            try fixture.text(
                "SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 3"
            ) == "integer,numeric,date,timestamp without time zone,bytea,text[]"
        )
    }

    @Test func `several topics and shapes in one batch`() async throws {
        let fixture = try Fixture("CREATE TABLE a (x int, y int DEFAULT 7); CREATE TABLE b (x int)")
        let partitions = [TopicPartition("a", 0), TopicPartition("b", 0)]
        let task = try await fixture.task([:], opening: partitions)
        let values = [#"{"x":1}"#, #"{"x":2}"#, #"{"y":1,"x":3}"#, #"{"x":4,"y":2}"#, #"{"x":5}"#]
        let memory = ArrayMemory(values.map { (key: nil, value: Array($0.utf8)) })
        let origins = [0, 1, 0, 0, 1].enumerated().map { RecordOrigin(partition: $1, offset: Int64($0), timestamp: -1) }
        try await task.put(SinkBatch(.raw(memory, key: .json, value: .json), partitions: partitions, origins: origins))
        #expect(try fixture.text("SELECT x, y FROM a ORDER BY x") == "1|7\n3|1\n4|2")
        #expect(try fixture.text("SELECT x FROM b ORDER BY x") == "2\n5")
        #expect(try fixture.text("SELECT topic, next_offset FROM _connect_offsets ORDER BY 1") == "a|4\nb|5")
    }
}

@Suite struct UpsertTests {
    private let table = "CREATE TABLE orders (id int PRIMARY KEY, a text, b text, total numeric)"
    private let keyed = ["insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"]

    @Test func `the last record of a key wins, missing fields stay`() async throws {
        let fixture = try Fixture(table)
        let task = try await fixture.task(keyed)
        try await task.put(
            jsonBatch([
                #"{"id":1,"a":"x","b":"y","total":1}"#, #"{"id":2,"a":"p"}"#, #"{"id":1,"a":"z","b":"y","total":2.50}"#,
                #"{"id":1,"b":"w"}"#, #"{"id":2,"a":null}"#,
            ])
        )
        #expect(try fixture.text("SELECT * FROM orders ORDER BY id") == "1|z|w|2.50\n2|NULL|NULL|NULL")
        try await task.put(jsonBatch([#"{"id":1,"a":"q"}"#], from: 5))
        #expect(try fixture.text("SELECT * FROM orders WHERE id = 1") == "1|q|w|2.50")
    }

    @Test func `tombstones delete, and a key may live again`() async throws {
        let fixture = try Fixture(table)
        let task = try await fixture.task([
            "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true",
        ])
        try await task.put(
            jsonBatch(
                [#"{"a":"x"}"#, #"{"a":"y"}"#, nil, nil, #"{"b":"new"}"#, "null"],
                keys: ["1", "2", "1", "3", "2", #"{"id":4}"#]
            )
        )
        #expect(try fixture.text("SELECT id, a, b FROM orders ORDER BY id") == "2|y|new")
        try await task.put(jsonBatch([nil, #"{"a":"z"}"#], keys: ["2", "2"], from: 6))
        #expect(try fixture.text("SELECT id, a, b FROM orders ORDER BY id") == "2|z|NULL")
    }

    @Test func `rows without a key are not taken for one`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int UNIQUE, a text)")
        let task = try await fixture.task(keyed)
        try await task.put(jsonBatch([#"{"id":null,"a":"x"}"#, #"{"a":"y"}"#, #"{"id":null,"a":"z"}"#]))
        #expect(try fixture.text("SELECT a FROM orders ORDER BY a") == "x\ny\nz")
    }

    @Test func `keys written in two ways do not hit a row twice`() async throws {
        let fixture = try Fixture(table)
        let task = try await fixture.task(keyed)
        try await task.put(jsonBatch([#"{"id":1,"a":"x"}"#, #"{"id":"01","a":"y"}"#, #"{"id":5,"a":"z"}"#]))
        #expect(try fixture.text("SELECT id, a FROM orders ORDER BY id") == "1|y\n5|z")
    }

    @Test func `the table's own key serves when none is named`() async throws {
        let fixture = try Fixture(table)
        let task = try await fixture.task(["insert.mode": "upsert"])
        try await task.put(jsonBatch([#"{"id":1,"a":"x"}"#, #"{"id":1,"a":"y"}"#]))
        #expect(try fixture.text("SELECT id, a FROM orders") == "1|y")
        try fixture.session.run("CREATE TABLE keyless (id int)")
        let keyless = try await fixture.task(
            keyed.merging(["table.name.format": "keyless"]) { $1 },
            FakeContext(epoch: 2)
        )
        let error = try await failure { try await keyless.put(jsonBatch([#"{"id":1}"#], from: 2)) }
        #expect(error.verdict == .config(key: "pk.fields") && error.because.contains("CREATE UNIQUE INDEX"))
    }

    @Test func `update changes rows that exist`() async throws {
        let fixture = try Fixture(table + "; INSERT INTO orders VALUES (1, 'a', 'b', 1)")
        let task = try await fixture.task(keyed.merging(["insert.mode": "update"]) { $1 })
        try await task.put(jsonBatch([#"{"id":1,"total":2}"#, #"{"id":2,"total":3}"#]))
        #expect(try fixture.text("SELECT * FROM orders") == "1|a|b|2")
    }

    @Test func `unchanged rows are left alone when asked`() async throws {
        let fixture = try Fixture(table + "; INSERT INTO orders VALUES (1, 'a', 'b', 1), (2, 'a', 'b', 1)")
        let before = try fixture.text("SELECT ctid FROM orders ORDER BY id")
        let task = try await fixture.task(keyed.merging(["upsert.skip.unchanged": "true"]) { $1 })
        try await task.put(jsonBatch([#"{"id":1,"a":"a","total":1}"#, #"{"id":2,"a":"a","total":1}"#]))
        #expect(try fixture.text("SELECT ctid FROM orders ORDER BY id") == before)
    }

    @Test(arguments: (0 as UInt64)..<12) func `any order of upserts and deletes ends as one by one`(
        seed: UInt64
    ) async throws {
        var rng = SplitMix64(state: seed)
        let fixture = try Fixture(table)
        let task = try await fixture.task([
            "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true",
        ])
        var model: [Int: [String: String]] = [:]
        var offset: Int64 = 0
        for _ in 0..<4 {
            var values: [String?] = [], keys: [String?] = []
            for _ in 0..<Int.random(in: 1...60, using: &rng) {
                let id = Int.random(in: 0..<8, using: &rng)
                keys.append("\(id)")
                if Int.random(in: 0..<5, using: &rng) == 0 {
                    values.append(nil)
                    model[id] = nil
                    continue
                }
                var row = model[id] ?? [:]
                var fields: [String] = []
                for name in ["a", "b"] where Bool.random(using: &rng) {
                    row[name] = "v\(UInt16.random(in: 0 ..< .max, using: &rng))"
                    fields.append("\"\(name)\":\"\(row[name] ?? "")\"")
                }
                model[id] = row
                values.append("{\(fields.joined(separator: ","))}")
            }
            try await task.put(jsonBatch(values, keys: keys, from: offset))
            offset += Int64(values.count)
        }
        let wanted = model.sorted { $0.key < $1.key }.map { "\($0)|\($1["a"] ?? "NULL")|\($1["b"] ?? "NULL")" }
        #expect(try fixture.text("SELECT id, a, b FROM orders ORDER BY id") == wanted.joined(separator: "\n"))
    }
}
