import ConnectModel
import ConnectSDK
import ConnectTestKit
import Dispatch
import Glibc
import PostgresClient
import Testing

@testable import PostgresSink

@Suite struct BadRecordTests {
    private func faults(_ failure: TaskFailure) -> [Int] {
        guard case .badRecords(let faults, restIsWritten: false) = failure.verdict else { return [-1] }
        return faults.map(\.index)
    }

    @Test(arguments: ["insert", "upsert"]) func `the server's refusals are told by index, and nothing is stored`(
        mode: String
    ) async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int PRIMARY KEY, day date, qty int CHECK (qty > 0))")
        let task = try await fixture.task(["insert.mode": mode, "pk.mode": "record_value", "pk.fields": "id"])
        var values: [String?] = (0..<500).map { #"{"id":\#($0),"day":"2026-01-02","qty":1}"# }
        values[3] = #"{"id":3,"day":"secret","qty":1}"#
        values[77] = #"{"id":77,"day":"2026-01-02","qty":-5}"#
        values[499] = #"{"id":null,"day":"2026-01-02","qty":1}"#
        let failure = try await failure { try await task.put(jsonBatch(values)) }
        #expect(faults(failure) == [3, 77, 499])
        #expect(!failure.description.contains("secret"))
        #expect(try fixture.text("SELECT count(*) FROM orders") == "0")
        #expect(try fixture.text("SELECT next_offset FROM _connect_offsets") == "NULL")
        // The runtime brings the others again.
        let rest = values.indices.filter { ![3, 77, 499].contains($0) }
        let batch = SinkBatch(
            .raw(ArrayMemory(rest.map { (key: nil, value: Array((values[$0] ?? "").utf8)) }), key: .json, value: .json),
            partitions: [TopicPartition("orders", 0)],
            origins: rest.map { RecordOrigin(partition: 0, offset: Int64($0), timestamp: -1) }
        )
        try await task.put(batch)
        #expect(try fixture.text("SELECT count(*) FROM orders") == "497")
        #expect(try fixture.text("SELECT next_offset FROM _connect_offsets") == "499")
    }

    @Test func `what is no object, or cannot be stored, is bad`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int, a text)")
        let task = try await fixture.task()
        let values: [String?] = [
            #"{"id":1}"#, "[1]", "{", nil, #"{"a":"x\u0000"}"#, #"{"id":1.5}"#, "", #"{"id":9999999999}"#,
        ]
        let failure = try await failure { try await task.put(jsonBatch(values)) }
        #expect(faults(failure) == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func `all bad ends soon`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (day date)")
        let task = try await fixture.task()
        let failure = try await failure {
            try await task.put(jsonBatch(Array(repeating: #"{"day":"never"}"#, count: 200)))
        }
        #expect(faults(failure) == Array(0..<200))
    }

    @Test func `a constraint that is checked at commit names its record`() async throws {
        let fixture = try Fixture(
            """
            CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents VALUES (1);
            CREATE TABLE orders (parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED)
            """
        )
        let task = try await fixture.task()
        let failure = try await failure {
            try await task.put(jsonBatch([#"{"parent":1}"#, #"{"parent":2}"#, #"{"parent":1}"#]))
        }
        #expect(faults(failure) == [1])
    }
}

@Suite struct OutageTests {
    @Test func `a killed server is an outage, and the same batch goes through later`() async throws {
        let server = try PostgresServer()
        let setup = try PostgresSession(PostgresSettings(url: server.url()))
        try setup.run("CREATE TABLE orders (id int)")
        let raw = [
            "connection.url": server.jdbcURL(), "connection.user": "postgres", "retry.backoff.ms": "5",
            "max.retries": "0",
        ]
        let task = try PostgresSink.descriptor.makeTask(raw, FakeContext())
        try await task.start()
        _ = try await task.open([TopicPartition("orders", 0)])
        try await task.put(jsonBatch([#"{"id":1}"#]))
        server.stop(killing: true)
        for _ in 0..<3 {
            let failure = try await failure { try await task.put(jsonBatch([#"{"id":2}"#], from: 1)) }
            #expect(failure.verdict == .retry(after: .milliseconds(5)))
        }
        try server.start()
        try await task.put(jsonBatch([#"{"id":2}"#], from: 1))
        let session = try PostgresSession(PostgresSettings(url: server.url()))
        #expect(try session.execute("SELECT string_agg(id::text, ',' ORDER BY id) FROM orders").scalar == "1,2")
    }

    @Test func `conflicts are tried so often, and outages do not count`() async throws {
        let fixture = try Fixture(
            """
            CREATE TABLE orders (id int);
            CREATE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'clash'; END $$;
            """
        )
        let task = try await fixture.task(["max.retries": "2"])
        for _ in 0..<4 {
            try fixture.endSessions()
            let outage = try await failure { try await task.put(jsonBatch([#"{"id":1}"#])) }
            #expect(outage.verdict == .retry(after: .seconds(3)))
            try await task.start()  // connects again
        }
        try fixture.session.run("CREATE TRIGGER clash BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION clash()")
        for verdict in [TaskFailure.Verdict.retry(after: .seconds(3)), .retry(after: .seconds(3)), .fatal] {
            let conflict = try await failure { try await task.put(jsonBatch([#"{"id":1}"#])) }
            #expect(conflict.verdict == verdict && conflict.because.contains("40001"))
        }
    }

    @Test func `a task starts as soon as the server is there`() async throws {
        let raw = ["connection.url": "jdbc:postgresql://127.0.0.1:1/d"]
        let task = try PostgresSink.descriptor.makeTask(raw, FakeContext())
        let failure = try await failure { try await task.start() }
        #expect(failure.verdict == .retry(after: .seconds(3)))
    }

    @Test func `a wrong database or role is a config error`() async throws {
        let fixture = try Fixture()
        let raw = ["connection.url": fixture.server.jdbcURL(database: "nowhere"), "connection.user": "postgres"]
        let task = try PostgresSink.descriptor.makeTask(raw, FakeContext())
        let failure = try await failure { try await task.start() }
        #expect(failure.verdict == .config(key: "connection.url") && failure.because.contains("3D000"))
    }
}

@Suite struct ExactlyOnceTests {
    private let table = "CREATE TABLE orders (id bigint)"
    private let zero = TopicPartition("orders", 0)

    @Test func `offsets move with the rows, and a new task reads on from there`() async throws {
        let fixture = try Fixture(table)
        let first = try await fixture.task()
        try await first.put(jsonBatch([#"{"id":1}"#, #"{"id":2}"#], from: 10))
        let second = try PostgresSink.descriptor.makeTask(fixture.config([:]), FakeContext(epoch: 2))
        try await second.start()
        #expect(try await second.open([zero, TopicPartition("orders", 1)]) == [zero: 12])
        // What is read again is skipped.
        try await second.put(jsonBatch([#"{"id":1}"#, #"{"id":2}"#, #"{"id":3}"#], from: 10))
        #expect(try fixture.text("SELECT id FROM orders ORDER BY id") == "1\n2\n3")
    }

    @Test func `a stale task is stopped before it writes`() async throws {
        let fixture = try Fixture(table)
        let stale = try await fixture.task()
        try await stale.put(jsonBatch([#"{"id":1}"#]))
        let owner = try await fixture.task([:], FakeContext(epoch: 2))
        let failure = try await failure { try await stale.put(jsonBatch([#"{"id":2}"#], from: 1)) }
        #expect(failure.verdict == .fatal && failure.because.contains("another task"))
        try await owner.put(jsonBatch([#"{"id":2}"#], from: 1))
        #expect(try fixture.text("SELECT id FROM orders ORDER BY id") == "1\n2")
        // A smaller epoch may not even open.
        let late = try PostgresSink.descriptor.makeTask(fixture.config([:]), FakeContext(epoch: 1))
        try await late.start()
        let refused = try await PostgresSinkTests.failure { _ = try await late.open([zero]) }
        #expect(refused.verdict == .fatal)
    }

    @Test func `a commit whose answer was lost is not written twice`() async throws {
        let fixture = try Fixture(table)
        let task = try await fixture.task()
        try await task.put(jsonBatch([#"{"id":1}"#]))
        // As if the commit of the next batch had happened and the connection had died before the answer.
        try fixture.session.run(
            """
            INSERT INTO orders VALUES (2); UPDATE _connect_offsets SET next_offset = 2
            """
        )
        try fixture.endSessions()
        let lost = try await failure { try await task.put(jsonBatch([#"{"id":2}"#], from: 1)) }
        #expect(lost.verdict == .retry(after: .seconds(3)))
        try await task.put(jsonBatch([#"{"id":2}"#], from: 1))
        #expect(try fixture.text("SELECT id FROM orders ORDER BY id") == "1\n2")
    }

    @Test func `without exactly.once no table is made`() async throws {
        let fixture = try Fixture(table)
        let task = try await fixture.task(["exactly.once": "false"])
        try await task.put(jsonBatch([#"{"id":1}"#]))
        try await task.put(jsonBatch([#"{"id":1}"#]))
        #expect(try fixture.text("SELECT count(*) FROM orders") == "2")
        #expect(try fixture.session.table(PostgresName("_connect_offsets")) == nil)
    }

    @Test(arguments: (0 as UInt64)..<8) func `killed sessions and new owners lose and double nothing`(
        seed: UInt64
    ) async throws {
        var rng = SplitMix64(state: seed)
        let fixture = try Fixture(table)
        var epoch: Int64 = 1
        var task = try await fixture.task()
        var next: Int64 = 0
        while next < 400 {
            let count = Int64.random(in: 1...40, using: &rng)
            let values = (next..<(next + count)).map { #"{"id":\#($0)}"# }
            if Int.random(in: 0..<3, using: &rng) == 0 {
                try fixture.endSessions()
            }
            do {
                try await task.put(jsonBatch(values, from: next))
                next += count
            } catch {
                guard Bool.random(using: &rng) else { continue }
                epoch += 1
                task = try PostgresSink.descriptor.makeTask(fixture.config([:]), FakeContext(epoch: epoch))
                try await task.start()
                next = try await task.open([zero])[zero] ?? 0
            }
        }
        #expect(
            try fixture.text("SELECT count(*), count(DISTINCT id), max(id) FROM orders")
                == "\(next)|\(next)|\(next - 1)"
        )
    }
}

@Suite struct KilledWriterTests {
    @Test func `SIGKILL at any moment loses and doubles nothing`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id bigint)")
        let url = fixture.config([:])["connection.url"] ?? ""
        for round in 1...4 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [url = url as String, round = round as Int] in
                try await writeUntilKilled(url, epoch: Int64(round), microseconds: 7_000 * round)
            }
            let counts = try fixture.rows(
                "SELECT count(*), count(DISTINCT id), coalesce(max(id) + 1, 0), coalesce(max(next_offset), 0) "
                    + "FROM orders FULL JOIN _connect_offsets ON false"
            )[0]
            #expect(Set(counts[1...]).count == 1, "\(counts)")
        }
        let (rows, distinct) = (
            try fixture.text("SELECT count(*) FROM orders"), try fixture.text("SELECT count(DISTINCT id) FROM orders")
        )
        #expect(rows == distinct && rows != "0")
    }
}

/// Writes without end; a thread of its own kills the process so long after the first commit.
private func writeUntilKilled(_ url: String, epoch: Int64, microseconds: Int) async throws {
    let raw = ["connection.url": url, "connection.user": "postgres"]
    let task = try PostgresSink.descriptor.makeTask(raw, FakeContext(epoch: epoch))
    let zero = TopicPartition("orders", 0)
    try await task.start()
    var next = try await task.open([zero])[zero] ?? 0
    var isArmed = false
    while true {
        try await task.put(jsonBatch((next..<(next + 20)).map { #"{"id":\#($0)}"# }, from: next))
        next += 20
        if !isArmed {
            isArmed = true
            DispatchQueue(label: "killer").asyncAfter(deadline: .now() + .microseconds(microseconds)) {
                _ = kill(getpid(), SIGKILL)
            }
        }
    }
}

@Suite struct StatementTests {
    private let schema = """
        CREATE TABLE watched (id int PRIMARY KEY, asin text, target double precision);
        CREATE TABLE history (watch int REFERENCES watched, price double precision NOT NULL, at timestamp);
        INSERT INTO watched VALUES (1, 'A', 10), (2, 'A', 20), (3, 'B', 5)
        """
    private let statement = """
        INSERT INTO history SELECT w.id, :current_price, :timestamp FROM watched w WHERE w.asin = :asin;
        UPDATE watched SET target = :current_price WHERE asin = :asin AND :__connect_offset::bigint >= 0
        """

    @Test func `statements run for each record with its fields`() async throws {
        let fixture = try Fixture(schema)
        let task = try await fixture.task([
            "statements": statement, "init.sql": "INSERT INTO watched VALUES (4, 'C', 1) ON CONFLICT DO NOTHING",
        ])
        try await task.put(
            jsonBatch([
                #"{"asin":"A","current_price":9.99,"timestamp":"2026-02-20T12:30:00"}"#,
                #"{"asin":"X","current_price":1}"#, #"{"asin":"C","current_price":7.5}"#,
            ])
        )
        #expect(
            try fixture.text("SELECT * FROM history ORDER BY 1")
                == "1|9.99|2026-02-20 12:30:00\n2|9.99|2026-02-20 12:30:00\n4|7.5|NULL"
        )
        #expect(try fixture.text("SELECT next_offset FROM _connect_offsets") == "3")
    }

    @Test func `a record that the statements refuse is found`() async throws {
        let fixture = try Fixture(schema)
        let task = try await fixture.task(["statements": statement])
        var values = (0..<300).map { #"{"asin":"A","current_price":\#($0)}"# }
        values[123] = #"{"asin":"A"}"#
        values[7] = "nonsense"
        let failure = try await failure { try await task.put(jsonBatch(values)) }
        guard case .badRecords(let faults, _) = failure.verdict else { throw failure }
        #expect(faults.map(\.index).contains(7) || faults.map(\.index).contains(123))
        #expect(try fixture.text("SELECT count(*) FROM history") == "0")
    }
}
