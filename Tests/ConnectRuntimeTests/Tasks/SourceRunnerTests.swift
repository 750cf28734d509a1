import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Synchronization
import Testing

@testable import ConnectRuntime

@Suite struct SourceRunnerTests {
    @Test func `lines reach the topic in order, the offset is stored and a restart goes on there`() async throws {
        let bench = try TaskBench()
        let made = Watched([FakeSource]())
        let runner = bench.source { context in
            let source = FakeSource(context, count: 5_000, topic: "out")
            made.change { $0.append(source) }
            return source
        }
        await bench.running(runner) {
            #expect(await bench.offsets.stored.becomes { $0[FakeSource.partition]?["n"] == .int(5_000) })
        }
        let found = try await bench.read("out", count: 5_000)
        #expect(found.map(\.value) == (0..<5_000).map { "line \($0)" })
        #expect(made.value.first?.seen.value.committed == 5_000)
        #expect(bench.listener.seen.value.states == [.running, .unassigned])
        #expect(bench.listener.seen.value.topics == ["out"])

        let again = bench.source { FakeSource($0, count: 5_010, topic: "out") }
        await bench.running(again) {
            #expect(await bench.offsets.stored.becomes { $0[FakeSource.partition]?["n"] == .int(5_010) })
        }
        #expect(try await bench.read("out", count: 5_010).count == 5_010)
        #expect(again.snapshot.recordsTotal == 10)
    }

    @Test func `broker errors are waited out`() async throws {
        let bench = try TaskBench()
        try bench.cluster.pushErrors(api: 0, [6, 7, 19, 5])
        await bench.running(bench.source { FakeSource($0, count: 1_000, topic: "out") }) {
            #expect(await bench.offsets.stored.becomes { $0[FakeSource.partition]?["n"] == .int(1_000) })
        }
        let found = try await bench.read("out", count: 1_000)
        #expect(found.map(\.value) == (0..<1_000).map { "line \($0)" })
    }

    @Test func `records that are too large or cannot be converted become dead letters`() async throws {
        let bench = try TaskBench(transform: true)
        let runner = bench.source(
            config: [
                "value.converter": "Text", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq",
                "errors.deadletterqueue.context.headers.enable": "true", "producer.override.message.max.bytes": "2000",
            ]
        ) { context in
            FakeSource(context, count: 300, topic: "out") { number in
                switch number {
                case 50: "bad"
                case 60: "drop"
                case 250: String(repeating: "x", count: 5_000)
                default: "line \(number)"
                }
            }
        }
        await bench.running(runner) {
            #expect(await bench.offsets.stored.becomes { $0[FakeSource.partition]?["n"] == .int(300) })
        }
        #expect(try await bench.read("out", count: 297).count == 297)
        let letters = try await bench.read("dlq", count: 2)
        #expect(letters.map(\.value) == ["bad", nil], "too large for the queue as well: sent without its value")
        let stages = letters.map { $0.headers.first { $0.name == "__connect.errors.stage" }?.value }
        #expect(stages == [Array("VALUE_CONVERTER".utf8), Array("KAFKA_PRODUCE".utf8)])
        #expect(runner.snapshot.recordsFailed == 2)
    }

    @Test func `a record that is too large fails the task when errors are not tolerated`() async throws {
        let bench = try TaskBench()
        let config = ["producer.override.message.max.bytes": "2000"]
        let runner = bench.source(config: config) { context in
            FakeSource(context, count: 300, topic: "out") { $0 == 150 ? String(repeating: "x", count: 5_000) : "line" }
        }
        await bench.running(runner) {
            #expect(await bench.listener.seen.becomes { $0.states.last == .failed })
        }
        #expect(bench.listener.seen.value.traces.first?.contains("errors.tolerance=all") == true)
        #expect(bench.offsets.stored.value[FakeSource.partition]?["n"] == .int(100))
    }

    @Test func `missing rights fail the task with the reason`() async throws {
        let bench = try TaskBench()
        try bench.cluster.pushErrors(api: 0, Array(repeating: 29, count: 20))
        await bench.running(bench.source { FakeSource($0, count: 10, topic: "out") }) {
            #expect(await bench.listener.seen.becomes { $0.states.last == .failed })
        }
        #expect(bench.listener.seen.value.traces.first?.contains("AUTHORIZATION") == true)
    }

    @Test func `an offset store that fails is asked again`() async throws {
        let bench = try TaskBench { $0.offsetFlushInterval = .milliseconds(50) }
        bench.offsets.failures.withLock { $0 = 1 }
        await bench.running(bench.source { FakeSource($0, count: 10, topic: "out") }) {
            #expect(await bench.offsets.stored.becomes { $0[FakeSource.partition]?["n"] == .int(10) })
        }
        #expect(bench.listener.seen.value.states == [.running, .unassigned])
    }

    @Test func `topics are made by the connector's rules before the first record`() async throws {
        let bench = try TaskBench()
        let config = ["topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "7"]
        let source = bench.source(config: config) { FakeSource($0, count: 10, topic: "out", emptyTopic: "nothing") }
        await bench.running(source) {
            #expect(await bench.offsets.stored.becomes { $0[FakeSource.partition]?["n"] == .int(10) })
        }
        #expect(bench.topicsMade.value == ["out": TopicSettings(partitions: 7, replicationFactor: 1)])
    }
}
