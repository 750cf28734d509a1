import ConnectModel
import ConnectSDK
import ConnectTestKit
import KafkaClient
import Lifecycle
import Metrics
import Testing

@testable import ConnectRuntime

/// The worker over a real Kafka: compaction, admin protocol, a cluster taken over.
@Suite(.enabled(if: RealKafka.isAvailable, "\(RealKafka.skipReason)"), .timeLimit(.minutes(2)))
struct RealKafkaWorkerTests {
    private func properties(_ name: String) async throws -> [String: String] {
        [
            "bootstrap.servers": try await RealKafka.shared().bootstrapServers, "group.id": name,
            "config.storage.topic": "\(name)-configs", "offset.storage.topic": "\(name)-offsets",
            "status.storage.topic": "\(name)-status",
        ]
    }
    private func run(
        _ properties: [String: String],
        _ body: @Sendable @escaping (Worker, TaskBox) async throws -> Void
    ) async throws {
        let box = TaskBox(), changes = Changes()
        let worker = try Worker(
            WorkerConfig(properties),
            plugins: Fixture.plugins,
            metrics: MetricsRegistry(),
            version: "4.3.1",
            commit: "abc",
            embedded: nil
        ) { spec, environment, isPaused in
            let task = ScriptedTask(spec, environment, isPaused, changes)
            box.add(task)
            return task
        }
        worker.advertise("127.0.0.1:18383")
        let stop = Latch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { stop.open() }
                try await worker.run(until: stop)
            }
            let result: Result<Void, any Error>
            do {
                try await until {
                    if stop.isOpen { return true }
                    return await worker.herder.health().status == .healthy
                }
                if !stop.isOpen { try await body(worker, box) }
                result = .success(())
            } catch { result = .failure(error) }
            stop.open()
            try await group.waitForAll()
            try result.get()
        }
    }
    private func until(_ holds: @Sendable () async throws -> Bool) async throws {
        while try await !holds() { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test func `internal topics are compacted, sink offsets can be moved`() async throws {
        let name = RealKafka.uniqueName("fresh")
        let properties = try await properties(name)
        let admin = try Admin(KafkaSettings(bootstrapServers: properties["bootstrap.servers"] ?? ""))
        try await run(properties) { worker, box in
            for (suffix, partitions) in [("configs", 1), ("offsets", 25), ("status", 5)] {
                let topic = try await admin.describeTopic("\(name)-\(suffix)")
                #expect(topic?.partitions.count == partitions)
                let policy = try await admin.describeTopicConfigs("\(name)-\(suffix)")["cleanup.policy"]
                #expect(policy == "compact")
            }
            _ = try await admin.createTopics([NewTopic("\(name)-t", partitions: 2, replicationFactor: 1)])
            try await until { try await admin.describeTopic("\(name)-t")?.partitions.count == 2 }
            let sink: ConfigMap = ["connector.class": "FileStreamSink", "topics": "\(name)-t"]
            _ = try await worker.herder.create(name, sink, initialState: nil)
            try await until { box.all.first?.snapshot.state == .running }
            try await worker.herder.stop(name)
            let wanted = [
                SinkOffsets.position(TopicPartition("\(name)-t", 0), 5),
                SinkOffsets.position(TopicPartition("\(name)-t", 1), 7),
            ]
            _ = try await worker.herder.alterOffsets(name, wanted)
            #expect(try await worker.herder.offsets(name) == wanted)
            let partition = SourcePosition(partition: wanted[0].partition, offset: nil)
            _ = try await worker.herder.alterOffsets(name, [partition])
            #expect(try await worker.herder.offsets(name) == [wanted[1]])
            _ = try await worker.herder.resetOffsets(name)
            #expect(try await worker.herder.offsets(name).isEmpty)
        }
        try await run(properties) { worker, _ in
            try await until { try await worker.herder.status(name).connector.state == "STOPPED" }
        }
    }
    @Test func `a connector keeps its offsets in a topic of its own, with a copy in the worker's`() async throws {
        let name = RealKafka.uniqueName("own"), own = "\(name)-own"
        let properties = try await properties(name)
        let file: OffsetMap = ["filename": .string("/x")]
        let source: ConfigMap = [
            "connector.class": "FileStreamSource", "topic": "\(name)-t", "file": "/x", "offsets.storage.topic": own,
        ]
        try await run(properties) { worker, box in
            _ = try await worker.herder.create("c", source, initialState: nil)
            try await until { box.all.first?.snapshot.state == .running }
            let storage = try #require(box.all.first?.environment.offsets)
            #expect(try await storage.positions(of: "c").isEmpty)
            try await storage.store([SourcePosition(partition: file, offset: ["position": .int(7)])], of: "c")
            #expect(try await worker.herder.offsets("c").first?.offset == ["position": .int(7)])
            try await worker.herder.stop("c")
            let moved = SourcePosition(partition: file, offset: ["position": .int(5)])
            _ = try await worker.herder.alterOffsets("c", [moved])
            #expect(try await worker.herder.offsets("c") == [moved])
        }
        let admin = try Admin(KafkaSettings(bootstrapServers: properties["bootstrap.servers"] ?? ""))
        #expect(try await admin.describeTopicConfigs(own)["cleanup.policy"] == "compact")
        #expect(try await admin.describeTopic(own)?.partitions.count == 25)
        // Without the key in its config the connector goes on by the copy.
        var plain = source
        plain.remove("offsets.storage.topic")
        let config = plain
        try await run(properties) { worker, _ in
            _ = try await worker.herder.put("c", config)
            #expect(try await worker.herder.offsets("c").first?.offset == ["position": .int(5)])
            _ = try await worker.herder.put("c", source)
            _ = try await worker.herder.resetOffsets("c")
            #expect(try await worker.herder.offsets("c").isEmpty, "neither there nor in the copy")
        }
    }
    @Test func `a topic that is not compacted is refused`() async throws {
        let name = RealKafka.uniqueName("plain")
        let properties = try await properties(name)
        let admin = try Admin(KafkaSettings(bootstrapServers: properties["bootstrap.servers"] ?? ""))
        _ = try await admin.createTopics([NewTopic("\(name)-status", partitions: 1, replicationFactor: 1)])
        await #expect {
            try await run(properties) { _, _ in }
        } throws: { error in
            "\(error)".contains("'status.storage.topic' property is required to have 'cleanup.policy=compact'")
        }
    }
    @Test(.enabled(if: GoldenTopics.isHere, "no recorded topics beside the repository"))
    func `a Kafka Connect cluster is taken over`() async throws {
        let name = RealKafka.uniqueName("takeover")
        let properties = try await properties(name)
        let admin = try Admin(KafkaSettings(bootstrapServers: properties["bootstrap.servers"] ?? ""))
        let compact = ["cleanup.policy": "compact"]
        _ = try await admin.createTopics([
            NewTopic("\(name)-configs", partitions: 1, replicationFactor: 1, configs: compact),
            NewTopic("\(name)-offsets", partitions: 5, replicationFactor: 1, configs: compact),
            NewTopic("\(name)-status", partitions: 3, replicationFactor: 1, configs: compact),
        ])
        let producer = try Producer(KafkaSettings(bootstrapServers: properties["bootstrap.servers"] ?? ""))
        for record in try GoldenTopics("basic").records {
            if record.action.hasPrefix("DELETE /connectors/lines-out") { break }
            guard record.topic.hasPrefix("connect-"), record.key != "session-key" else { continue }
            _ = try await producer.send(
                ProducerRecord(
                    topic: record.topic.replacing("connect-", with: "\(name)-"),
                    partition: record.partition,
                    key: record.key.map { Array($0.utf8) },
                    value: record.value.map { Array($0.utf8) }
                )
            )
        }
        await producer.close()
        try await run(properties) { worker, box in
            #expect(try await worker.herder.connectorNames() == ["born-stopped", "lines-in", "lines-out"])
            try await until { box.all.count { $0.snapshot.state == .running } == 2 }
            let offsets = try await worker.herder.offsets("lines-in")
            #expect(offsets.first?.offset == ["position": .int(24)])
            #expect(try await worker.herder.status("born-stopped").connector.state == "STOPPED")
            #expect(try await worker.herder.status("lines-in").connector.state == "RUNNING")
        }
    }
}
