internal import Blocking
internal import CRDKafka
public import ConnectModel

extension Consumer {
    /// Commits offsets of the group (the offset of the next record to read) and waits for the broker's answer.
    ///
    /// - Throws: `rebalanceInProgress`, `illegalGeneration`, `unknownMember` or `fenced` when the partitions are no longer
    ///   this member's; `timedOut`; the first refused partition otherwise.
    public func commit(
        _ offsets: [TopicPartition: Int64],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) {
        try checkOpen("committing offsets")
        guard !offsets.isEmpty else { return }
        let handle = handle
        try await commits.run { () throws(KafkaClientError) in try Self.commit(offsets, timeout, handle) }
    }

    /// Commits like ``commit(_:timeout:)`` without making the caller wait; `onResult` gets the outcome.
    public func commitAsync(
        _ offsets: [TopicPartition: Int64],
        timeout: Duration = .seconds(30),
        onResult: (@Sendable (Result<Void, KafkaClientError>) -> Void)? = nil
    ) {
        let (handle, isClosed) = (handle, isClosed)
        commits.submit {
            do throws(KafkaClientError) {
                if isClosed { throw .closed("committing offsets") }
                if !offsets.isEmpty { try Self.commit(offsets, timeout, handle) }
                onResult?(.success(()))
            } catch { onResult?(.failure(error)) }
        }
    }

    private static func commit(
        _ offsets: [TopicPartition: Int64],
        _ timeout: Duration,
        _ handle: RDKafkaHandle
    ) throws(KafkaClientError) {
        let doing = "committing offsets of \(offsets.count) partitions"
        guard let answers = unsafe RDKafkaQueue(of: handle, { unsafe rd_kafka_queue_new($0) }) else {
            throw KafkaClientError(code: .invalidState, reason: "\(doing): no queue")
        }
        let list = PartitionList(offsets)
        let code = unsafe handle.withPointer { rk in
            unsafe list.withPointer { list in
                unsafe answers.withPointer { unsafe rd_kafka_commit_queue(rk, list, $0, nil, nil) }
            }
        }
        if let error = KafkaClientError.ifFailed(code, doing: doing) { throw error }
        guard let event = unsafe answers.withPointer({ unsafe rd_kafka_queue_poll($0, timeout.milliseconds) }) else {
            let reason = "\(doing): no answer from the group's coordinator within \(timeout)"
            throw KafkaClientError(code: .timedOut, reason: reason, isRetriable: true)
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        if let error = unsafe KafkaClientError.ifFailed(rd_kafka_event_error(event), doing: doing) { throw error }
        guard let results = unsafe rd_kafka_event_topic_partition_list(event) else { return }
        for entry in unsafe PartitionList.entries(of: results) {
            if let error = KafkaClientError.ifFailed(entry.error, doing: "committing offset of \(entry.partition)") {
                throw error
            }
        }
    }

    /// The group's committed offsets; partitions without one are left out.
    public func committed(
        _ partitions: [TopicPartition],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        return try await unsafe onList(partitions, "reading committed offsets", on: commits) { rk, list in
            unsafe rd_kafka_committed(rk, list, timeout.milliseconds)
        }
    }

    /// The offset of the next record that `poll` will return, for partitions of which it has returned one.
    public func position(_ partitions: [TopicPartition]) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        try await unsafe onList(partitions, "reading positions", on: control) { unsafe rd_kafka_position($0, $1) }
    }

    /// Stops returning records of these partitions until ``resume(_:)``; fetched ones are fetched again then.
    public func pause(_ partitions: [TopicPartition]) async throws(KafkaClientError) {
        _ = try await unsafe onList(partitions, "pausing", on: control) { unsafe rd_kafka_pause_partitions($0, $1) }
    }

    /// Undoes ``pause(_:)``.
    public func resume(_ partitions: [TopicPartition]) async throws(KafkaClientError) {
        _ = try await unsafe onList(partitions, "resuming", on: control) { unsafe rd_kafka_resume_partitions($0, $1) }
    }

