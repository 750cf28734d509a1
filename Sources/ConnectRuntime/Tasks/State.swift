public import ConnectModel
public import ConnectSDK

/// What a task (or connector) is doing; the raw values are Kafka Connect's, in the status topic and in REST answers.
public enum TaskState: String, Sendable, Hashable, CaseIterable {
    /// Nobody runs it at present.
    case unassigned = "UNASSIGNED"
    /// At work, or retrying with a reason told in ``TaskSnapshot/note``.
    case running = "RUNNING"
    /// Told to rest; a sink keeps its partitions.
    case paused = "PAUSED"
    /// Given up; the trace says why.
    case failed = "FAILED"
    /// About to start again.
    case restarting = "RESTARTING"
    /// Has no tasks on purpose; connectors only.
    case stopped = "STOPPED"
}

/// What a task looks like at one moment; cheap to take, from any thread.
public struct TaskSnapshot: Sendable {
    /// Whose picture this is.
    public var id: TaskID
    /// What it is doing.
    public var state: TaskState
    /// Why it makes no progress though it is RUNNING: an outage that is being retried, or a stall; nil when all is well.
    public var note: String?
    /// What ended it when it is FAILED; ``TaskFailure/Verdict-swift.enum/config(key:)`` must not be restarted by itself.
    public var failure: TaskFailure?
    /// Records read but not delivered yet (sink), or sent but not acknowledged yet (source).
    public var bufferedRecords: Int
    /// The same in bytes of keys and values.
    public var bufferedBytes: Int
    /// Records delivered since the start.
    public var recordsTotal: Int
    /// Offsets (of the next record to read) that the group has committed; sinks only.
    public var committed: [TopicPartition: Int64]
    /// Records between what has been delivered and the end of the partition; sinks only.
    public var lag: [TopicPartition: Int64]
    /// How long nothing has been delivered though there is something to deliver; zero while it flows.
    public var withoutProgress: Duration
    /// ``withoutProgress`` has passed the worker's limit.
    public var isStalled: Bool

    /// The picture of a task that has not started.
    public init(id: TaskID, state: TaskState = .unassigned) {
        (self.id, self.state, self.note, self.failure) = (id, state, nil, nil)
        (bufferedRecords, bufferedBytes, recordsTotal) = (0, 0, 0)
        (committed, lag, withoutProgress, isStalled) = ([:], [:], .zero, false)
    }
}
