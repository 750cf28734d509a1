internal import Blocking
internal import CRDKafka
internal import ConnectModel

/// How admin calls reach librdkafka and come back.
extension Admin {
    /// Runs a call that blocks on a thread of its own, so that slow calls do not queue behind each other.
    func blocking<R: Sendable>(
        _ body: @escaping @Sendable (RDKafkaHandle) throws(KafkaClientError) -> R
    ) async throws(KafkaClientError) -> R {
        let handle = handle
        return try await TaskThread(label: "kafka.admin").run { () throws(KafkaClientError) in try body(handle) }
    }

    /// Refuses what needs a controller at once where there is none: the embedded cluster, told by its id.
    func requireController(_ doing: String, _ timeout: Duration) async throws(KafkaClientError) {
        guard try await clusterID(timeout: timeout)?.hasPrefix("mockCluster") == true else { return }
        let reason = "\(doing): the embedded cluster has no admin protocol; topics appear on first use"
        throw KafkaClientError(code: .unsupported, reason: reason)
    }

    /// Sends one admin request and reads its result event.
    func request<R: Sendable>(
        _ doing: String,
        _ timeout: Duration,
        submit: @escaping @Sendable (_ rk: OpaquePointer, _ options: OpaquePointer?, _ queue: OpaquePointer) -> Void,
        read: @escaping @Sendable (_ event: OpaquePointer) throws(KafkaClientError) -> R
    ) async throws(KafkaClientError) -> R {
        try await blocking { handle throws(KafkaClientError) in
            guard let answers = unsafe RDKafkaQueue(of: handle, { unsafe rd_kafka_queue_new($0) }) else {
                throw KafkaClientError(code: .invalidState, reason: "\(doing): no queue")
            }
            let milliseconds = timeout.milliseconds
            unsafe handle.withPointer { rk in
                let options = unsafe rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_ANY)
                defer { unsafe rd_kafka_AdminOptions_destroy(options) }
                _ = unsafe withReasonBuffer {
                    unsafe rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, $0, $1)
                }
                _ = unsafe withReasonBuffer {
                    unsafe rd_kafka_AdminOptions_set_operation_timeout(options, milliseconds, $0, $1)
                }
                unsafe answers.withPointer { unsafe submit(rk, options, $0) }
            }
            // librdkafka ends the request by itself; the slack is for its answer to arrive here.
            let limit = Int32(clamping: Int64(milliseconds) + 1_000)
            guard let event = unsafe answers.withPointer({ unsafe rd_kafka_queue_poll($0, limit) }) else {
                let reason = "\(doing): no answer within \(timeout)"
                throw KafkaClientError(code: .timedOut, reason: reason, isRetriable: true)
            }
            defer { unsafe rd_kafka_event_destroy(event) }
            let code = unsafe rd_kafka_event_error(event)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
                throw KafkaClientError(code, doing: doing, detail: text)
            }
            return try unsafe read(event)
        }
    }

    /// Metadata of all topics: asking for one topic by name could create it.
    func metadata<R: Sendable>(
        _ doing: String,
        _ timeout: Duration,
        read: @escaping @Sendable (UnsafePointer<rd_kafka_metadata>) -> R
    ) async throws(KafkaClientError) -> R {
        try await blocking { handle throws(KafkaClientError) in
            var made: UnsafePointer<rd_kafka_metadata>?
            let code = unsafe handle.withPointer { unsafe rd_kafka_metadata($0, 1, nil, &made, timeout.milliseconds) }
            if let error = KafkaClientError.ifFailed(code, doing: doing) { throw error }
            guard let metadata = unsafe made else {
                throw KafkaClientError(code: .invalidState, reason: "\(doing): no metadata")
            }
            defer { unsafe rd_kafka_metadata_destroy(metadata) }
            return unsafe read(metadata)
        }
    }

    static func topic(_ raw: rd_kafka_metadata_topic) -> TopicDescription {
        let partitions = unsafe (0..<Int(raw.partition_cnt)).map { index in
            let partition = unsafe raw.partitions[index]
            let replicas = unsafe UnsafeBufferPointer(start: partition.replicas, count: Int(partition.replica_cnt))
            let isrs = unsafe UnsafeBufferPointer(start: partition.isrs, count: Int(partition.isr_cnt))
            return unsafe TopicDescription.Partition(
                id: partition.id,
                leader: partition.leader,
                replicas: Array(replicas),
                isrs: Array(isrs)
            )
        }
        return unsafe TopicDescription(
            name: String(cString: raw.topic),
            partitions: partitions.sorted { $0.id < $1.id }
        )
    }

    static func newTopic(_ topic: NewTopic) -> OpaquePointer? {
        let (made, _) = unsafe withReasonBuffer {
            unsafe rd_kafka_NewTopic_new(
                topic.name,
                Int32(clamping: topic.partitions),
                Int32(clamping: topic.replicationFactor),
                $0,
                $1
            )
        }
        for (key, value) in topic.configs { unsafe _ = rd_kafka_NewTopic_set_config(made, key, value) }
        return unsafe made
    }

    /// Name and outcome of each topic in a result of CreateTopics, DeleteTopics or CreatePartitions.
    static func topicResults(_ event: OpaquePointer, _ doing: String) -> [String: KafkaClientError?] {
        var list: UnsafeMutablePointer<OpaquePointer?>?
        let count = unsafe rdkafka_topic_results(event, &list)
        var results: [String: KafkaClientError?] = [:]
        for index in 0..<count {
            guard let result = unsafe list?[index] else { continue }
            let name = unsafe String(cString: rd_kafka_topic_result_name(result))
            let code = unsafe rd_kafka_topic_result_error(result)
            let text = unsafe rd_kafka_topic_result_error_string(result).map { unsafe String(cString: $0) }
            let error =
                code == RD_KAFKA_RESP_ERR_NO_ERROR
                ? nil : KafkaClientError(code, doing: "\(doing) \"\(name)\"", detail: text)
            results.updateValue(error, forKey: name)
        }
        return results
    }

    /// Offsets of a result list, or the first partition's failure.
    static func offsets(
        of list: UnsafePointer<rd_kafka_topic_partition_list_t>,
        _ doing: String
    ) throws(KafkaClientError) -> [TopicPartition: Int64] {
        var offsets: [TopicPartition: Int64] = [:]
        for entry in unsafe PartitionList.entries(of: list) {
            if let error = KafkaClientError.ifFailed(entry.error, doing: "\(doing), \(entry.partition)") { throw error }
            if entry.offset >= 0 { offsets[entry.partition] = entry.offset }
        }
        return offsets
    }

    /// From an error object that belongs to a result.
    static func error(copying error: OpaquePointer, doing: String) -> KafkaClientError {
        let text = unsafe String(cString: rd_kafka_error_string(error))
        return unsafe KafkaClientError(rd_kafka_error_code(error), doing: doing, detail: text)
    }
}
