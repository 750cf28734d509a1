import ConnectTestKit
import FoundationEssentials
import Testing

/// SIGKILL in the middle of an import, then a restart against a Kafka that lived on: nothing is missing at the sinks.
@Suite(.timeLimit(.minutes(4)), .serialized) struct KillTests {
    private static let records = 20_000

    @Test(arguments: [1, 2, 3]) func `nothing is missing after kills, embedded Kafka as a process of its own`(
        seed: UInt64
    ) async throws {
        let kafka = try await KafkaProcess()
        try await survives(kafka.bootstrapServers, seed: seed)
        withExtendedLifetime(kafka) {}
    }
    @Test(.enabled(if: RealKafka.isAvailable, Comment(rawValue: RealKafka.skipReason)), arguments: [11, 12])
    func `nothing is missing after kills, real Kafka`(seed: UInt64) async throws {
        try await survives(try await RealKafka.shared().bootstrapServers, seed: seed)
    }

    /// Lines of a file through Kafka into a table and into files, with kills at random moments of the way.
    private func survives(_ bootstrap: String, seed: UInt64) async throws {
        let postgres = try PostgresServer.shared(), database = try postgres.makeDatabase()
        let folder = try WorkerProcess.makeFolder(), topic = RealKafka.uniqueName("kill")
        let text = (0..<Self.records).map { #"{"id":\#($0),"text":"record \#($0)"}"# + "\n" }.joined()
        try write(text, folder + "/in.jsonl")
        let configs: [String: [String: String]] = [
            "in": [
                "connector.class": "FileStreamSource", "file": folder + "/in.jsonl", "topic": topic,
                "batch.size": "500",
                "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            ],
            "rows": [
                "connector.class": "PostgresSink", "topics": topic, "connection.url": postgres.url(database: database),
                "table.name.format": "t", "auto.create": "true", "batch.size": "500",
            ],
            "lines": [
                "connector.class": "FileSink", "topics": topic, "directory": folder + "/out",
                "rotate.interval.ms": "500",
            ],
        ]
        for (name, config) in configs {
            let body = String(decoding: try JSONEncoder().encode(config), as: UTF8.self)
            try write(body, folder + "/config/\(name).json")
        }
        var random = seed
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        for _ in 0..<3 {
            let worker = try WorkerProcess(
                folder: folder,
                port: try freePort(),
                arguments: ["--bootstrap-servers", bootstrap]
            )
            try await worker.untilReady()
            // The moment of the kill is what the seed varies.
            try await ContinuousClock().sleep(for: .milliseconds(Int(next(700))))
            worker.kill()
        }
        let worker = try WorkerProcess(
            folder: folder,
            port: try freePort(),
            arguments: ["--bootstrap-servers", bootstrap]
        )
        try await worker.untilReady()
        try await worker.untilDelivered(Set(configs.keys))
        let distinct = try postgres.psql("select count(distinct id) from t", database: database)
        #expect(distinct == "\(Self.records)", "seed \(seed)")
        #expect(try ids(in: folder + "/out") == Set(0..<Self.records), "seed \(seed)")
        // The source is at least once, the sinks are exactly once: both hold what the topic holds, no more.
        let rows = try postgres.psql("select count(*) from t", database: database)
        #expect(rows == "\(try count(in: folder + "/out"))", "seed \(seed)")
        #expect(await worker.stop() == 0)
    }
    private func texts(in folder: String) throws -> [Substring] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".jsonl") }.flatMap { path in
            String(decoding: FileManager.default.contents(atPath: "\(folder)/\(path)") ?? Data(), as: UTF8.self)
                .split(separator: "\n")
        }
    }
    private func count(in folder: String) throws -> Int { try texts(in: folder).count }
    private func ids(in folder: String) throws -> Set<Int> {
        struct Line: Decodable { var id: Int }
        return Set(try texts(in: folder).map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)).id })
    }
}
