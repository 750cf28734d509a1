import ConnectModel
import ConnectTestKit
import Testing

@testable import KafkaClient

/// What the embedded cluster cannot show.
@Suite(.enabled(if: RealKafka.isAvailable, "\(RealKafka.skipReason)"), .serialized)
struct RealKafkaTests {
    private func settings(_ values: [String: String] = [:]) async throws -> KafkaSettings {
        try await KafkaSettings(bootstrapServers: RealKafka.shared().bootstrapServers, values)
    }

    private func makeTopic(partitions: Int = 1, configs: [String: String] = [:]) async throws -> String {
        let name = RealKafka.uniqueName("t")
        let admin = try await Admin(settings())
        let made = try await admin.createTopics([NewTopic(name, partitions: partitions, configs: configs)])
        if let error = made[name] ?? nil { throw error }
        // The controller has answered; the broker hears of the topic a moment later.
        try await eventually { try await admin.describeTopic(name)?.partitions.count == partitions }
        return name
    }

    @Test func `topics are created, described, changed and deleted`() async throws {
        let admin = try await Admin(settings())
        let name = try await makeTopic(partitions: 2, configs: ["cleanup.policy": "compact"])
        #expect(try await admin.describeTopic(name)?.partitions.map(\.id) == [0, 1])
        #expect(try await admin.describeTopicConfigs(name)["cleanup.policy"] == "compact")
        let again = try await admin.createTopics([NewTopic(name), NewTopic("", partitions: 1)])
        #expect(again[name]??.code == .topicAlreadyExists)
        #expect(again[""]??.code == .invalidArgument)
        try await admin.alterTopicConfigs(name, ["segment.bytes": "2000000"])
        try await eventually { try await admin.describeTopicConfigs(name)["segment.bytes"] == "2000000" }
        #expect(try await admin.describeTopicConfigs(name)["cleanup.policy"] == "compact")
        try await admin.createPartitions(name, count: 3)
        #expect(try await admin.deleteTopics([name]).values.allSatisfy { $0 == nil })
        #expect(try await admin.deleteTopics(["no-such-topic"])["no-such-topic"]??.code == .unknownTopicOrPartition)
        #expect(try await admin.clusterID()?.isEmpty == false)
        #expect(try await admin.brokers().count == 1)
        #expect(try await admin.describeTopic("never-made") == nil)
    }

