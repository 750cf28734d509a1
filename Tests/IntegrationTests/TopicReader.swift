import ConnectModel
import ConnectTestKit
import FoundationEssentials
import KafkaClient

/// Reads what committed readers see in topics of a real Kafka.
struct TopicReader {
    struct Record: Sendable {
        var partition: Int32
        var offset: Int64
        var key: String?
        var value: String?
        var headers: [RecordBuffer.Header]

        func header(_ name: String) -> String? { headers[text: name] }
    }
    let servers: String

    /// Everything that is in the topic now, partition by partition.
    func read(_ topic: String) async throws -> [Record] {
        let admin = try Admin(KafkaSettings(bootstrapServers: servers))
        guard let found = try await admin.describeTopic(topic) else { return [] }
        let partitions = (0..<Int32(found.partitions.count)).map { TopicPartition(topic, $0) }
        let ends = try await admin.watermarks(partitions)
        var left = ends.filter { $0.value.high > $0.value.low }.mapValues(\.high)
        let consumer = try Consumer(
            KafkaSettings(
                bootstrapServers: servers,
                ["group.id": "test-reader", "isolation.level": "read_committed", "enable.partition.eof": "true"]
            )
        )
        if !left.isEmpty { try await consumer.assign(left.mapValues { _ in .beginning }) }
        var records: [Record] = []
        let deadline = ContinuousClock.now + .seconds(90)
        while !left.isEmpty, ContinuousClock.now < deadline {
            switch try await consumer.poll(maxRecords: 10_000, timeout: .seconds(1)) {
            case .batch(let batch):
                for index in 0..<batch.count {
                    records.append(
                        Record(
                            partition: batch.partitions[batch.partitionIndex(at: index)].partition,
                            offset: batch.offset(at: index),
                            key: batch.key(at: index).map { String(decoding: $0, as: UTF8.self) },
                            value: batch.value(at: index).map { String(decoding: $0, as: UTF8.self) },
                            headers: batch.headers(at: index)
                        )
                    )
                }
                for (partition, offset) in batch.endOffsets where offset >= left[partition] ?? .max {
                    left[partition] = nil
                }
            case .endOfPartition(let partition, let offset):
                if offset >= left[partition] ?? .max { left[partition] = nil }
            default: break
            }
        }
        await consumer.close()
        guard left.isEmpty else { throw WorkerProcess.Failure(description: "\(left) not read to the end") }
        return records.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }

    func make(_ topic: String, partitions: Int = 1, configs: [String: String] = [:]) async throws {
        let admin = try Admin(KafkaSettings(bootstrapServers: servers))
        let results = try await admin.createTopics([
            NewTopic(topic, partitions: partitions, replicationFactor: 1, configs: configs)
        ])
        if let error = results[topic] ?? nil { throw error }
    }
    func write(_ records: [ProducerRecord]) async throws {
        let producer = try Producer(KafkaSettings(bootstrapServers: servers))
        let summary = try await producer.send(contentsOf: records)
        await producer.close()
        if let failure = summary.failures.first { throw failure.error }
    }
}
