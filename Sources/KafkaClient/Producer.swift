internal import Blocking
internal import CRDKafka
public import ConnectModel

/// Writes records to Kafka: one at a time, by callback, or in buffers at full speed.
///
/// Defaults: `acks=all`, `enable.idempotence=true`, `linger.ms=5`, Java's partitioner (murmur2), at most 500,000 records
/// (`queue.buffering.max.messages`) and 24 MB inside, librdkafka's own memory included (`queue.buffering.max.kbytes`).
/// While a partition has a backlog, librdkafka's idempotent sender turns in a loop until the broker answers, which costs
/// two to three times the CPU; `enable.idempotence=false` with `max.in.flight.requests.per.connection=1`, as Kafka Connect
/// sets it, keeps the order and only may repeat records after a broken connection. A full producer suspends its
/// senders; it never drops a record.
///
/// ```swift
/// let producer = try Producer(KafkaSettings(bootstrapServers: "localhost:9092"))
/// let written = try await producer.send(ProducerRecord(topic: "orders", key: "7", value: #"{"total":12.50}"#))
/// await producer.close()
/// ```
public final class Producer: Sendable {
    let core: ProducerCore

    /// Makes a producer; brokers are contacted in the background.
    ///
    /// `events` gets log lines and failures that belong to no call, on a thread of librdkafka. Throws `configuration`,
    /// naming the setting.
    public init(
        _ settings: KafkaSettings,
        events: (@Sendable (ClientEvent) -> Void)? = nil
    ) throws(KafkaClientError) {
        core = try ProducerCore(settings, events: events)
        core.start()
    }

    deinit { core.stop() }

    /// Records that are inside: not yet acknowledged, nor failed.
    public var pending: Int { core.budget.used.records }

    /// The partition that Java's default partitioner and this one choose for a key: murmur2, made positive, modulo
    /// `count`.
    public static func partition(forKey key: [UInt8], count: Int32) -> Int32 {
        unsafe key.withUnsafeBytes { key in
            unsafe rd_kafka_msg_partitioner_murmur2(nil, key.baseAddress, key.count, count, nil, nil)
        }
    }

