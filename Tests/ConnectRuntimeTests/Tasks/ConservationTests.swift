import ConnectModel
import ConnectSDK
import ConnectTestKit
import KafkaClient
import Lifecycle
import Synchronization
import Testing

@testable import ConnectRuntime

/// Records in = records out + dead letters + explicit drops, whatever fails and whenever the task is cut off.
@Suite(.enabled(if: RealKafka.isAvailable, "\(RealKafka.skipReason)"), .serialized, .timeLimit(.minutes(3)))
struct ConservationTests {
    /// Random values: fine ones, those that a converter, a transform or the sink refuses, and those that are filtered.
    private struct Records {
        let all: [String]

        init(_ count: Int, _ random: inout SplitMix64) {
            let kinds = ["v", "v", "v", "v", "v", "bad", "poison", "drop", "refuse"]
            all = (0..<count).map { "\(kinds.randomElement(using: &random) ?? "v") \($0)" }
        }
        func of(_ kinds: String...) -> Set<String> {
            Set(all.filter { text in kinds.contains { text.hasPrefix($0 + " ") } })
        }
    }
    private final class Dice: Sendable {
        private let random: Mutex<SplitMix64>
        init(_ seed: UInt64) { random = Mutex(SplitMix64(seed)) }
        func falls(_ chance: Double) -> Bool { random.withLock { Double.random(in: 0..<1, using: &$0) < chance } }
    }
    private static let outage = TaskFailure.retry(after: .milliseconds(2), doing: "calling", because: "injected outage")

    private func servers(_ topics: String...) async throws -> String {
        let servers = try await RealKafka.shared().bootstrapServers
        let admin = try Admin(KafkaSettings(bootstrapServers: servers))
        _ = try await admin.createTopics(topics.map { NewTopic($0, partitions: 1, replicationFactor: 1) })
        return servers
    }
    private func config(_ letters: String) -> [String: String] {
        [
            "value.converter": "Text", "transforms": "t", "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": letters, "errors.deadletterqueue.topic.replication.factor": "1",
            "errors.retry.delay.max.ms": "5",
        ]
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `nothing is lost on the way to a sink`(seed: UInt64) async throws {
        var random = SplitMix64(seed)
        let topic = RealKafka.uniqueName("in"), letters = RealKafka.uniqueName("dlq")
        let servers = try await servers(topic, letters)
        let records = Records(800, &random)
        let producer = try Producer(KafkaSettings(bootstrapServers: servers))
        let sent = records.all + ["v end"]
        _ = try await producer.send(contentsOf: sent.map { ProducerRecord(topic: topic, value: Array($0.utf8)) })
        await producer.close()
        let bench = try TaskBench(transform: true) { environment in
            environment.settings = ClientSettings(bootstrapServers: servers)
            environment.offsetFlushInterval = .milliseconds(50)
        }
        let config = config(letters).merging([
            "topics": topic, "consumer.override.group.id": topic, "consumer.override.max.poll.records": "37",
            "consumer.override.session.timeout.ms": "6000",
        ]) { $1 }
        let dice = Dice(seed)
        func makeSink() -> FakeSink {
            FakeSink { _, rows in
                if dice.falls(0.2) { return Self.outage }
                let faults = rows.indices.filter { rows[$0].value?.hasPrefix("refuse") == true }
                    .map { RecordFault(index: $0, kind: "refused", reason: "injected") }
                return faults.isEmpty
                    ? nil : TaskFailure(.badRecords(faults, restIsWritten: false), doing: "writing", because: "refused")
            }
        }
        var written: [String] = []
        let kills = Int(seed % 3)
        for _ in 0..<kills {
            let sink = makeSink(), runner = bench.sink(sink, config: config)
            let moment = Int.random(in: 1...150, using: &random)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await runner.run(until: Latch()) }
                #expect(await sink.seen.becomes { $0.rows.count >= moment || $0.rows.last?.value == "v end" })
                group.cancelAll()  // as a kill: no flush, no commit
            }
            written += sink.seen.value.rows.compactMap(\.value)
        }
        let sink = makeSink()
        await bench.running(bench.sink(sink, config: config)) {
            if written.contains("v end") { return }
            #expect(await sink.seen.becomes { $0.rows.contains { $0.value == "v end" } }, "seed \(seed)")
        }
        written += sink.seen.value.rows.compactMap(\.value)
        let dead = try await readCommitted(servers, letters)
        #expect(Set(written) == records.of("v").union(["v end"]), "seed \(seed)")
        #expect(Set(dead) == records.of("bad", "poison", "refuse"), "seed \(seed)")
        guard kills == 0 else { return }
        #expect(written.count == Set(written).count && dead.count == Set(dead).count, "seed \(seed)")
        #expect(written.count + dead.count + records.of("drop").count == sent.count, "seed \(seed)")
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64], [false, true])
    func `nothing is lost on the way from a source`(seed: UInt64, isExactlyOnce: Bool) async throws {
        var random = SplitMix64(seed)
        let out = RealKafka.uniqueName("out"), letters = RealKafka.uniqueName("dlq")
        let offsets = RealKafka.uniqueName("offsets")
        let servers = try await servers(out, letters, offsets)
        let records = Records(1_500, &random)
        let bench = try TaskBench(transform: true) { environment in
            environment.settings = ClientSettings(bootstrapServers: servers)
            environment.offsetFlushInterval = .milliseconds(30)
            if isExactlyOnce {
                environment.transactionGroup = RealKafka.uniqueName("workers")
                environment.offsets = OffsetsInKafka(servers: servers, topic: offsets)
            }
        }
        bench.offsets.failures.withLock { $0 = 2 }
        let dice = Dice(seed), lines = records.all
        func makeRunner(_ made: Watched<FakeSource?>) -> TaskRunner {
            bench.source(config: config(letters)) { context in
                let source = FakeSource(context, count: lines.count, topic: out) {
                    lines[$0]
                } fault: {
                    dice.falls(0.2) ? Self.outage : nil
                }
                made.change { $0 = source }
                return source
            }
        }
        let kills = Int(seed % 3)
        for _ in 0..<kills {
            let made = Watched(FakeSource?.none), runner = makeRunner(made)
            let moment = Int.random(in: 1...1_200, using: &random)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await runner.run(until: Latch()) }
                #expect(await made.becomes { $0 != nil })
                #expect(await made.value?.seen.becomes { $0.next >= moment } == true)
                group.cancelAll()
            }
        }
        let made = Watched(FakeSource?.none)
        await bench.running(makeRunner(made)) {
            #expect(await made.becomes { $0 != nil })
            #expect(await made.value?.seen.becomes { $0.committed == lines.count } == true, "seed \(seed)")
        }
        let arrived = try await readCommitted(servers, out), dead = try await readCommitted(servers, letters)
        #expect(Set(arrived) == records.of("v", "refuse"), "seed \(seed)")
        #expect(Set(dead) == records.of("bad", "poison"), "seed \(seed)")
        if isExactlyOnce || kills == 0 { #expect(arrived.count == Set(arrived).count, "seed \(seed)") }
        guard kills == 0 else { return }
        #expect(arrived.count + dead.count + records.of("drop").count == lines.count, "seed \(seed)")
    }
}
