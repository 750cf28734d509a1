internal import Blocking
internal import CRDKafka

extension ProducerCore {
    private static let patience = Duration.seconds(2)

    /// The topic's handle; of a topic that is new to this producer, once its partitions have a leader, or after 2 s anyway.
    ///
    /// librdkafka looks again for a topic that brokers are just making once a second, which would hold back the first record
    /// of every new topic; asking for its metadata ends that wait.
    func settledTopic(_ name: String) async throws(KafkaClientError) -> RDKafkaTopic {
        if let known = knownTopic(name) { return known }
        let topic = try topic(name)
        let deadline = ContinuousClock.now + Self.patience
        var pause = Duration.milliseconds(5)
        while !isClosed, !Task.isCancelled, ContinuousClock.now < deadline {
            let left = deadline - .now
            if try await control.run({ [self] () throws(KafkaClientError) in hasLeaders(topic, timeout: left) }) {
                break
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(100))
        }
        return topic
    }

    /// Asks the brokers; false also while they cannot be asked.
    private func hasLeaders(_ topic: RDKafkaTopic, timeout: Duration) -> Bool {
        var made: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe handle.withPointer { handle in
            unsafe topic.withPointer { unsafe rd_kafka_metadata(handle, 0, $0, &made, timeout.milliseconds) }
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe made else { return false }
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        guard unsafe metadata.pointee.topic_cnt > 0 else { return false }
        let found = unsafe metadata.pointee.topics[0]
        guard unsafe found.err == RD_KAFKA_RESP_ERR_NO_ERROR, unsafe found.partition_cnt > 0 else { return false }
        return unsafe (0..<Int(found.partition_cnt)).allSatisfy { unsafe found.partitions[$0].leader >= 0 }
    }
}