    @Test func `group offsets are read, set and deleted`() async throws {
        let topic = try await makeTopic(partitions: 2)
        let (admin, group) = try await (Admin(settings()), RealKafka.uniqueName("g"))
        let (zero, one) = (TopicPartition(topic, 0), TopicPartition(topic, 1))
        let producer = try await Producer(settings())
        try await producer.send(texts(0..<10, topic: topic, partition: 0)).wait()
        let consumer = try await Consumer(settings(["group.id": group, "client.id": "reader"]))
        try await consumer.subscribe(topics: [topic])
        #expect(try await consumer.receive(10).count == 10)
        try await consumer.commit([zero: 7, one: 0])
        #expect(try await admin.groupOffsets(group) == [zero: 7, one: 0])
        let described = try await admin.describeGroup(group)
        #expect(described.state == "Stable" && described.assignor == "range")
        #expect(described.members.map(\.clientID) == ["reader"])
        #expect(described.members.first?.assignment == [zero, one])
        #expect(try await admin.listGroups().contains { $0.id == group })
        await #expect { try await admin.deleteGroup(group) } throws: {
            ($0 as? KafkaClientError)?.code == .groupNotEmpty
        }
        await consumer.close()
        try await admin.alterGroupOffsets(group, [zero: 3])
        try await admin.deleteGroupOffsets(group, [one])
        #expect(try await admin.groupOffsets(group) == [zero: 3])
        try await admin.deleteGroup(group)
        #expect(try await admin.groupOffsets(group) == [:])
        await producer.close()
    }

    @Test func `offsets by time, watermarks and deleted records`() async throws {
        let topic = try await makeTopic()
        let partition = TopicPartition(topic, 0)
        let producer = try await Producer(settings())
        for index in 0..<5 {
            let time = 1_700_000_000_000 + Int64(index) * 1_000
            _ = try await producer.send(ProducerRecord(topic: topic, value: [UInt8(index)], timestamp: time))
        }
        let admin = try await Admin(settings())
        #expect(try await admin.offsetsForTimes([partition: 1_700_000_002_500]) == [partition: 3])
        #expect(try await admin.offsetsForTimes([partition: 1_800_000_000_000]) == [:])
        #expect(try await admin.deleteRecords(before: [partition: 2]) == [partition: 2])
        let marks = try await admin.watermarks([partition])
        #expect(marks[partition]?.low == 2 && marks[partition]?.high == 5)
        await producer.close()
    }

    @Test func `transactions commit records with offsets, or neither`() async throws {
        let (topic, group) = try await (makeTopic(), RealKafka.uniqueName("g"))
        let partition = TopicPartition(topic, 0)
        let id = RealKafka.uniqueName("tx")
        let producer = try await Producer(settings(["transactional.id": id]))
        try await producer.initTransactions()
        let admin = try await Admin(settings())
        try await producer.beginTransaction()
        try await producer.send(texts(0..<10, topic: topic)).wait()
        try await producer.sendOffsets([partition: 4], group: ConsumerGroupMetadata(groupID: group))
        try await producer.abortTransaction()
        #expect(try await admin.groupOffsets(group) == [:])
        try await producer.beginTransaction()
        try await producer.send(texts(10..<20, topic: topic)).wait()
        try await producer.sendOffsets([partition: 8], group: ConsumerGroupMetadata(groupID: group))
        try await producer.commitTransaction()
        // The coordinator answers before its markers are written, so the offsets appear a moment later.
        try await eventually { try await admin.groupOffsets(group) == [partition: 8] }
        let consumer = try await Consumer(settings(["isolation.level": "read_committed"]))
        try await consumer.assign([partition: .beginning])
        #expect(try await consumer.receive(10).map(\.value) == (10..<20).map { "v\($0)" })
        await consumer.close()

        let newer = try await Producer(settings(["transactional.id": id]))
        try await newer.initTransactions()
        try await producer.beginTransaction()
        _ = try await producer.send(texts(0..<1, topic: topic))
        await #expect { try await producer.commitTransaction() } throws: {
            ($0 as? KafkaClientError)?.code == .fenced && ($0 as? KafkaClientError)?.isFatal == true
        }
        await newer.close()
        await producer.close(timeout: .zero)
    }

    @Test func `a member commits before it gives partitions up`() async throws {
        let (topic, group) = try await (makeTopic(partitions: 2), RealKafka.uniqueName("g"))
        let producer = try await Producer(settings())
        for partition: Int32 in 0..<2 {
            try await producer.send(texts(0..<10, topic: topic, partition: partition)).wait()
        }
        let first = try await Consumer(settings(["group.id": group, "heartbeat.interval.ms": "100"]))
        try await first.subscribe(topics: [topic])
        #expect(try await first.receive(20).count == 20)
        let second = try await Consumer(settings(["group.id": group]))
        try await second.subscribe(topics: [topic])
        let isDone = Collected<Bool>()
        let polling = Task {
            while isDone.all.isEmpty {
                switch try await first.poll(timeout: .milliseconds(50)) {
                case .revoked(let partitions, _):
                    try await first.commit(Dictionary(uniqueKeysWithValues: partitions.map { ($0, Int64(10)) }))
                    try await first.unassign()
                case .assigned: try await first.assign([:])
                default: break
                }
            }
        }
        var assigned: [TopicPartition] = []
        while assigned.count != 1 {
            switch try await second.poll(timeout: .milliseconds(50)) {
            case .assigned(let partitions):
                assigned = partitions
                try await second.assign([:])
            case .revoked: try await second.unassign()
            case .batch(let batch): Issue.record("\(batch.count) records came again")
            default: break
            }
        }
        isDone.append(true)
        try await polling.value
        #expect(
            try await second.committed(assigned) == Dictionary(uniqueKeysWithValues: assigned.map { ($0, Int64(10)) })
        )
        await second.close()
        await first.close()
        await producer.close()
    }
}
