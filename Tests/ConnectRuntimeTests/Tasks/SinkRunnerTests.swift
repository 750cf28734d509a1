import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Metrics
import Testing

@testable import ConnectRuntime

@Suite struct SinkRunnerTests {
    private func lines(_ count: Int, from first: Int = 0) -> [String] { (first..<(first + count)).map { "v\($0)" } }

    @Test func `records arrive raw and offsets are committed at the stop`() async throws {
        let bench = try TaskBench(partitions: 2)
        try await bench.produce(lines(1_000))
        let sink = FakeSink()
        let runner = bench.sink(sink)
        await bench.running(runner) {
            #expect(await sink.seen.becomes { $0.rows.count == 1_000 && $0.ticks > 0 })
            #expect(runner.snapshot.state == .running)
        }
        #expect(sink.seen.value.isStopped)
        #expect(sink.seen.value.closed.count == 2)
        #expect(try await bench.committed(2).reduce(0, +) == 1_000)
        let seen = bench.listener.seen.value
        #expect(seen.states == [.running, .unassigned])
        #expect(seen.topics == ["in"])
        #expect(runner.snapshot.recordsTotal == 1_000)
        let text = bench.metrics.text()
        #expect(
            text.contains(#"kafka_connect_sink_task_metrics_sink_record_send_total{connector="sink",task="0"} 1000"#)
        )
    }

    @Test func `a sink that keeps a file open from commit to commit is flushed before it gives up its partitions`()
        async throws
    {
        let bench = try TaskBench()
        try await bench.produce(lines(100))
        let sink = FakeSink(keepsOpen: true)
        await bench.running(bench.sink(sink)) {
            #expect(await sink.seen.becomes { $0.rows.count == 100 })
        }
        #expect(try await bench.committed() == [100])
    }

