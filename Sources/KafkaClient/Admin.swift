internal import Blocking
internal import CRDKafka
public import ConnectModel

/// Asks and changes a cluster: topics, offsets, groups.
///
/// Every call runs on a thread that may block and ends within its timeout. What the embedded cluster cannot do throws
/// `unsupported`.
public final class Admin: Sendable {
    let handle: RDKafkaHandle
    let servers: String

    /// Makes an admin client; brokers are contacted in the background.
    ///
    /// `events` gets log lines, on a thread of librdkafka. Throws `configuration`, naming the setting.
    public init(
        _ settings: KafkaSettings,
        events: (@Sendable (ClientEvent) -> Void)? = nil
    ) throws(KafkaClientError) {
        servers = settings.bootstrapServers
        handle = try RDKafkaHandle(.admin, settings: settings.forAdmin(), target: CallbackTarget(events: events))
    }

    // --- cluster

    /// The cluster's id; nil when the brokers do not tell it in time.
    public func clusterID(timeout: Duration = .seconds(30)) async throws(KafkaClientError) -> String? {
        try await blocking { handle in
            unsafe handle.withPointer { rk in
                guard let text = unsafe rd_kafka_clusterid(rk, timeout.milliseconds) else { return nil }
                defer { unsafe rd_kafka_mem_free(rk, text) }
                return unsafe String(cString: text)
            }
        }
    }

    /// All brokers.
    public func brokers(timeout: Duration = .seconds(30)) async throws(KafkaClientError) -> [Broker] {
        try await unsafe metadata("listing brokers", timeout) { metadata in
            unsafe (0..<Int(metadata.pointee.broker_cnt)).map { index in
                let broker = unsafe metadata.pointee.brokers[index]
                return unsafe Broker(id: broker.id, host: String(cString: broker.host), port: Int(broker.port))
            }
        }
    }

    // --- topics

    /// All topics, internal ones too, in order of name.
    public func listTopics(timeout: Duration = .seconds(30)) async throws(KafkaClientError) -> [TopicDescription] {
        let topics = try await unsafe metadata("listing topics", timeout) { metadata in
            unsafe (0..<Int(metadata.pointee.topic_cnt)).map { unsafe Self.topic(metadata.pointee.topics[$0]) }
        }
        return topics.sorted { $0.name < $1.name }
    }

