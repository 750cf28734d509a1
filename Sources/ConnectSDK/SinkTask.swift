public import ConnectModel

/// Takes records and writes them somewhere.
///
/// All methods run on the task's own thread, one at a time, and may block, but every wait has a time-out or ends when
/// ``SinkTaskContext/stop`` opens. Kafka Connect 4.3, `SinkTask`; differences are told at each method.
public protocol SinkTask: Sendable {
    /// Called once, before all others.
    func start() async throws(TaskFailure)
    /// These partitions are now ours. A sink that stores offsets beside its data returns where to read on; a partition
    /// that it leaves out starts at the group's committed offset.
    func open(_ partitions: [TopicPartition]) async throws(TaskFailure) -> [TopicPartition: Int64]
    /// Writes, or keeps for ``flush()``, the records of a batch; an empty batch is a tick (at least once a second).
    ///
    /// A failure with the verdict `retry` brings the same batch again; the sink must not keep half of it.
    func put(_ batch: SinkBatch) async throws(TaskFailure)
    /// Makes everything put so far durable.
    func flush() async throws(TaskFailure)
    /// The offsets (of the next record to read) that may be committed out of `delivered`; called on the commit interval
    /// and before partitions are given up. By default flushes and returns all of them.
    func preCommit(_ delivered: [TopicPartition: Int64]) async throws(TaskFailure) -> [TopicPartition: Int64]
    /// These partitions belong to another task from now on; after ``preCommit(_:)``, unless they were lost.
    func close(_ partitions: [TopicPartition]) async
    /// Called once, last; also after a failure.
    func stop() async
}

extension SinkTask {
    /// Keeps no offsets of its own.
    public func open(_ partitions: [TopicPartition]) async throws(TaskFailure) -> [TopicPartition: Int64] { [:] }
    /// Everything is durable when `put` returns.
    public func flush() async throws(TaskFailure) {}
    /// Flushes; everything delivered may be committed.
    public func preCommit(
        _ delivered: [TopicPartition: Int64]
    ) async throws(TaskFailure) -> [TopicPartition: Int64] {
        try await flush()
        return delivered
    }
    /// Nothing is kept per partition.
    public func close(_ partitions: [TopicPartition]) async {}
    /// Nothing to close.
    public func stop() async {}
}
