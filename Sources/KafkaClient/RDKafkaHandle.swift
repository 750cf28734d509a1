internal import CRDKafka
internal import Dispatch
internal import Synchronization

/// Frees handles whose destroy call blocks, on a thread of its own, so that no deinit does.
final class HandleReaper: Sendable {
    static let shared = HandleReaper()
    private let queue = DispatchQueue(label: "kafka.reaper")

    func destroy(_ free: @escaping @Sendable () -> Void) { queue.async(execute: free) }

    func drain() async {
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }
}

/// Where librdkafka's callbacks go; the handle keeps it alive until after `rd_kafka_destroy`.
final class CallbackTarget: Sendable {
    let events: (@Sendable (ClientEvent) -> Void)?
    /// A consumer's rebalances that the caller has not seen yet.
    let rebalances = Mutex(RebalanceInbox())

    init(events: (@Sendable (ClientEvent) -> Void)?) { self.events = events }

    func failed(_ code: rd_kafka_resp_err_t, _ text: String) {
        guard let events else { return }
        if code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN { return events(.brokersDown(reason: text)) }
        events(.error(KafkaClientError(code, doing: "Kafka client", detail: text)))
    }
}

/// One librdkafka client; everything made from it holds it, so it dies last.
@safe final class RDKafkaHandle: Sendable {
    nonisolated(unsafe) private let rk: OpaquePointer  // rd_kafka_t is documented as thread-safe
    let target: CallbackTarget
    private let destroyFlags: Int32
    /// librdkafka before 2.3 aborts the process when a consumer of this strategy is destroyed between joining its group and
    /// its first assignment (issue 4312 there).
    private let diesBeforeAssignment: Bool

    enum Kind { case producer, consumer, admin }

    init(_ kind: Kind, settings: [String: String], target: CallbackTarget) throws(KafkaClientError) {
        let conf = RDKafkaConf()
        for (key, value) in settings.sorted(by: { $0.key < $1.key }) { try conf.set(key, value) }
        let retained = unsafe Unmanaged.passRetained(target)
        unsafe conf.withPointer { raw in
            unsafe rd_kafka_conf_set_opaque(raw, retained.toOpaque())
            unsafe rd_kafka_conf_set_log_cb(raw, onLog)
            if kind != .admin {  // nobody serves an admin client's event queue, where these would pile up
                unsafe rd_kafka_conf_set_error_cb(raw, onError)
                unsafe rd_kafka_conf_set_stats_cb(raw, onStatistics)
            }
            switch kind {
            case .producer: unsafe rd_kafka_conf_set_events(raw, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR)
            case .consumer: unsafe rd_kafka_conf_set_rebalance_cb(raw, onRebalance)
            case .admin: break
            }
        }
        let raw = unsafe conf.intoC()
        let type = kind == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER
        let (made, reason) = unsafe withReasonBuffer { unsafe rd_kafka_new(type, raw, $0, $1) }
        guard let made = unsafe made else {
            unsafe rd_kafka_conf_destroy(raw)  // rd_kafka_new keeps conf only on success
            unsafe retained.release()
            throw KafkaClientError(code: .configuration, reason: "creating a Kafka client: \(reason)")
        }
        unsafe rk = made
        self.target = target
        // A consumer leaves its group in close(); destroy must not do it again, waiting for a broker.
        destroyFlags = kind == .consumer ? RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE : 0
        diesBeforeAssignment =
            kind == .consumer && KafkaSettings.libraryVersion < 0x0203_00ff
            && settings["partition.assignment.strategy"]?.contains("cooperative-sticky") == true
    }

    deinit {
        // Rather a small leak, once per shutdown in the middle of a first join, than a crash.
        if diesBeforeAssignment, target.rebalances.withLock({ $0.isJoining && !$0.wasAssigned }) { return }
        nonisolated(unsafe) let rk = unsafe rk
        let flags = destroyFlags
        let target = target
        HandleReaper.shared.destroy {
            unsafe rd_kafka_destroy_flags(rk, flags)
            unsafe Unmanaged.passUnretained(target).release()  // the reference that librdkafka held as its opaque
        }
    }

    func withPointer<T, E: Error>(_ body: (OpaquePointer) throws(E) -> T) throws(E) -> T {
        try withExtendedLifetime(self) { () throws(E) -> T in try unsafe body(rk) }
    }
}