    /// Continues assigned partitions at other offsets; records fetched before are dropped.
    public func seek(
        _ offsets: [TopicPartition: Int64],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) {
        try checkOpen("seeking")
        guard !offsets.isEmpty else { return }
        let handle = handle
        try await control.run { () throws(KafkaClientError) in
            let list = PartitionList(offsets)
            let error = unsafe handle.withPointer { rk in
                unsafe list.withPointer { unsafe rd_kafka_seek_partitions(rk, $0, timeout.milliseconds) }
            }
            if let error = unsafe error { throw unsafe KafkaClientError(consuming: error, doing: "seeking") }
            if let error = list.firstError(doing: "seeking") { throw error }
        }
    }

    /// The partitions that are assigned now.
    public func assignment() async throws(KafkaClientError) -> [TopicPartition] {
        try checkOpen("reading the assignment")
        let handle = handle
        return try await control.run { () throws(KafkaClientError) in
            var made: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
            let code = unsafe handle.withPointer { unsafe rd_kafka_assignment($0, &made) }
            if let error = KafkaClientError.ifFailed(code, doing: "reading the assignment") { throw error }
            guard let made = unsafe made else { return [] }
            return unsafe PartitionList(adopting: made).entries.map(\.partition)
        }
    }

    /// The lowest offset and the one behind the newest record, as the last fetch saw them; asks no broker.
    ///
    /// Nil before the first fetch. With `isolation.level=read_committed` the high one is the last stable offset.
    public func watermarks(_ partition: TopicPartition) -> (low: Int64, high: Int64)? {
        var low: Int64 = -1
        var high: Int64 = -1
        let code = unsafe handle.withPointer { rk in
            unsafe rd_kafka_get_watermark_offsets(rk, partition.topic, partition.partition, &low, &high)
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 else { return nil }
        return (max(0, low), high)
    }

    /// The lowest offset and the one behind the newest record; asks the partition's leader.
    public func queryWatermarks(
        _ partition: TopicPartition,
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> (low: Int64, high: Int64) {
        try checkOpen("reading watermarks")
        let handle = handle
        return try await commits.run { () throws(KafkaClientError) in
            try Watermarks.query(partition, timeout, handle)
        }
    }

    /// Records behind the position, as the last fetch saw it; asks no broker.
    ///
    /// Partitions not yet fetched are left out.
    public func lag(_ partitions: [TopicPartition]) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        var lags: [TopicPartition: Int64] = [:]
        for (partition, position) in try await position(partitions) {
            if let marks = watermarks(partition) { lags[partition] = max(0, marks.high - position) }
        }
        return lags
    }

    private func onList(
        _ partitions: [TopicPartition],
        _ doing: String,
        on thread: TaskThread,
        _ call:
            @escaping @Sendable (OpaquePointer, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) ->
            rd_kafka_resp_err_t
    ) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        try checkOpen(doing)
        let handle = handle
        return try await thread.run { () throws(KafkaClientError) in
            let list = PartitionList(partitions)
            let code = unsafe handle.withPointer { rk in unsafe list.withPointer { unsafe call(rk, $0) } }
            if let error = KafkaClientError.ifFailed(code, doing: doing) { throw error }
            if let error = list.firstError(doing: doing) { throw error }
            return list.offsets
        }
    }
}

enum Watermarks {
    static func query(
        _ partition: TopicPartition,
        _ timeout: Duration,
        _ handle: RDKafkaHandle
    ) throws(KafkaClientError) -> (low: Int64, high: Int64) {
        var low: Int64 = 0
        var high: Int64 = 0
        let code = unsafe handle.withPointer { rk in
            unsafe rd_kafka_query_watermark_offsets(
                rk,
                partition.topic,
                partition.partition,
                &low,
                &high,
                timeout.milliseconds
            )
        }
        if let error = KafkaClientError.ifFailed(code, doing: "reading watermarks of \(partition)") { throw error }
        return (low, high)
    }
}
