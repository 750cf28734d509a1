import ConnectAPI
import ConnectTestKit
import FoundationEssentials
import KafkaClient
import Testing

/// A database that is away loses nothing and fills no dead letter queue; a poison record goes there alone.
@Suite(
    .enabled(if: RealKafka.isAvailable, Comment(rawValue: RealKafka.skipReason)),
    .timeLimit(.minutes(5)),
    .serialized
)
struct OutageTests {
    /// `SLUICE_OUTAGE_SECONDS=60` for the whole promise.
    private static let outage = Duration.seconds(
        ProcessInfo.processInfo.environment["SLUICE_OUTAGE_SECONDS"].flatMap { Int($0) } ?? 12
    )

    @Test func `a sink outlives its database and goes on by itself`() async throws {
        let kafka = TopicReader(servers: try await RealKafka.shared().bootstrapServers)
        let postgres = try await Task.detached { try PostgresServer() }.value
        let database = try postgres.makeDatabase()
        try postgres.psql(
            "CREATE TABLE t (id bigint PRIMARY KEY, amount numeric NOT NULL CHECK (amount >= 0))",
            database: database
        )
        let topic = RealKafka.uniqueName("outage"), letters = "\(topic)-dlq"
        try await kafka.make(topic)
        let folder = try WorkerProcess.makeFolder()
        let worker = try WorkerProcess(
            folder: folder,
            port: try freePort(),
            arguments: ["--bootstrap-servers", kafka.servers]
        )
        try await worker.untilReady()
        try await worker.put(
            "rows",
            [
                "connector.class": "PostgresSink", "topics": topic, "connection.url": postgres.url(database: database),
                "table.name.format": "t", "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id",
                "errors.tolerance": "all", "errors.deadletterqueue.topic.name": letters,
                "errors.deadletterqueue.topic.replication.factor": "1",
                "errors.deadletterqueue.context.headers.enable": "true", "errors.retry.delay.max.ms": "2000",
            ]
        )
        try await kafka.write(rows(0..<500, topic) + poison(topic) + rows(500..<1_000, topic))
        try await worker.eventually("the first rows are there") { try count(postgres, database) == 1_000 ? true : nil }

        postgres.stop()
        let began = ContinuousClock.now
        try await kafka.write(rows(1_000..<2_000, topic))
        let note = try await worker.eventually("the status tells why") { () -> String? in
            let status = try await worker.get("/connectors/rows/status", as: ConnectorStatusBody.self)
            #expect(status.tasks.allSatisfy { $0.state == "RUNNING" }, "an outage is no failure: \(status.tasks)")
            return status.tasks.first?.note
        }
        #expect(note.hasPrefix("retrying: "), "\(note)")
        var looks = 0
        while ContinuousClock.now - began < Self.outage {
            // The length of the outage is the point of this test.
            try await ContinuousClock().sleep(for: .milliseconds(500))
            let status = try await worker.get("/connectors/rows/status", as: ConnectorStatusBody.self)
            #expect(status.tasks.map(\.state) == ["RUNNING"])
            #expect(status.tasks.first?.note?.isEmpty == false)
            looks += 1
        }
        #expect(looks > 0)
        try postgres.start()
        try await kafka.write(poison(topic) + rows(2_000..<2_500, topic))
        try await worker.eventually("all rows are there") { try count(postgres, database) == 2_500 ? true : nil }
        try await worker.untilDelivered(["rows"])
        let status = try await worker.get("/connectors/rows/status", as: ConnectorStatusBody.self)
        #expect(status.tasks.map(\.state) == ["RUNNING"] && status.tasks.first?.note == nil)

        let dead = try await kafka.read(letters)
        #expect(dead.map(\.value) == (poison(topic) + poison(topic)).map { text($0.value) })
        #expect(
            dead.map { $0.header("__connect.errors.stage") }
                == ["VALUE_CONVERTER", "TASK_PUT", "VALUE_CONVERTER", "TASK_PUT"]
        )
        #expect(dead.map { $0.header("__connect.errors.offset") } == ["500", "501", "2002", "2003"])
        #expect(dead.allSatisfy { $0.header("__connect.errors.topic") == topic })
        #expect(dead[1].header("__connect.errors.exception.class.name")?.contains("23514") == true)
        #expect(await worker.stop() == 0)
    }

    private func rows(_ ids: Range<Int>, _ topic: String) -> [ProducerRecord] {
        ids.map { ProducerRecord(topic: topic, value: Array(#"{"id":\#($0),"amount":1.50}"#.utf8)) }
    }
    /// Not JSON, and a row that the table refuses.
    private func poison(_ topic: String) -> [ProducerRecord] {
        ["not json", #"{"id":-1,"amount":-5}"#].map { ProducerRecord(topic: topic, value: Array($0.utf8)) }
    }
    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
    private func count(_ postgres: PostgresServer, _ database: String) throws -> Int? {
        Int(try postgres.psql("SELECT count(*) FROM t", database: database))
    }
}
