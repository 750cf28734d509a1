import ConnectModel
import Testing

@testable import KafkaClient

@Suite struct ConsumerTests {
    let cluster: EmbeddedCluster
    let partition = TopicPartition("t", 0)

    init() throws { cluster = try makeCluster() }

    private func produce(_ values: Range<Int>) async throws {
        let producer = try Producer(KafkaSettings(cluster))
        try await producer.send(texts(values, partition: 0)).wait()
        await producer.close()
    }

    @Test func `batches are bounded and their parts agree`() async throws {
        try await produce(0..<1_000)
        let consumer = try Consumer(KafkaSettings(cluster))
        try await consumer.assign([partition: .beginning])
        var next: Int64 = 0
        while next < 1_000 {
            guard case .batch(let batch) = try await consumer.poll(maxRecords: 64, timeout: .seconds(5)) else { break }
            #expect(batch.count <= 64)
            #expect(batch.partitions == [partition])
            var bytes = 0
            batch.forEach { index, key, value in
                #expect(batch.offset(at: index) == next)
                if key != nil { Issue.record("record \(index) has a key") }
                bytes += value?.byteCount ?? 0
                next += 1
            }
            #expect(bytes == batch.byteCount)
            #expect(batch.endOffsets == [partition: next])
        }
        #expect(next == 1_000)
        await consumer.close()
    }

    @Test func `start positions, seek, pause and lag`() async throws {
        try await produce(0..<100)
        let consumer = try Consumer(KafkaSettings(cluster))
        try await consumer.assign([partition: .offset(90)])
        #expect(try await consumer.receive(10).first?.offset == 90)
        #expect(try await consumer.position([partition]) == [partition: 100])
        #expect(try await consumer.lag([partition]) == [partition: 0])
        #expect(consumer.watermarks(partition)?.high == 100)
        let asked = try await consumer.queryWatermarks(partition)
        #expect(asked == (0, 100))
        try await consumer.seek([partition: 50])
        #expect(try await consumer.receive(50).first?.offset == 50)
        try await consumer.pause([partition])
        try await produce(100..<110)
        guard case .idle = try await consumer.poll(timeout: .milliseconds(200)) else {
            Issue.record("a paused partition gave records")
            return
        }
        try await consumer.resume([partition])
        #expect(try await consumer.receive(10).map(\.offset) == Array(100..<110))
        #expect(try await consumer.assignment() == [partition])
        await consumer.close()
    }

    @Test func `commits are kept by the group`() async throws {
        try await produce(0..<20)
        let settings = KafkaSettings(cluster, ["group.id": "g"])
        let first = try Consumer(settings)
        try await first.assign([partition: .beginning])
        #expect(try await first.receive(20).count == 20)
        #expect(try await first.committed([partition]) == [:])
        try await first.commit([partition: 12])
        try await first.commit([:])
        #expect(try await first.committed([partition]) == [partition: 12])
        await first.close()
        let second = try Consumer(settings)
        try await second.assign([partition: .stored])
        #expect(try await second.receive(8).map(\.offset) == Array(12..<20))
        await second.close()
    }

    @Test func `a refused commit throws what the broker said`() async throws {
        let consumer = try Consumer(KafkaSettings(cluster, ["group.id": "g"]))
        try await consumer.assign([partition: .beginning])
        try await consumer.commit([partition: 0])
        try cluster.pushErrors(api: 8, [22])
        await #expect { try await consumer.commit([partition: 1]) } throws: {
            ($0 as? KafkaClientError)?.code == .illegalGeneration
        }
        await consumer.close()
    }

    @Test func `a wake-up ends a long poll`() async throws {
        let consumer = try Consumer(KafkaSettings(cluster))
        let polling = Task { try await consumer.poll(timeout: .seconds(600)) }
        consumer.wakeup()
        guard case .idle = try await polling.value else {
            Issue.record("expected idle")
            return
        }
        await consumer.close()
    }

    @Test func `cancelling ends a long poll`() async throws {
        let consumer = try Consumer(KafkaSettings(cluster))
        let polling = Task { try await consumer.poll(timeout: .seconds(600)) }
        polling.cancel()
        guard case .idle = try await polling.value else {
            Issue.record("expected idle")
            return
        }
        await consumer.close()
    }

    @Test func `the end of a partition is reported when asked for`() async throws {
        try await produce(0..<5)
        let consumer = try Consumer(KafkaSettings(cluster, ["enable.partition.eof": "true"]))
        try await consumer.assign([partition: .beginning])
        var records = 0
        polling: while true {
            switch try await consumer.poll(timeout: .seconds(10)) {
            case .batch(let batch): records += batch.count
            case .endOfPartition(let at, let offset):
                #expect(at == partition && offset == 5)
                break polling
            default: break polling
            }
        }
        #expect(records == 5)
        await consumer.close()
    }

    @Test func `a missing start offset is an error when asked for`() async throws {
        try await produce(0..<5)
        let consumer = try Consumer(KafkaSettings(cluster, ["auto.offset.reset": "error"]))
        try await consumer.assign([partition: .offset(99)])
        await #expect { _ = try await consumer.poll(timeout: .seconds(10)) } throws: {
            ($0 as? KafkaClientError)?.code == .offsetOutOfRange
        }
        await consumer.close()
    }

    @Test func `a batch outlives its consumer`() async throws {
        try await produce(0..<5)
        let consumer = try Consumer(KafkaSettings(cluster))
        try await consumer.assign([partition: .beginning])
        guard case .batch(let batch) = try await consumer.poll(timeout: .seconds(10)) else {
            Issue.record("no records")
            return
        }
        await consumer.close()
        #expect(batch.value(at: 0) == Array("v0".utf8))
        #expect(batch.topicPartition(at: 0) == partition)
        await #expect { _ = try await consumer.poll() } throws: { ($0 as? KafkaClientError)?.code == .closed }
        await consumer.close()
    }
}

