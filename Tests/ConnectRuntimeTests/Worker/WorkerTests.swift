import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Metrics
import Testing

@testable import ConnectRuntime

/// The worker over the embedded cluster, with scripted tasks.
@Suite(.timeLimit(.minutes(1))) struct WorkerTests {
    private let source: ConfigMap = ["connector.class": "FileStreamSource", "topic": "t"]

    private func run(
        on cluster: EmbeddedCluster,
        _ properties: [String: String] = [:],
        _ body: @Sendable @escaping (Worker, TaskBox) async throws -> Void
    ) async throws {
        let box = TaskBox(), changes = Changes()
        let worker = try Worker(
            WorkerConfig(properties.merging(["bootstrap.servers": cluster.bootstrapServers]) { $1 }),
            plugins: Fixture.plugins,
            metrics: MetricsRegistry(),
            version: "4.3.1",
            commit: "abc",
            embedded: EmbeddedTopics(cluster)
        ) { spec, environment, isPaused in
            let task = ScriptedTask(spec, environment, isPaused, changes)
            box.add(task)
            return task
        }
        worker.advertise("127.0.0.1:18383")
        let stop = Latch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run(until: stop) }
            let result: Result<Void, any Error>
            do {
                try await until { await worker.herder.health().status == .healthy }
                result = .success(try await body(worker, box))
            } catch { result = .failure(error) }
            stop.open()
            try await group.waitForAll()
            try result.get()
        }
    }
    /// Asks again and again what only time can change; nothing in the worker tells it.
    private func until(_ holds: @Sendable () async throws -> Bool) async throws {
        while try await !holds() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test func `a second worker finds what the first has left`() async throws {
        let cluster = try EmbeddedCluster()
        defer { cluster.close() }
        try await run(on: cluster) { worker, box in
            _ = try await worker.herder.create("a", source, initialState: nil)
            try await until { box.all.first?.snapshot.state == .running }
            try await until { try await worker.herder.status("a").tasks.first?.status.state == "RUNNING" }
            try await worker.herder.pause("a")
            try await until { box.all.first?.snapshot.state == .paused }
            let environment = try #require(box.all.first).environment
            try await environment.offsets.store(
                [SourcePosition(partition: ["file": .string("x")], offset: ["n": .int(7)])],
                of: "a"
            )
        }
        try await run(on: cluster) { worker, box in
            #expect(try await worker.herder.connectorNames() == ["a"])
            try await until { box.all.first?.snapshot.state == .paused }
            #expect(box.all.first?.startsPaused == true)
            let offsets = try await worker.herder.offsets("a")
            #expect(offsets == [SourcePosition(partition: ["file": .string("x")], offset: ["n": .int(7)])])
            try await worker.herder.stop("a")
            let moved = [SourcePosition(partition: ["file": .string("x")], offset: ["n": .int(8)])]
            let answer = try await worker.herder.alterOffsets("a", moved)
            #expect(answer == "The offsets for this connector have been altered successfully")
            #expect(try await worker.herder.offsets("a").first?.offset == ["n": .int(8)])
            _ = try await worker.herder.resetOffsets("a")
            #expect(try await worker.herder.offsets("a").isEmpty)
            try await worker.herder.delete("a")
            try await until { try await worker.herder.connectorNames().isEmpty }
        }
        try await run(on: cluster) { worker, _ in
            let names = try await worker.herder.connectorNames()
            #expect(names.isEmpty)
        }
    }
    @Test func `offsets of a running connector are refused`() async throws {
        let cluster = try EmbeddedCluster()
        defer { cluster.close() }
        try await run(on: cluster) { worker, box in
            _ = try await worker.herder.create("a", source, initialState: nil)
            try await until { !box.all.isEmpty }
            await #expect {
                try await worker.herder.resetOffsets("a")
            } throws: { "\($0)".hasPrefix("Connectors must be in the STOPPED state") }
        }
    }
    @Test func `a worker without Kafka says what it waits for, and stops when asked`() async throws {
        let cluster = try EmbeddedCluster()
        try cluster.brokerDown()
        let worker = try Worker(
            WorkerConfig(["bootstrap.servers": cluster.bootstrapServers]),
            plugins: Fixture.plugins,
            metrics: MetricsRegistry(),
            version: "4.3.1",
            commit: "abc"
        )
        let stop = Latch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run(until: stop) }
            let health = await worker.herder.health()
            #expect(health.status == .starting)
            stop.open()
            try await group.waitForAll()
        }
        cluster.close()
    }
}
