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
    /// Whether it reads from a source or writes to a sink.
    public var kind: ConnectorKind
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
    /// Records taken from the source or from Kafka since the start.
    public var recordsRead: Int
    /// Records delivered to Kafka or to the sink since the start.
    public var recordsTotal: Int
    /// Records dropped by tolerance or sent to the dead letter queue since the start.
    public var recordsFailed: Int
    /// Nothing is under way: a source has nothing to read now and all is acknowledged, a sink has delivered and flushed
    /// all it has read; `sluice wait --for=delivered` looks at it.
    public var isIdle: Bool
    /// When a sink with `topics.regex` last saw that it reads all topics that match; nil for others.
    public var topicsSeen: ContinuousClock.Instant?
    /// Offsets (of the next record to read) that the group has committed; sinks only.
    public var committed: [TopicPartition: Int64]
    /// Records between what has been delivered and the end of the partition; sinks only.
    public var lag: [TopicPartition: Int64]
    /// How long nothing has been delivered though there is something to deliver; zero while it flows.
    public var withoutProgress: Duration
    /// ``withoutProgress`` has passed the worker's limit.
    public var isStalled: Bool

    /// The picture of a task that has not started.
    public init(id: TaskID, kind: ConnectorKind, state: TaskState = .unassigned) {
        (self.id, self.kind, self.state, self.note, self.failure) = (id, kind, state, nil, nil)
        (bufferedRecords, bufferedBytes, recordsRead, recordsTotal, recordsFailed) = (0, 0, 0, 0, 0)
        (isIdle, topicsSeen) = (false, nil)
        (committed, lag, withoutProgress, isStalled) = ([:], [:], .zero, false)
    }
}
