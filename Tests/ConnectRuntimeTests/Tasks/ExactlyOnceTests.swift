import ConnectModel
import ConnectSDK
import ConnectTestKit
import KafkaClient
import Lifecycle
import Testing

@testable import ConnectRuntime

/// Positions in a topic, read back as a worker does: only what was committed.
struct OffsetsInKafka: TransactionalOffsetStorage {
    let servers: String
    let topic: String

    func encoded(_ positions: [SourcePosition], of connector: String) async throws -> RecordBuffer {
        var buffer = RecordBuffer()
        let index = buffer.index(ofTopic: topic)
        for position in positions {
            let text = "\(position.offset?["n"]?.int ?? -1)"
            buffer.append(topic: index, key: Array(connector.utf8), value: Array(text.utf8))
        }
        return buffer
    }
    func committed(_ positions: [SourcePosition], of connector: String) async {}
    func store(_ positions: [SourcePosition], of connector: String) async throws {
        Issue.record("positions are stored outside a transaction")
    }
    func positions(of connector: String) async throws -> [SourcePosition] {
        let texts = try await readCommitted(servers, topic)
        guard let last = texts.last, let number = Int64(last) else { return [] }
        return [SourcePosition(partition: FakeSource.partition, offset: ["n": .int(number)])]
    }
}

/// What a reader of committed records sees in a topic now.
func readCommitted(_ servers: String, _ topic: String) async throws -> [String] {
    let settings = ["group.id": "reader", "isolation.level": "read_committed", "enable.partition.eof": "true"]
    let consumer = try Consumer(KafkaSettings(bootstrapServers: servers, settings))
    try await consumer.assign([TopicPartition(topic, 0): .beginning])
    var texts: [String] = []
    reading: while true {
        switch try await consumer.poll(maxRecords: 10_000) {
        case .batch(let batch):
            texts += (0..<batch.count).map { String(decoding: batch.value(at: $0) ?? [], as: UTF8.self) }
        case .endOfPartition: break reading
        default: continue
        }
    }
    await consumer.close()
    return texts
}

@Suite(.enabled(if: RealKafka.isAvailable, "\(RealKafka.skipReason)"), .serialized)
struct ExactlyOnceTests {
    private func bench() async throws -> (bench: TaskBench, servers: String, out: String, offsets: String) {
        let servers = try await RealKafka.shared().bootstrapServers
        let (out, offsets) = (RealKafka.uniqueName("out"), RealKafka.uniqueName("offsets"))
        let admin = try Admin(KafkaSettings(bootstrapServers: servers))
        _ = try await admin.createTopics([
            NewTopic(out, partitions: 1, replicationFactor: 1), NewTopic(offsets, partitions: 1, replicationFactor: 1),
        ])
        let bench = try TaskBench { environment in
            environment.settings = ClientSettings(bootstrapServers: servers)
            environment.offsets = OffsetsInKafka(servers: servers, topic: offsets)
            environment.transactionGroup = RealKafka.uniqueName("workers")
            environment.offsetFlushInterval = .milliseconds(200)
        }
        return (bench, servers, out, offsets)
    }

    @Test(arguments: ["poll", "interval"])
    func `each line is there once, however often the task is cut off`(boundary: String) async throws {
        let (bench, servers, out, offsets) = try await bench()
        let config = ["transaction.boundary": boundary, "transaction.boundary.interval.ms": "150"]
        for cutAt in [300, 900, 1_500] {
            let made = Watched(FakeSource?.none)
            let runner = bench.source(config: config) { context in
                let source = FakeSource(context, count: 2_000, topic: out)
                made.change { $0 = source }
                return source
            }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await runner.run(until: Latch()) }
                #expect(await made.becomes { $0 != nil })
                #expect(await made.value?.seen.becomes { $0.next >= cutAt } == true)
                group.cancelAll()  // like a kill: the open transaction stays open until the next task fences it off
            }
        }
        let source = Watched(FakeSource?.none)
        let last = bench.source(config: config) { context in
            let made = FakeSource(context, count: 2_000, topic: out)
            source.change { $0 = made }
            return made
        }
        await bench.running(last) {
            #expect(await source.becomes { $0 != nil })
            #expect(await source.value?.seen.becomes { $0.committed == 2_000 } == true)
        }
        #expect(try await readCommitted(servers, out) == (0..<2_000).map { "line \($0)" })
        #expect(try await readCommitted(servers, offsets).last == "2000")
    }

    @Test func `a task does not write to the topic of its own offsets`() async throws {
        let (bench, _, _, offsets) = try await bench()
        let runner = bench.source { FakeSource($0, count: 100, topic: offsets) }
        await bench.running(runner) {
            #expect(await bench.listener.seen.becomes { $0.states.contains(.failed) })
        }
        #expect(bench.listener.seen.value.traces.last?.contains("offsets.storage.topic") == true)
    }

    @Test func `a task that has a successor is fenced off and writes nothing more`() async throws {
        let (bench, servers, out, _) = try await bench()
        let old = bench.source(config: ["transaction.boundary": "connector"]) { FakeSource($0, count: 100, topic: out) }
        let new = bench.source { FakeSource($0, count: 500, topic: out) }
        await bench.running(old) {
            // Its transaction stays open: the connector never ends it.
            #expect(await bench.listener.seen.becomes { $0.states == [.running] })
            await bench.running(new) {
                #expect(await bench.listener.seen.becomes { $0.states.count >= 2 })
            }
        }
        let texts = try await readCommitted(servers, out)
        #expect(texts == (0..<texts.count).map { "line \($0)" }, "nothing twice, nothing out of order")
    }
}
