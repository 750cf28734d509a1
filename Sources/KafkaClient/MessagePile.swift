internal import CRDKafka
internal import ConnectModel

/// Messages taken from a queue, on the way into a batch; whatever does not get there is freed.
@safe struct MessagePile: ~Copyable {
    private var messages: MessageBatch.Messages
    private var capacity: Int
    private let limit: Int
    private(set) var count = 0
    private(set) var bytes = 0

    init(limit: Int) {
        self.limit = limit
        capacity = min(limit, 1_024)
        unsafe messages = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<count { unsafe rd_kafka_message_destroy(messages[index]) }
        unsafe messages.deallocate()
    }

    /// Takes up to `wanted` messages; failures and ends of partitions come back as signals.
    mutating func consume(
        _ wanted: Int,
        from queue: RDKafkaQueue,
        timeout milliseconds: Int32
    ) -> (taken: Int, signals: [Result<Polled, KafkaClientError>]) {
        reserve(count + wanted)
        let free = unsafe messages + count
        let got = unsafe queue.withPointer { unsafe rd_kafka_consume_batch_queue($0, milliseconds, free, wanted) }
        guard got > 0 else { return (0, []) }
        var signals: [Result<Polled, KafkaClientError>] = []
        for index in 0..<got {
            guard let message = unsafe free[index] else { continue }
            if unsafe message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                unsafe signals.append(Self.signal(message))
                unsafe rd_kafka_message_destroy(message)
                continue
            }
            unsafe bytes += message.pointee.len + message.pointee.key_len
            unsafe messages[count] = message
            count += 1
        }
        return (got, signals)
    }

    /// Nil when there are no messages.
    consuming func intoBatch(_ handle: RDKafkaHandle) -> MessageBatch? {
        guard count > 0 else {
            _ = consume self
            return nil
        }
        let (taken, count, bytes) = unsafe (messages, count, bytes)
        discard self
        return unsafe MessageBatch(messages: taken, count: count, byteCount: bytes, handle: handle)
    }

    private mutating func reserve(_ wanted: Int) {
        guard wanted > capacity else { return }
        let grown = max(wanted, min(limit, capacity * 2))
        let larger = MessageBatch.Messages.allocate(capacity: grown)
        unsafe larger.moveInitialize(from: messages, count: count)
        unsafe messages.deallocate()
        unsafe messages = larger
        capacity = grown
    }

    private static func signal(_ message: UnsafePointer<rd_kafka_message_t>) -> Result<Polled, KafkaClientError> {
        let code = unsafe message.pointee.err
        let topic = unsafe message.pointee.rkt.map { unsafe String(cString: rd_kafka_topic_name($0)) }
        let partition = unsafe message.pointee.partition
        if code == RD_KAFKA_RESP_ERR__PARTITION_EOF, let topic {
            return unsafe .success(.endOfPartition(TopicPartition(topic, partition), offset: message.pointee.offset))
        }
        let detail = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) }
        let what = topic.map { partition >= 0 ? "consuming \($0)-\(partition)" : "consuming topic \"\($0)\"" }
        return .failure(KafkaClientError(code, doing: what ?? "consuming", detail: detail))
    }
}