@Suite struct GroupTests {
    @Test(arguments: ["range", "cooperative-sticky"])
    func `two members share partitions and hand them over in order`(strategy: String) async throws {
        let cluster = try makeCluster(partitions: 4)
        let producer = try Producer(KafkaSettings(cluster))
        for partition: Int32 in 0..<4 { try await producer.send(texts(0..<10, partition: partition)).wait() }
        let settings = KafkaSettings(
            cluster,
            [
                "group.id": "g", "partition.assignment.strategy": strategy, "heartbeat.interval.ms": "100",
                "session.timeout.ms": "4000",
            ]
        )
        let first = try Consumer(settings)
        try await first.subscribe(topics: ["t"])
        #expect(try await first.receive(40).count == 40)
        #expect(try await first.assignment().count == 4)
        let metadata = try await first.groupMetadata()
        #expect(metadata.groupID == "g" && metadata.memberID?.isEmpty == false && metadata.generation ?? 0 > 0)

        try await first.commit(
            Dictionary(uniqueKeysWithValues: (0..<4).map { (TopicPartition("t", Int32($0)), Int64(10)) })
        )
        let second = try Consumer(settings)
        try await second.subscribe(topics: ["t"])
        let seen = Collected<String>()
        let isDone = Collected<Bool>()
        let polling = Task {
            while isDone.all.isEmpty {
                switch try await first.poll(timeout: .milliseconds(100)) {
                case .revoked(_, let lost):
                    seen.append(lost ? "lost" : "revoked")
                    try await first.unassign()
                case .assigned: try await first.assign([:])
                default: break
                }
            }
        }
        var extra = 0
        var assigned: [TopicPartition] = []
        while assigned.count < 2 {
            switch try await second.poll(timeout: .milliseconds(100)) {
            case .assigned(let partitions):
                assigned += partitions
                try await second.assign([:])
            case .revoked: try await second.unassign()
            case .batch(let batch): extra += batch.count
            default: break
            }
        }
        #expect(assigned.count == 2)
        #expect(extra == 0)
        isDone.append(true)
        try await polling.value
        #expect(seen.all.contains("revoked"))
        await second.close()
        await first.close()
        await producer.close()
    }

    /// librdkafka before 2.3 aborted the process here.
    @Test func `a consumer that ends between joining and its first assignment ends quietly`() async throws {
        let cluster = try makeCluster()
        let coordinatorLoads = [Int32](repeating: 14, count: 200)
        try cluster.pushErrors(api: 14, coordinatorLoads)  // SyncGroup
        let lines = Collected<String>()
        let strategy = ["partition.assignment.strategy": "cooperative-sticky", "debug": "cgrp"]
        let consumer = try Consumer(KafkaSettings(cluster, ["group.id": "early"].merging(strategy) { $1 })) { event in
            if case .log(_, _, let text) = event { lines.append(text) }
        }
        try await consumer.subscribe(topics: ["t"])
        try await eventually { lines.all.contains { $0.contains("-> wait-sync") } }
        await consumer.close()
    }

    @Test func `automatic mode needs no answers`() async throws {
        let cluster = try makeCluster()
        let producer = try Producer(KafkaSettings(cluster))
        try await producer.send(texts(0..<10)).wait()
        let events = Collected<RebalanceEvent>()
        let consumer = try Consumer(KafkaSettings(cluster, ["group.id": "auto"]))
        #expect(consumer.topicView == .named)
        try await consumer.subscribe(matching: { $0 == "t" }, rebalance: .automatic) { events.append($0) }
        #expect(consumer.topicView == .pending)
        var count = 0
        while count < 10 {
            if case .batch(let batch) = try await consumer.poll(timeout: .seconds(1)) { count += batch.count }
        }
        await consumer.close()
        #expect(events.all.first == .assigned([TopicPartition("t", 0)]))
        await producer.close()
    }
}

@Suite(.timeLimit(.minutes(1))) struct PatternTests {
    @Test func `a topic that is made after the subscription joins it within the refresh interval`() async throws {
        let cluster = try EmbeddedCluster()
        defer { cluster.close() }
        let consumer = try Consumer(
            KafkaSettings(
                bootstrapServers: cluster.bootstrapServers,
                [
                    "group.id": "patterns", "topic.metadata.refresh.interval.ms": "200",
                    "session.timeout.ms": "3000", "heartbeat.interval.ms": "500",
                ]
            )
        )
        try await consumer.subscribe(matching: { $0.hasPrefix("late") }, rebalance: .automatic)
        let producer = try Producer(KafkaSettings(bootstrapServers: cluster.bootstrapServers))
        for topic in ["late-1", "late-2"] {
            _ = try await producer.send(ProducerRecord(topic: topic, value: Array("v".utf8)))
            var seen: Set<String> = []
            while !seen.contains(topic) {
                guard case .batch(let batch)? = try? await consumer.poll(timeout: .milliseconds(200)) else { continue }
                for index in 0..<batch.count { seen.insert(batch.topicPartition(at: index).topic) }
            }
        }
        await producer.close()
        await consumer.close()
    }
}