    /// Sends one record and suspends until the brokers have it.
    ///
    /// - Throws: why it was not written; after `isRetriable` errors the record was not acknowledged but may exist.
    public func send(_ record: ProducerRecord) async throws(KafkaClientError) -> RecordMetadata {
        try checkOpen()
        let cost = Self.cost(of: record)
        _ = try await core.settledTopic(record.topic)
        try await core.budget.reserve(cost)
        let result = await withCheckedContinuation { continuation in
            do throws(KafkaClientError) {
                try enqueue(record, cost) { continuation.resume(returning: $0) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    /// Sends one record; `onDelivery` is called exactly once, on the producer's thread, unless this throws.
    ///
    /// - Throws: `queueFull` when the producer's bounds are reached; nothing was taken then.
    public func send(
        _ record: ProducerRecord,
        onDelivery: @escaping @Sendable (Result<RecordMetadata, KafkaClientError>) -> Void
    ) throws(KafkaClientError) {
        try checkOpen()
        let cost = Self.cost(of: record)
        guard core.budget.tryReserve(cost) else {
            throw KafkaClientError(
                code: .queueFull,
                reason: "sending a record to topic \"\(record.topic)\": \(pending) records wait for the brokers",
                isRetriable: true
            )
        }
        try enqueue(record, cost, onDelivery)
    }

    /// Sends all records of a buffer, suspending while the producer is full; the ticket tells when they have arrived.
    ///
    /// Records of one partition arrive in the order of the buffer. Records that cannot be taken (too large, unknown
    /// partition) fail in the ticket. When this throws, some of the records may have been sent.
    public func send(_ buffer: RecordBuffer) async throws(KafkaClientError) -> Delivery {
        try checkOpen()
        let delivery = Delivery(count: buffer.count)
        guard !buffer.isEmpty else { return delivery }
        var topics: [RDKafkaTopic] = []
        for name in buffer.topics { topics.append(try await core.settledTopic(name)) }
        let extra = ProducerCore.headerCosts(of: buffer)
        guard let slot = core.deliveries.add(.buffer(delivery, extra: extra)) else { throw .closed("sending records") }
        var next = 0
        while next < buffer.count {
            let (end, cost) = ProducerCore.chunk(of: buffer, from: next, extra: extra)
            if !core.budget.tryReserve(cost) {
                do { try await core.budget.reserve(cost) } catch {
                    let unsent = (next..<buffer.count).map { Delivery.Failure(index: $0, error: error) }
                    core.deliveries.settle(slot, delivery, unsent.count, unsent)
                    throw error
                }
            }
            let (failures, refused) = core.enqueue(buffer, next..<end, slot: slot, topics: topics, extra: extra)
            if !failures.isEmpty {
                core.budget.release(refused)
                core.deliveries.settle(slot, delivery, failures.count, failures)
            }
            next = end
        }
        return delivery
    }

    /// Suspends until every record sent before is settled.
    ///
    /// - Throws: `timedOut` when some still are not; they stay on their way.
    public func flush(timeout: Duration) async throws(KafkaClientError) {
        let core = core
        try await core.control.run { () throws(KafkaClientError) in
            let code = unsafe core.handle.withPointer { unsafe rd_kafka_flush($0, timeout.milliseconds) }
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaClientError(code, doing: "flushing the producer within \(timeout)")
            }
        }
    }

    /// Throws away every record that is inside; their deliveries fail with `purged`.
    public func purge() {
        unsafe core.handle.withPointer {
            unsafe _ = rd_kafka_purge($0, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        }
    }

    /// Waits up to `timeout` for the records inside, gives up the rest (their deliveries fail) and ends the producer.
    ///
    /// Calling it again does nothing but wait for the end.
    public func close(timeout: Duration = .seconds(30)) async {
        if !core.isClosed { try? await flush(timeout: timeout) }
        core.stop()
        await core.waitUntilEnded()
    }

    // --- one record

    private func checkOpen() throws(KafkaClientError) {
        if core.isClosed { throw .closed("sending records") }
    }

    private static func cost(of record: ProducerRecord) -> SendCost {
        let bytes = (record.key?.count ?? 0) + (record.value?.count ?? 0) + SendCost.perRecord
        return SendCost(records: 1, bytes: bytes + ProducerCore.headerCost(record.headers))
    }

    /// The room for the record is taken already; it is given back when the record is refused.
    private func enqueue(
        _ record: ProducerRecord,
        _ cost: SendCost,
        _ report: @escaping DeliveryTable.Callback
    ) throws(KafkaClientError) {
        let topic: RDKafkaTopic
        do { topic = try core.topic(record.topic) } catch {
            core.budget.release(cost)
            throw error
        }
        guard let slot = core.deliveries.add(.single(report, extra: ProducerCore.headerCost(record.headers))) else {
            core.budget.release(cost)
            throw .closed("sending records")
        }
        let error = unsafe Self.withPart(record.key) { key in
            unsafe Self.withPart(record.value) { value in
                unsafe core.produceFull(
                    topic,
                    record.partition ?? -1,
                    key,
                    value,
                    record.timestamp ?? -1,
                    record.headers[...],
                    DeliveryTable.word(slot: slot, index: 0)
                )
            }
        }
        guard let error else { return }
        core.budget.release(cost)
        if core.deliveries.remove(slot) { throw error }
    }

    private static func withPart<R>(_ part: [UInt8]?, _ body: ((UnsafeRawPointer?, Int)) -> R) -> R {
        guard let part else { return unsafe body((nil, 0)) }
        return unsafe part.withUnsafeBytes { bytes in
            unsafe body((bytes.baseAddress ?? ProducerCore.emptyPart, bytes.count))
        }
    }
}

extension Duration {
    /// Whole milliseconds as C calls take them; at least 0.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        if seconds > 2_000_000 { return 2_000_000_000 }
        return Int32(clamping: max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
    }
}
