public import ConnectModel
public import Lifecycle
public import Metrics

/// What every task gets from the runtime.
public protocol TaskContext: Sendable {
    /// Whose task this is.
    var id: TaskID { get }
    /// Opens when the task is asked to stop: end waits, return.
    var stop: Latch { get }
    /// Where a connector declares metrics of its own; a family may be declared by several tasks.
    var metrics: MetricsRegistry { get }
}

/// What a source task gets.
public protocol SourceTaskContext: TaskContext {
    /// The stored offset of a source partition; nil when it was never read.
    func offset(of partition: OffsetMap) async throws(TaskFailure) -> OffsetMap?
    /// All stored offsets of this connector.
    func offsets() async throws(TaskFailure) -> [SourcePosition]
    /// Ends the wait after ``SourcePoll/idle(_:)``, from any thread: something has come.
    func wake()
}

/// What a sink task gets.
public protocol SinkTaskContext: TaskContext {
    /// Grows with every new owner of the task's partitions: a writer with a smaller one is stale and must be refused.
    var epoch: Int64 { get }
    /// Asks for an offset commit soon.
    func requestCommit()
}
