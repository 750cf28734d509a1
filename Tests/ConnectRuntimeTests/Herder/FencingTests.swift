import ConnectModel
import ConnectSDK
import ConnectTestKit
import KafkaClient
import Synchronization
import Testing

@testable import ConnectRuntime

/// Fencing of older task generations (KIP-618), decided and done.
@Suite(.timeLimit(.minutes(1))) struct FencingTests {
    private final class FakeFencing: ProducerFencing {
        let calls = Mutex<[[TaskID]]>([])
        let failures = Mutex(0)
        func fence(_ tasks: [TaskID], config: [String: String]) async throws(KafkaClientError) {
            let fails = failures.withLock { left in
                left -= 1
                return left >= 0
            }
            if fails { throw KafkaClientError(code: .timedOut, reason: "injected", isRetriable: true) }
            calls.withLock { $0.append(tasks) }
        }
    }
    private let enabled = ["exactly.once.source.support": "enabled"]
    private let config: ConfigMap = [
        "connector.class": "FileStreamSource", "file": "/x", "topic": "t", "exactly.once.support": "required",
    ]
    private func fencings(_ fixture: Fixture) -> [String] {
        fixture.configs.entries.filter { $0.key == "tasks-fencing-c" }.compactMap(\.value)
    }

    @Test func `a generation is fenced before it starts, one task after one task by itself`() async throws {
        let fencing = FakeFencing(), fixture = try Fixture(enabled, fencing: fencing)
        let config = config
        try await fixture.run { fixture in
            _ = try await fixture.herder.create("c", config, initialState: nil)
            await fixture.until("c") { fixture.running == 1 }
            #expect(fencings(fixture) == [#"{"task-count":1}"#])
            #expect(fixture.configs.entries.map(\.key) == ["connector-c", "task-c-0", "commit-c", "tasks-fencing-c"])
            var changed = config
            changed.set("batch.size", "7")
            _ = try await fixture.herder.put("c", changed)
            await fixture.until("c") { fixture.made.count == 2 && fixture.running == 1 }
            #expect(fencings(fixture).count == 2)
            #expect(fencing.calls.withLock { $0 }.isEmpty)
            try await fixture.task(TaskID("c", 0))?.environment.confirmGeneration?()
            await #expect(throws: TaskFailure.self, "its generation is over") {
                try await fixture.made[0].environment.confirmGeneration?()
            }
        }
    }
    @Test func `all tasks of the generation before are fenced, again when it fails`() async throws {
        let fencing = FakeFencing(), fixture = try Fixture(enabled, fencing: fencing)
        fencing.failures.withLock { $0 = 1 }
        fixture.configs.append("tasks-fencing-c", #"{"task-count":3}"#)
        let config = config
        try await fixture.run { fixture in
            _ = try await fixture.herder.create("c", config, initialState: nil)
            await fixture.until("c") { fixture.running == 1 }
            #expect(fencing.calls.withLock { $0 } == [(0..<3).map { TaskID("c", $0) }])
            #expect(fencings(fixture).last == #"{"task-count":1}"#)
            try await fixture.herder.stop("c")
            await fixture.until("c") { fixture.running == 0 }
            _ = try await fixture.herder.resetOffsets("c")
            #expect(fencings(fixture).last == #"{"task-count":0}"#)
            #expect(fencing.calls.withLock { $0.last } == [TaskID("c", 0)])
        }
    }
    @Test func `at-least-once sources and sinks need none`() async throws {
        let fixture = try Fixture()
        let config = config.merging(["exactly.once.support": "requested"])
        try await fixture.run { fixture in
            _ = try await fixture.herder.create("c", config, initialState: nil)
            await fixture.until("c") { fixture.running == 1 }
            #expect(fencings(fixture).isEmpty)
        }
    }

    @Test(.enabled(if: RealKafka.isAvailable, "\(RealKafka.skipReason)"))
    func `what a zombie has open is aborted and it writes nothing more`() async throws {
        let servers = try await RealKafka.shared().bootstrapServers
        let topic = RealKafka.uniqueName("zombie"), group = RealKafka.uniqueName("workers")
        let admin = try Admin(KafkaSettings(bootstrapServers: servers))
        _ = try await admin.createTopics([NewTopic(topic, partitions: 1, replicationFactor: 1)])
        let settings = ClientSettings(bootstrapServers: servers), ids = (0..<10).map { TaskID("c", $0) }
        let clients = TaskClients(id: ids[9], config: [:], settings: settings)
        let zombie = try Producer(clients.producer(transactionalID: "\(group)-c-9"))
        try await zombie.initTransactions()
        try await zombie.beginTransaction()
        _ = try await zombie.send(ProducerRecord(topic: topic, value: "never seen"))
        try await KafkaProducerFencing(group: group, settings: settings).fence(ids, config: [:])
        await #expect(throws: KafkaClientError.self) { try await zombie.commitTransaction() }
        await zombie.close(timeout: .zero)
        #expect(try await readCommitted(servers, topic).isEmpty)
    }
}