    @Test func `bad records go to the dead letter queue with their context, the rest arrives`() async throws {
        let bench = try TaskBench(transform: true)
        try await bench.produce(["a", "bad 1", "drop 2", "poison 3", "b", "refuse 5"])
        let sink = FakeSink { _, rows in
            let faults = rows.indices.filter { rows[$0].value?.hasPrefix("refuse") == true }
                .map { RecordFault(index: $0, kind: "SQLSTATE 22P02", reason: "no number") }
            if faults.isEmpty { return nil }
            return TaskFailure(.badRecords(faults, restIsWritten: false), doing: "writing", because: "refused")
        }
        let runner = bench.sink(
            sink,
            config: [
                "value.converter": "Text", "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq",
                "errors.deadletterqueue.context.headers.enable": "true", "errors.log.enable": "true",
                "transforms": "t", "transforms.t.type": "FakeTransform",
            ]
        )
        await bench.running(runner) {
            #expect(await sink.seen.becomes { $0.rows.map(\.value) == ["a", "b"] })
        }
        let letters = try await bench.read("dlq", count: 3)
        #expect(letters.map(\.value) == ["bad 1", "poison 3", "refuse 5"])
        let stages = letters.map { letter in
            letter.headers.first { $0.name == "__connect.errors.stage" }?.value.map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        #expect(stages == ["VALUE_CONVERTER", "TRANSFORMATION", "TASK_PUT"])
        #expect(letters.last?.headers.contains { $0.value == Array("SQLSTATE 22P02".utf8) } == true)
        #expect(try await bench.committed() == [6])
        #expect(bench.topicsMade.value["dlq"] == TopicSettings(partitions: 1, replicationFactor: 3))
        #expect(runner.snapshot.recordsFailed == 3)
    }

    @Test func `a bad record fails the task when errors are not tolerated, after what came before it`() async throws {
        let bench = try TaskBench()
        try await bench.produce(["a", "b", "bad", "c"])
        let sink = FakeSink()
        let runner = bench.sink(sink, config: ["value.converter": "Text"])
        await bench.running(runner) {
            #expect(await bench.listener.seen.becomes { $0.states.contains(.failed) })
        }
        #expect(sink.seen.value.rows.map(\.value) == ["a", "b"])
        #expect(try await bench.committed() == [2])
        #expect(bench.listener.seen.value.states == [.running, .failed])
        #expect(bench.listener.seen.value.traces.first?.contains("offset 2 of in-0") == true)
        #expect(runner.snapshot.failure?.verdict == .fatal)
    }

    @Test func `an outage is retried with the reason told, and taken back afterwards`() async throws {
        let bench = try TaskBench()
        try await bench.produce(lines(50))
        let sink = FakeSink { put, _ in
            put <= 4 ? .retry(after: .milliseconds(30), doing: "writing rows", because: "no connection") : nil
        }
        let runner = bench.sink(sink, config: ["errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq"])
        await bench.running(runner) {
            #expect(await sink.seen.becomes { $0.rows.count == 50 })
            #expect(await bench.listener.seen.becomes { $0.notes.last == .some(nil) })
        }
        #expect(bench.listener.seen.value.notes.first??.contains("writing rows: no connection") == true)
        #expect(bench.listener.seen.value.states == [.running, .unassigned])
        #expect(try await bench.committed() == [50])
        let retries = bench.metrics.samples().first { $0.name == "kafka_connect_task_error_metrics_total_retries" }
        #expect(retries?.value == 4)
    }

    @Test func `two tasks share the partitions, and one takes over from the other`() async throws {
        let bench = try TaskBench(partitions: 4)
        try await bench.produce(lines(400))
        let (one, two) = (FakeSink(), FakeSink())
        let config = ["consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500"]
        let first = bench.sink(one, config: config), second = bench.sink(two, number: 1, config: config)
        try await bench.running(first) {
            #expect(await one.seen.becomes { $0.rows.count == 400 })
            try await bench.running(second) {
                #expect(await two.seen.becomes { $0.opened.count == 2 })
                try await bench.produce(lines(400, from: 400))
                #expect(await two.seen.becomes { !$0.rows.isEmpty })
            }
            try await bench.produce(lines(200, from: 800))
            let others = Set(two.seen.value.rows.compactMap(\.value))
            #expect(await one.seen.becomes { others.union($0.rows.compactMap(\.value)).count == 1_000 })
        }
        let rows = one.seen.value.rows + two.seen.value.rows
        #expect(Set(rows.compactMap(\.value)).count == 1_000)
        #expect(try await bench.committed(4).reduce(0, +) == 1_000)
    }

    @Test func `a sink's own offsets are where it reads on`() async throws {
        let bench = try TaskBench()
        try await bench.produce(lines(20))
        let sink = FakeSink(starts: [TopicPartition("in", 0): 15])
        await bench.running(bench.sink(sink)) {
            #expect(await sink.seen.becomes { $0.rows.count == 5 })
        }
        #expect(sink.seen.value.rows.map(\.offset) == [15, 16, 17, 18, 19])
        #expect(try await bench.committed() == [20])
    }

    @Test func `a paused task takes nothing until it is resumed`() async throws {
        let bench = try TaskBench()
        try await bench.produce(lines(10))
        let sink = FakeSink()
        let runner = bench.sink(sink)
        try await bench.running(runner) {
            #expect(await sink.seen.becomes { $0.rows.count == 10 })
            runner.pause()
            #expect(await bench.listener.seen.becomes { $0.states == [.running, .paused] })
            try await bench.produce(lines(10, from: 10))
            #expect(try await bench.committed() == [10])
            #expect(sink.seen.value.rows.count == 10)
            runner.resume()
            #expect(await sink.seen.becomes { $0.rows.count == 20 })
        }
        #expect(bench.listener.seen.value.states == [.running, .paused, .running, .unassigned])
    }

    @Test func `a cancelled task writes neither offsets nor states`() async throws {
        let bench = try TaskBench { $0.offsetFlushInterval = .seconds(60) }
        try await bench.produce(lines(10))
        let sink = FakeSink()
        let runner = bench.sink(sink)
        await withTaskGroup(of: Void.self) { group in
            let stop = Latch()
            group.addTask { await runner.run(until: stop) }
            #expect(await sink.seen.becomes { $0.rows.count == 10 })
            group.cancelAll()
        }
        #expect(try await bench.committed() == [-1])
        #expect(bench.listener.seen.value.states == [.running])
        #expect(sink.seen.value.isStopped)
    }

    @Test func `broker errors pass without a trace`() async throws {
        let bench = try TaskBench()
        try await bench.produce(lines(300))
        let sink = FakeSink()
        try bench.cluster.pushErrors(api: 1, [6, 7, 3, -195])  // Fetch
        try bench.cluster.pushErrors(api: 8, [15, 16, 14])  // OffsetCommit: coordinator away
        try await bench.running(bench.sink(sink)) {
            #expect(await sink.seen.becomes { $0.rows.count == 300 })
            // A refused commit is made again as long as the task runs; a stop would have only its grace for that.
            let deadline = ContinuousClock.now + .seconds(60)
            while try await bench.committed() != [300], ContinuousClock.now < deadline {}
        }
        #expect(try await bench.committed() == [300])
        #expect(bench.listener.seen.value.states == [.running, .unassigned])
    }

    @Test func `a config error names the key and is not to be restarted`() async throws {
        let bench = try TaskBench()
        let runner = bench.sink(FakeSink(), config: ["value.converter": "Nope"])
        await runner.run(until: Latch())
        #expect(bench.listener.seen.value.states == [.failed])
        #expect(runner.snapshot.failure?.verdict == .config(key: "value.converter"))
    }
}