/// A queue of a client; destroyed before the client.
@safe final class RDKafkaQueue: Sendable {
    nonisolated(unsafe) private let queue: OpaquePointer  // rd_kafka_queue_t is thread-safe
    let handle: RDKafkaHandle

    init?(of handle: RDKafkaHandle, _ make: (OpaquePointer) -> OpaquePointer?) {
        guard let made = unsafe handle.withPointer({ unsafe make($0) }) else { return nil }
        unsafe queue = made
        self.handle = handle
    }

    deinit { unsafe rd_kafka_queue_destroy(queue) }

    func withPointer<T>(_ body: (OpaquePointer) -> T) -> T { withExtendedLifetime(self) { unsafe body(queue) } }
    var count: Int { unsafe rd_kafka_queue_length(queue) }
    func wake() { unsafe rd_kafka_queue_yield(queue) }
}

/// A topic object of a producer, made once per topic.
@safe final class RDKafkaTopic: Sendable {
    nonisolated(unsafe) private let topic: OpaquePointer  // rd_kafka_topic_t is thread-safe
    let name: String
    private let handle: RDKafkaHandle

    init(_ name: String, of handle: RDKafkaHandle) throws(KafkaClientError) {
        guard let made = unsafe handle.withPointer({ unsafe rd_kafka_topic_new($0, name, nil) }) else {
            throw KafkaClientError(rd_kafka_last_error(), doing: "opening topic \"\(name)\"")
        }
        unsafe topic = made
        self.name = name
        self.handle = handle
    }

    deinit { unsafe rd_kafka_topic_destroy(topic) }

    func withPointer<T>(_ body: (OpaquePointer) -> T) -> T { withExtendedLifetime(self) { unsafe body(topic) } }
}

// Callbacks: C calls them on its own threads or on the polling one. They copy, hand on, and return.

private func target(_ opaque: UnsafeMutableRawPointer?) -> CallbackTarget? {
    unsafe opaque.map { unsafe Unmanaged<CallbackTarget>.fromOpaque($0).takeUnretainedValue() }
}

private func onLog(
    _ rk: OpaquePointer?,
    _ level: CInt,
    _ facility: UnsafePointer<CChar>?,
    _ text: UnsafePointer<CChar>?
) {
    guard let rk = unsafe rk, let facility = unsafe facility, let text = unsafe text else { return }
    guard let events = unsafe target(rd_kafka_opaque(rk))?.events else { return }
    unsafe events(.log(level: Int(level), facility: String(cString: facility), text: String(cString: text)))
}

private func onError(
    _ rk: OpaquePointer?,
    _ code: CInt,
    _ text: UnsafePointer<CChar>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    guard let text = unsafe text else { return }
    unsafe target(opaque)?.failed(rd_kafka_resp_err_t(rawValue: code), String(cString: text))
}

private func onStatistics(
    _ rk: OpaquePointer?,
    _ json: UnsafeMutablePointer<CChar>?,
    _ length: Int,
    _ opaque: UnsafeMutableRawPointer?
) -> CInt {
    guard let json = unsafe json, let events = unsafe target(opaque)?.events else { return 0 }
    let text = unsafe String(decoding: UnsafeRawBufferPointer(start: json, count: length), as: UTF8.self)
    events(.statistics(json: text))
    return 0
}

private func onRebalance(
    _ rk: OpaquePointer?,
    _ code: rd_kafka_resp_err_t,
    _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    guard let rk = unsafe rk, let target = unsafe target(opaque) else { return }
    let partitions = unsafe list.map { unsafe PartitionList.entries(of: $0).map(\.partition) } ?? []
    let isLost = unsafe rd_kafka_assignment_lost(rk) != 0
    let change: Rebalance =
        switch code {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS: .assigned(partitions)
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS: .revoked(partitions, lost: isLost)
        default: .failed(KafkaClientError(code, doing: "rebalancing the consumer group"))
        }
    let (isAnsweredHere, observer) = target.rebalances.withLock { ($0.add(change), $0.observer) }
    if let event = change.event { observer?(event) }
    guard isAnsweredHere else { return }
    unsafe RebalanceAnswer.accept(change, rk)
}
