import ConnectTestKit
import Testing

@testable import PostgresClient

@Suite struct SessionTests {
    private func session(_ change: (inout PostgresSettings) -> Void = { _ in }) throws -> PostgresSession {
        let server = try PostgresServer.shared()
        var settings = try PostgresSettings(url: server.socketURL(database: server.makeDatabase()))
        change(&settings)
        return try PostgresSession(settings)
    }

    @Test func `values come back as text, NULL as nil`() throws {
        let session = try session()
        let result = try session.execute("SELECT $1::int + 1 AS a, $2::text AS b, NULL AS c", ["41", "שלום"])
        #expect(result.columns == ["a", "b", "c"])
        #expect(result.rows == [["42", "שלום", nil]])
        #expect(session.serverVersion >= 120_000)
    }

    @Test func `a script gives a result for each statement`() throws {
        let session = try session()
        let results = try session.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); SELECT count(*) FROM t")
        #expect(results.map(\.affected) == [0, 2, 1])
        #expect(results.last?.scalar == "2")
    }

    @Test func `an error tells its state and leaves the session usable`() throws {
        let session = try session()
        let error = #expect(throws: PostgresError.self) { try session.execute("SELECT * FROM nothing") }
        #expect(error?.sqlState == "42P01" && error?.kind == .config && error?.isConnectionLost == false)
        #expect(try session.execute("SELECT 1").scalar == "1")
    }

    @Test func `constraint, table and column are told, values are not`() throws {
        let session = try session()
        try session.run("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL); INSERT INTO t VALUES (77, 1)")
        let twice = #expect(throws: PostgresError.self) { try session.run("INSERT INTO t VALUES (77, 1)") }
        #expect(twice?.constraint == "t_pkey" && twice?.table == "t" && twice?.kind == .poison)
        #expect(twice?.description.contains("77") == false)
        let null = #expect(throws: PostgresError.self) { try session.run("INSERT INTO t (id) VALUES (1)") }
        #expect(null?.column == "n")
        let text = #expect(throws: PostgresError.self) { try session.execute("SELECT $1::int", ["hunter2"]) }
        #expect(text?.description.contains("hunter2") == false)
    }

    @Test func `a transaction is undone by an error and by a throw`() throws {
        let session = try session()
        try session.run("CREATE TABLE t (a int)")
        #expect(throws: PostgresError.self) {
            try session.transaction { () throws(PostgresError) in
                try session.run("INSERT INTO t VALUES (1)")
                try session.run("INSERT INTO t VALUES ('x')")
            }
        }
        #expect(!session.isInTransaction)
        #expect(try session.execute("SELECT count(*) FROM t").scalar == "0")
    }

    @Test func `COPY takes millions of bytes and counts rows`() throws {
        let session = try session()
        try session.run("CREATE TABLE t (a int, b text)")
        var memory: [UInt8] = []
        let line = Array("7\t\(String(repeating: "x", count: 90))\n".utf8)
        try session.beginCopy("COPY t FROM STDIN")
        for _ in 0..<30_000 {
            memory += line
            if memory.count >= PostgresSession.copyChunkSize { try session.sendCopy(&memory) }
        }
        try session.sendCopy(&memory)
        #expect(try session.endCopy() == 30_000)
        #expect(try session.execute("SELECT count(*), sum(length(b)) FROM t").rows == [["30000", "2700000"]])
    }

    @Test func `a bad row of a COPY is named by line, and nothing is stored`() throws {
        let session = try session()
        try session.run("CREATE TABLE t (a int)")
        let error = #expect(throws: PostgresError.self) {
            try session.copy("COPY t FROM STDIN", Array("1\n2\nabc\n4\n".utf8))
        }
        #expect(error?.copyLine == 3 && error?.column == "a" && error?.kind == .poison)
        #expect(try session.execute("SELECT count(*) FROM t").scalar == "0")
    }

    @Test func `a COPY that is given up stores nothing`() throws {
        let session = try session()
        try session.run("CREATE TABLE t (a int)")
        var memory = Array("1\n".utf8)
        try session.beginCopy("COPY t FROM STDIN")
        try session.sendCopy(&memory)
        session.abandonCopy()
        #expect(session.isOpen)
        #expect(try session.execute("SELECT count(*) FROM t").scalar == "0")
    }

    @Test func `a pipeline runs in order and names the command that failed`() throws {
        let session = try session()
        try session.run("CREATE TABLE t (a int PRIMARY KEY)")
        try session.prepare("put", "INSERT INTO t VALUES ($1)")
        let commands = (0..<1_200).map { PostgresCommand("put", [Array("\($0)".utf8)]) }
        let touched = try session.transaction { () throws(PostgresError) in try session.pipeline(commands) }
        #expect(touched == 1_200)
        try session.begin()
        let error = #expect(throws: PostgresError.self) {
            try session.pipeline([PostgresCommand("put", [Array("5000".utf8)]), commands[7], commands[8]])
        }
        #expect(error?.commandIndex == 1 && error?.sqlState == "23505")
        try session.rollback()
        #expect(try session.execute("SELECT count(*) FROM t").scalar == "1200")
    }

    @Test func `a parameter with a NUL is refused, not cut off`() throws {
        let session = try session()
        let error = #expect(throws: PostgresError.self) { try session.execute("SELECT $1::text", ["a\0b"]) }
        #expect(error?.sqlState == "22021")
    }

    @Test func `a slow statement ends in time`() throws {
        let session = try session { $0.statementTimeout = .milliseconds(50) }
        let error = #expect(throws: PostgresError.self) { try session.execute("SELECT pg_sleep(20)") }
        #expect(error?.sqlState == "57014" && error?.kind == .outage)
    }

    @Test func `a server that does not answer is given up`() throws {
        let silent = try SilentListener()
        var settings = try PostgresSettings(url: "postgresql://u@127.0.0.1:\(silent.port)/d")
        settings.connectTimeout = .milliseconds(50)
        let error = #expect(throws: PostgresError.self) { try PostgresSession(settings) }
        #expect(error?.kind == .outage)
    }

    @Test func `connection refused is an outage, a wrong database is not`() throws {
        let refused = #expect(throws: PostgresError.self) {
            try PostgresSession(PostgresSettings(url: "postgresql://u@127.0.0.1:1/d"))
        }
        #expect(refused?.kind == .outage)
        let server = try PostgresServer.shared()
        let missing = #expect(throws: PostgresError.self) {
            try PostgresSession(PostgresSettings(url: server.url(database: "nowhere")))
        }
        #expect(missing?.sqlState == "3D000" && missing?.kind == .config)
    }

    @Test func `a killed session is told as lost`() throws {
        let session = try session(), killer = try self.session()
        try killer.execute("SELECT pg_terminate_backend($1::int, 5000)", ["\(session.serverProcessID)"])
        let error = #expect(throws: PostgresError.self) { try session.execute("SELECT 1") }
        #expect(error?.isConnectionLost == true && error?.kind == .outage)
        #expect(!session.isOpen)
        #expect(throws: PostgresError.self) { try session.execute("SELECT 1") }
    }

    @Test func `the catalogue tells columns, types and keys`() throws {
        let session = try session()
        try session.run(
            """
            CREATE SCHEMA shop; CREATE DOMAIN shop.price AS numeric(10,2) NOT NULL;
            CREATE TABLE shop."Or ders" (id bigint GENERATED ALWAYS AS IDENTITY, code text NOT NULL, part int,
              cost shop.price, tags text[], at timestamp DEFAULT now(), twice numeric GENERATED ALWAYS AS (part * 2) STORED,
              PRIMARY KEY (part, code), UNIQUE (code));
            CREATE UNIQUE INDEX ON shop."Or ders" (id) WHERE part > 0;
            """
        )
        let table = try #require(try session.table(PostgresName(schema: "shop", "Or ders")))
        #expect(table.primaryKey == ["part", "code"] && table.uniqueKeys == [["part", "code"], ["code"]])
        #expect(
            table.columns.map(\.sqlType)[3...] == ["shop.price", "text[]", "timestamp without time zone", "numeric"]
        )
        #expect(table.columns.map(\.typeName) == ["int8", "text", "int4", "numeric", "_text", "timestamp", "numeric"])
        #expect(table.columns.map(\.isGenerated) == [true, false, false, false, false, false, true])
        #expect(table.columns.map(\.isNullable) == [false, false, false, false, true, true, true])
        #expect(table.column("at")?.hasDefault == true && table.column("tags")?.elementType == "text")
        #expect(try session.table(PostgresName("nothing")) == nil)
    }

    @Test func `a server killed in the middle is an outage, and comes back`() throws {
        let server = try PostgresServer()
        let settings = try PostgresSettings(url: server.url())
        let session = try PostgresSession(settings)
        try session.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        try session.begin()
        try session.run("INSERT INTO t VALUES (2)")
        server.stop(killing: true)
        #expect(throws: PostgresError.self) { try session.commit() }
        #expect(!session.isOpen)
        let refused = #expect(throws: PostgresError.self) { try PostgresSession(settings) }
        #expect(refused?.kind == .outage)
        try server.start()
        #expect(try PostgresSession(settings).execute("SELECT count(*) FROM t").scalar == "1")
    }
}