    /// One topic; nil when it does not exist, which this does not change.
    public func describeTopic(
        _ name: String,
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> TopicDescription? {
        try await listTopics(timeout: timeout).first { $0.name == name }
    }

    /// Creates topics; the result says for each whether it worked (nil) or why not (`topicAlreadyExists` …).
    public func createTopics(
        _ topics: [NewTopic],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> [String: KafkaClientError?] {
        guard !topics.isEmpty else { return [:] }
        try await requireController("creating topics", timeout)
        var refused: [String: KafkaClientError] = [:]
        for topic in topics where topic.partitions == 0 || topic.partitions < -1 || topic.name.isEmpty {
            let reason = "creating topic \"\(topic.name)\": needs a name, and partitions above 0 or -1"
            refused[topic.name] = KafkaClientError(code: .invalidArgument, reason: reason)
        }
        let good = topics.filter { refused[$0.name] == nil }
        let results: [String: KafkaClientError?] =
            unsafe good.isEmpty
            ? [:]
            : try await request("creating topics", timeout) { rk, options, queue in
                var list = unsafe good.map { unsafe Self.newTopic($0) }
                unsafe rd_kafka_CreateTopics(rk, &list, list.count, options, queue)
                unsafe list.forEach { unsafe rd_kafka_NewTopic_destroy($0) }
            } read: { event in
                unsafe Self.topicResults(event, "creating topic")
            }
        return results.merging(refused) { $1 }
    }

    /// Deletes topics; the result says for each whether it worked (nil) or why not.
    public func deleteTopics(
        _ names: [String],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> [String: KafkaClientError?] {
        guard !names.isEmpty else { return [:] }
        try await requireController("deleting topics", timeout)
        return try await unsafe request("deleting topics", timeout) { rk, options, queue in
            var list = unsafe names.map { unsafe rd_kafka_DeleteTopic_new($0) }
            unsafe rd_kafka_DeleteTopics(rk, &list, list.count, options, queue)
            unsafe list.forEach { unsafe rd_kafka_DeleteTopic_destroy($0) }
        } read: { event in
            unsafe Self.topicResults(event, "deleting topic")
        }
    }

    /// Raises a topic's number of partitions to `count`.
    public func createPartitions(
        _ topic: String,
        count: Int,
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) {
        let doing = "adding partitions to topic \"\(topic)\""
        try await requireController(doing, timeout)
        let results = try await unsafe request(doing, timeout) { rk, options, queue in
            var list: [OpaquePointer?] = unsafe [
                withReasonBuffer { unsafe rd_kafka_NewPartitions_new(topic, count, $0, $1) }.0
            ]
            unsafe rd_kafka_CreatePartitions(rk, &list, list.count, options, queue)
            unsafe list.forEach { unsafe rd_kafka_NewPartitions_destroy($0) }
        } read: { event in
            unsafe Self.topicResults(event, "adding partitions to topic")
        }
        if let error = results[topic] ?? nil { throw error }
    }

    // --- offsets

    /// The lowest offset and the one behind the newest record of each partition; unknown partitions throw.
    public func watermarks(
        _ partitions: [TopicPartition],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> [TopicPartition: (low: Int64, high: Int64)] {
        // Asking for the offsets of the special times "earliest" and "latest" takes one request per broker.
        let low = try await offsets(at: partitions.map { ($0, -2) }, "reading low watermarks", timeout)
        let high = try await offsets(at: partitions.map { ($0, -1) }, "reading high watermarks", timeout)
        var marks: [TopicPartition: (low: Int64, high: Int64)] = [:]
        for partition in partitions {
            guard let low = low[partition], let high = high[partition] else { continue }
            marks[partition] = (low, high)
        }
        return marks
    }

    /// The offset of the first record at or after a time (milliseconds since 1970); partitions without one are left out.
    public func offsetsForTimes(
        _ times: [TopicPartition: Int64],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        try await offsets(at: times.map { ($0.key, max(0, $0.value)) }, "finding offsets by time", timeout)
    }

    /// Deletes the records below the given offsets; the result is each partition's new lowest offset.
    public func deleteRecords(
        before offsets: [TopicPartition: Int64],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        guard !offsets.isEmpty else { return [:] }
        return try await unsafe request("deleting records", timeout) { rk, options, queue in
            let list = PartitionList(offsets)
            var deletions = unsafe [list.withPointer { unsafe rd_kafka_DeleteRecords_new($0) }]
            unsafe rd_kafka_DeleteRecords(rk, &deletions, 1, options, queue)
            unsafe deletions.forEach { unsafe rd_kafka_DeleteRecords_destroy($0) }
        } read: { event throws(KafkaClientError) in
            guard let result = unsafe rd_kafka_event_DeleteRecords_result(event),
                let list = unsafe rd_kafka_DeleteRecords_result_offsets(result)
            else { return [:] }
            return try unsafe Self.offsets(of: list, "deleting records")
        }
    }

    private func offsets(
        at times: [(TopicPartition, Int64)],
        _ doing: String,
        _ timeout: Duration
    ) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        guard !times.isEmpty else { return [:] }
        return try await blocking { handle throws(KafkaClientError) in
            let list = PartitionList(times.map { (key: $0.0, value: $0.1) })
            let code = unsafe handle.withPointer { rk in
                unsafe list.withPointer { unsafe rd_kafka_offsets_for_times(rk, $0, timeout.milliseconds) }
            }
            if let error = KafkaClientError.ifFailed(code, doing: doing) { throw error }
            if let error = list.firstError(doing: doing) { throw error }
            return list.offsets
        }
    }
}
