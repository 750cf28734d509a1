internal import Blocking
internal import CRDKafka
public import ConnectModel

/// Transactions, with `transactional.id` set: records and consumer offsets become visible together or not at all.
///
/// ```swift
/// try await producer.initTransactions()
/// try await producer.beginTransaction()
/// let delivery = try await producer.send(buffer)
/// try await producer.sendOffsets(batch.endOffsets, group: consumer.groupMetadata())
/// try await producer.commitTransaction()
/// ```
/// An error with `requiresAbort` leaves only ``abortTransaction(timeout:)``; one with `isFatal` (such as `fenced`) leaves
/// only ``close(timeout:)``; one with `isRetriable` may be tried again with the same call.
extension Producer {
    /// Registers the transactional id, which fences older producers with it and ends what they left open.
    public func initTransactions(timeout: Duration = .seconds(60)) async throws(KafkaClientError) {
        try await unsafe transact("registering the transactional id") {
            unsafe rd_kafka_init_transactions($0, timeout.milliseconds)
        }
    }

    /// Begins a transaction; everything sent until its end belongs to it.
    public func beginTransaction() async throws(KafkaClientError) {
        try await unsafe transact("beginning a transaction") { unsafe rd_kafka_begin_transaction($0) }
    }

    /// Makes offsets (of the next record to read) of a consumer group part of the transaction.
    public func sendOffsets(
        _ offsets: [TopicPartition: Int64],
        group: ConsumerGroupMetadata,
        timeout: Duration = .seconds(60)
    ) async throws(KafkaClientError) {
        guard !offsets.isEmpty else { return }
        let doing = "adding offsets of group \"\(group.groupID)\" to the transaction"
        try await unsafe transact(doing) { rk in
            let list = PartitionList(offsets)
            let sent = unsafe group.withPointer { group in
                unsafe list.withPointer { list in
                    unsafe rd_kafka_send_offsets_to_transaction(rk, list, group, timeout.milliseconds)
                }
            }
            return unsafe sent ?? rdkafka_error_new(RD_KAFKA_RESP_ERR__INVALID_ARG, "unusable group metadata")
        }
    }

    /// Sends what is queued and ends the transaction; when this returns, everything in it is visible.
    public func commitTransaction(timeout: Duration = .seconds(60)) async throws(KafkaClientError) {
        try await unsafe transact("committing the transaction") {
            unsafe rd_kafka_commit_transaction($0, timeout.milliseconds)
        }
    }

    /// Throws away what is queued and ends the transaction; nothing in it becomes visible.
    public func abortTransaction(timeout: Duration = .seconds(60)) async throws(KafkaClientError) {
        try await unsafe transact("aborting the transaction") {
            unsafe rd_kafka_abort_transaction($0, timeout.milliseconds)
        }
    }

    private func transact(
        _ doing: String,
        _ call: @escaping @Sendable (OpaquePointer) -> OpaquePointer?
    ) async throws(KafkaClientError) {
        if core.isClosed { throw .closed(doing) }
        let core = core
        try await core.control.run { () throws(KafkaClientError) in
            let error = unsafe core.handle.withPointer { unsafe call($0) }
            if let error = unsafe error { throw unsafe KafkaClientError(consuming: error, doing: doing) }
        }
    }
}
