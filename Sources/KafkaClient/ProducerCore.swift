internal import Blocking
internal import CRDKafka
internal import ConnectModel
internal import Synchronization

/// What a ``Producer`` and its event thread share.
@safe final class ProducerCore: Sendable {
    let handle: RDKafkaHandle
    let events: RDKafkaQueue
    let deliveries = DeliveryTable()
    let budget: SendBudget
    let servers: String
    /// For calls that block for a broker: flush, transactions.
    let control = TaskThread(label: "kafka.producer.control")
    private let eventThread = TaskThread(label: "kafka.producer.events")
    private let topics = Mutex<[String: RDKafkaTopic]>([:])
    private let phase = Mutex(Phase())

    private struct Phase {
        var isClosed = false
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    init(_ settings: KafkaSettings, events report: (@Sendable (ClientEvent) -> Void)?) throws(KafkaClientError) {
        let (values, bounds) = try settings.forProducer()
        servers = settings.bootstrapServers
        handle = try RDKafkaHandle(.producer, settings: values, target: CallbackTarget(events: report))
        guard let queue = unsafe RDKafkaQueue(of: handle, { unsafe rd_kafka_queue_get_main($0) }) else {
            throw KafkaClientError(code: .unsupported, reason: "creating a producer: librdkafka gave no event queue")
        }
        events = queue
        budget = SendBudget(bounds)
    }

    /// The event thread holds the core, so whoever starts it must stop it.
    func start() { eventThread.submit { [self] in serveEvents() } }

    var isClosed: Bool { phase.withLock { $0.isClosed } }

    func stop() {
        phase.withLock { $0.isClosed = true }
        budget.close()
        events.wake()
    }

    func waitUntilEnded() async {
        await withCheckedContinuation { continuation in
            let hasEnded = phase.withLock { phase in
                if !phase.hasEnded { phase.waiters.append(continuation) }
                return phase.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// The handle of a topic that was sent to before.
    func knownTopic(_ name: String) -> RDKafkaTopic? { topics.withLock { $0[name] } }

    func topic(_ name: String) throws(KafkaClientError) -> RDKafkaTopic {
        if let known = knownTopic(name) { return known }
        let made = try RDKafkaTopic(name, of: handle)
        topics.withLock { $0[name] = made }
        return made
    }

    // --- the event thread

    private func serveEvents() {
        while !isClosed { serve(timeout: 1_000) }
        // What nobody waited for in close() is given up, but everyone who waits hears of it.
        unsafe handle.withPointer { unsafe _ = rd_kafka_purge($0, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT) }
        for _ in 0..<50 {
            serve(timeout: 0)
            guard unsafe handle.withPointer({ unsafe rd_kafka_outq_len($0) }) > 0 else { break }
            serve(timeout: 100)
        }
        for entry in deliveries.removeAll() {
            let error = KafkaClientError.closed("delivering records")
            switch entry {
            case .single(let report, _): report(.failure(error))
            case .buffer(let delivery, _): _ = delivery.settle(delivery.remaining, failures: [(0, error)])
            }
        }
        let waiters = phase.withLock { phase in
            phase.hasEnded = true
            defer { phase.waiters = [] }
            return phase.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func serve(timeout milliseconds: Int32) {
        guard let event = unsafe events.withPointer({ unsafe rd_kafka_queue_poll($0, milliseconds) }) else { return }
        var released = SendCost.zero
        switch unsafe rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR: released = unsafe reportDeliveries(event)
        case RD_KAFKA_EVENT_ERROR:
            unsafe handle.target.failed(
                rd_kafka_event_error(event),
                String(cString: rd_kafka_event_error_string(event))
            )
        case RD_KAFKA_EVENT_STATS:
            let json = unsafe String(cString: rd_kafka_event_stats(event))
            handle.target.events?(.statistics(json: json))
        default: break
        }
        unsafe rd_kafka_event_destroy(event)
        // Only after destroy, so that librdkafka's own count never exceeds ours.
        if released != .zero { budget.release(released) }
    }

    /// Reports come in runs of one buffer, so each run costs one look at the table.
    private func reportDeliveries(_ event: OpaquePointer) -> SendCost {
        var released = SendCost.zero
        var run = (slot: -1, count: 0, failures: [Delivery.Failure](), entry: DeliveryTable.Entry?.none)
        func flush() {
            if run.count > 0, case .buffer(let delivery, _)? = run.entry {
                deliveries.settle(run.slot, delivery, run.count, run.failures)
            }
        }
        while let message = unsafe rd_kafka_event_message_next(event) {
            let (slot, index) = unsafe DeliveryTable.slotAndIndex(message.pointee._private)
            if slot != run.slot || run.entry == nil {
                flush()
                run = (slot, 0, [], deliveries.entry(slot))
            }
            released.records += 1
            unsafe released.bytes += message.pointee.len + message.pointee.key_len + SendCost.perRecord
            switch run.entry {
            case .buffer(_, let extra)?:
                run.count += 1
                if !extra.isEmpty { released.bytes += Int(extra[index]) }
                if unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                    run.failures.append((index, unsafe failure(of: message)))
                }
            case .single(let report, let extra)?:
                released.bytes += extra
                deliveries.remove(slot)
                run.entry = nil
                unsafe report(outcome(of: message))
            case nil: break
            }
        }
        flush()
        return released
    }

    private func failure(of message: UnsafePointer<rd_kafka_message_t>) -> KafkaClientError {
        let topic = unsafe String(cString: rd_kafka_topic_name(message.pointee.rkt))
        return unsafe KafkaClientError(message.pointee.err, doing: "delivering a record to topic \"\(topic)\"")
    }

    private func outcome(
        of message: UnsafePointer<rd_kafka_message_t>
    ) -> Result<RecordMetadata, KafkaClientError> {
        if unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR { return unsafe .failure(failure(of: message)) }
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = unsafe rd_kafka_message_timestamp(message, &kind)
        let offset = unsafe message.pointee.offset
        return .success(
            RecordMetadata(
                topic: unsafe String(cString: rd_kafka_topic_name(message.pointee.rkt)),
                partition: unsafe message.pointee.partition,
                offset: offset >= 0 ? offset : -1,
                timestamp: timestamp
            )
        )
    }
}
