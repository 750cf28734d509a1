internal import CRDKafka
internal import Synchronization

/// A Kafka cluster inside this process: librdkafka's mock cluster, for a first try and for tests.
///
/// It listens on 127.0.0.1, so other processes can use it. It keeps about 5 MB per partition in memory and loses it at the
/// end; there is no compaction, no admin protocol beyond metadata, and read_committed does not filter aborted records.
/// Topics appear on first use, with four partitions; ``createTopic(_:partitions:replicationFactor:)`` makes others.
@safe public final class EmbeddedCluster: Sendable {
    private let handle: RDKafkaHandle
    private let cluster: Mutex<Cluster?>
    private let relay: TCPRelay?
    /// `host:port` for ``KafkaSettings``: the fixed port if one was asked for, else every broker's.
    public let bootstrapServers: String

    @safe private struct Cluster: @unchecked Sendable {  // the mock cluster locks itself
        let pointer: OpaquePointer
    }

    /// Starts it.
    ///
    /// With `port`, clients find the cluster at that port of 127.0.0.1; the brokers themselves listen on ports of the
    /// system's choice, which the cluster's metadata tells. Throws `configuration` when the number of brokers is out of
    /// range or the port is taken.
    public init(brokers: Int = 1, port: Int? = nil) throws(KafkaClientError) {
        let settings = ["client.id": "embedded-cluster"]
        guard (1...100).contains(brokers) else {
            let reason = "starting an embedded cluster: brokers must be between 1 and 100, got \(brokers)"
            throw KafkaClientError(code: .configuration, reason: reason)
        }
        handle = try RDKafkaHandle(.admin, settings: settings, target: CallbackTarget(events: nil))
        guard let made = unsafe handle.withPointer({ unsafe rd_kafka_mock_cluster_new($0, Int32(clamping: brokers)) }),
            let servers = unsafe rd_kafka_mock_cluster_bootstraps(made)
        else {
            throw KafkaClientError(code: .configuration, reason: "starting an embedded cluster of \(brokers) brokers")
        }
        let own = unsafe String(cString: servers)
        cluster = Mutex(unsafe Cluster(pointer: made))
        guard let port else {
            (relay, bootstrapServers) = (nil, own)
            return
        }
        let target = own.split(separator: ",").first?.split(separator: ":").last.flatMap { Int($0) } ?? 0
        do {
            let relay = try TCPRelay(port: port, target: target)
            (self.relay, bootstrapServers) = (relay, "127.0.0.1:\(relay.port)")
        } catch {
            unsafe rd_kafka_mock_cluster_destroy(made)
            throw error
        }
    }

    deinit { close() }

    /// Ends the cluster; clients see their connections break.
    public func close() {
        guard
            let last = cluster.withLock({ cluster in
                defer { cluster = nil }
                return cluster
            })
        else { return }
        relay?.shut()
        let handle = handle
        HandleReaper.shared.destroy {
            withExtendedLifetime(handle) { unsafe rd_kafka_mock_cluster_destroy(last.pointer) }
        }
    }

    /// Makes a topic.
    ///
    /// - Throws: `topicAlreadyExists`, `invalidArgument`, `closed`.
    public func createTopic(
        _ name: String,
        partitions: Int = 1,
        replicationFactor: Int = 1
    ) throws(KafkaClientError) {
        try unsafe call("creating topic \"\(name)\"") {
            unsafe rd_kafka_mock_topic_create($0, name, Int32(clamping: partitions), Int32(clamping: replicationFactor))
        }
    }

    /// Makes the next requests of one kind fail, one per error.
    ///
    /// `api` is the protocol's number of the request: 0 Produce, 1 Fetch, 3 Metadata, 8 OffsetCommit, 9 OffsetFetch …;
    /// `codes` are the protocol's error numbers, or librdkafka's -195 to break the connection.
    public func pushErrors(api: Int16, _ codes: [Int32]) throws(KafkaClientError) {
        let errors = codes.map { rd_kafka_resp_err_t(rawValue: $0) }
        try unsafe call("injecting errors") {
            unsafe rd_kafka_mock_push_request_errors_array($0, api, errors.count, errors)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// Forgets errors that no request has met yet.
    public func clearErrors(api: Int16) throws(KafkaClientError) {
        try unsafe call("clearing errors") {
            unsafe rd_kafka_mock_clear_request_errors($0, api)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// Makes metadata requests for a topic fail; 0 heals it.
    public func setTopicError(_ topic: String, _ code: Int32) throws(KafkaClientError) {
        try unsafe call("setting an error of topic \"\(topic)\"") {
            unsafe rd_kafka_mock_topic_set_error($0, topic, rd_kafka_resp_err_t(rawValue: code))
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// Delays every answer of a broker (-1: of all).
    public func setRoundTripTime(broker: Int32 = -1, _ delay: Duration) throws(KafkaClientError) {
        try unsafe call("setting a round-trip time") {
            unsafe rd_kafka_mock_broker_set_rtt($0, broker, delay.milliseconds)
        }
    }

    /// Breaks a broker's connections and refuses new ones (-1: all brokers).
    public func brokerDown(_ broker: Int32 = -1) throws(KafkaClientError) {
        try unsafe call("stopping broker \(broker)") { unsafe rd_kafka_mock_broker_set_down($0, broker) }
    }

    /// Undoes ``brokerDown(_:)``.
    public func brokerUp(_ broker: Int32 = -1) throws(KafkaClientError) {
        try unsafe call("starting broker \(broker)") { unsafe rd_kafka_mock_broker_set_up($0, broker) }
    }

    /// Makes a broker the leader of a partition; -1 leaves it without one.
    public func setLeader(topic: String, partition: Int32, broker: Int32) throws(KafkaClientError) {
        try unsafe call("moving \(topic)-\(partition)") {
            unsafe rd_kafka_mock_partition_set_leader($0, topic, partition, broker)
        }
    }

    private func call(
        _ doing: String,
        _ body: (OpaquePointer) -> rd_kafka_resp_err_t
    ) throws(KafkaClientError) {
        let code = cluster.withLock { cluster in cluster.map { unsafe body($0.pointer) } }
        guard let code else { throw .closed(doing) }
        if let error = KafkaClientError.ifFailed(code, doing: doing) { throw error }
    }
}
