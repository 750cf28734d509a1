internal import Blocking
internal import CRDKafka
internal import Synchronization

/// How well a consumer knows the topics that it should read.
public enum TopicView: Sendable, Hashable {
    /// They were named.
    case named
    /// It has not looked yet, or found others than it reads, or joins its group with them.
    case pending
    /// All that existed at that moment.
    case current(asOf: ContinuousClock.Instant)
}

extension Consumer {
    /// Joins the group with these topics and all others whose names `matches` accepts, also those that are made later.
    ///
    /// Names are looked at every `topic.metadata.refresh.interval.ms` (five minutes by default) while the consumer is polled.
    /// Kafka's own topics match nothing. `rebalance` and `onRebalance` are those of
    /// ``subscribe(topics:rebalance:onRebalance:)``. Throws `closed`.
    public func subscribe(
        topics: [String] = [],
        matching matches: @escaping @Sendable (String) -> Bool,
        rebalance: RebalanceMode = .byCaller,
        onRebalance: (@Sendable (RebalanceEvent) -> Void)? = nil
    ) async throws(KafkaClientError) {
        try checkOpen("subscribing")
        handle.target.rebalances.withLock { ($0.mode, $0.observer) = (rebalance, onRebalance) }
        begin(TopicSearch(named: topics, interval: lookInterval, now: .now, matches: matches))
    }

    /// Whether the consumer reads all the topics that it should.
    public var topicView: TopicView {
        guard let asOf = searchIsCurrentAsOf else { return .named }
        guard let asOf, !handle.target.rebalances.withLock({ $0.isJoining }) else { return .pending }
        return .current(asOf: asOf)
    }

    private var lookInterval: Duration {
        .milliseconds(settings["topic.metadata.refresh.interval.ms"].flatMap { Int($0) } ?? 300_000)
    }

    /// Asks for the names of all topics when that is due, and joins with what matches; a failure is asked again.
    func lookForTopics() async throws(KafkaClientError) {
        guard takeDueLook() else { return }
        let handle = handle
        let names = await control.run { unsafe handle.withPointer { unsafe Self.topicNames($0) } }
        let isJoining = handle.target.rebalances.withLock { $0.isJoining }
        guard case .subscribe(let topics)? = search(found: names, isJoining: isJoining) else { return }
        try await join(topics)
    }

    private static func topicNames(_ rk: OpaquePointer) -> [String]? {
        var found: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(rk, 1, nil, &found, 1_000)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe found else { return nil }
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        return unsafe (0..<Int(metadata.pointee.topic_cnt)).compactMap { index in
            let topic = unsafe metadata.pointee.topics[index]
            return unsafe topic.err == RD_KAFKA_RESP_ERR_NO_ERROR ? String(cString: topic.topic) : nil
        }
    }
}
