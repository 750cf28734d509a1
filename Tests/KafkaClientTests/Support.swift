import ConnectModel
import Synchronization
import Testing

@testable import KafkaClient

extension KafkaSettings {
    init(_ cluster: EmbeddedCluster, _ values: [String: String] = [:]) {
        self.init(bootstrapServers: cluster.bootstrapServers, values)
    }
}

/// A cluster per test, with a topic `t` of so many partitions.
func makeCluster(partitions: Int = 1, brokers: Int = 1) throws -> EmbeddedCluster {
    let cluster = try EmbeddedCluster(brokers: brokers)
    try cluster.createTopic("t", partitions: partitions)
    return cluster
}

func texts(_ values: Range<Int>, topic: String = "t", partition: Int32 = -1) -> RecordBuffer {
    var buffer = RecordBuffer()
    let index = buffer.index(ofTopic: topic)
    for value in values {
        buffer.append(topic: index, partition: partition, key: nil as [UInt8]?, value: Array("v\(value)".utf8))
    }
    return buffer
}

/// A copied record, for comparing.
struct Received: Equatable {
    var partition: TopicPartition
    var offset: Int64
    var key: String?
    var value: String?

    static func all(_ batch: MessageBatch) -> [Received] {
        (0..<batch.count).map { index in
            Received(
                partition: batch.topicPartition(at: index),
                offset: batch.offset(at: index),
                key: batch.key(at: index).map { String(decoding: $0, as: UTF8.self) },
                value: batch.value(at: index).map { String(decoding: $0, as: UTF8.self) }
            )
        }
    }
}

extension Consumer {
    /// Polls until `count` records came or the consumer was idle for long; answers rebalances by taking everything.
    func receive(_ count: Int, maxRecords: Int = 500) async throws -> [Received] {
        var all: [Received] = []
        var idles = 0
        while all.count < count, idles < 20 {
            switch try await poll(maxRecords: maxRecords, timeout: .seconds(1)) {
            case .batch(let batch): all += Received.all(batch)
            case .assigned: try await assign([:])
            case .revoked: try await unassign()
            case .idle: idles += 1
            case .endOfPartition: break
            }
        }
        return all
    }
}

/// Collects what callbacks report.
final class Collected<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])
    var all: [Element] { state.withLock { $0 } }
    func append(_ element: Element) { state.withLock { $0.append(element) } }
}

/// Asks a server again until it says so; each question takes a round trip, so nothing sleeps.
func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("the condition did not come true within 20 s")
            return
        }
    }
}
