/// The only error a task may throw; making one forces the author to choose what the runtime does next.
public struct TaskFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the runtime does about it.
    public enum Verdict: Sendable, Hashable {
        /// An outage: partitions are paused, the state stays RUNNING with the reason visible, and the same call is made
        /// again. Nil leaves the pause to the runtime's back-off with jitter; an answer's `Retry-After` belongs here.
        case retry(after: Duration?)
        /// These records can never be delivered; `errors.tolerance` decides between dead letter queue and failing.
        ///
        /// With `restIsWritten` the others of the batch have arrived; otherwise none has, and `put` is called again without these.
        case badRecords([RecordFault], restIsWritten: Bool)
        /// The task stops and is FAILED; `errors.restart.policy` may start it again.
        case fatal
        /// Only a change of this config key (or of the thing it names) helps: FAILED at once, never restarted by itself.
        case config(key: String)
    }
    /// What the runtime does about it.
    public let verdict: Verdict
    /// What the task was doing, to what: `writing 500 rows to table "orders"`.
    public let doing: String
    /// Why it failed and what the operator can do, without record values and secrets.
    public let because: String

    /// Makes a failure.
    public init(_ verdict: Verdict, doing: String, because: String) {
        (self.verdict, self.doing, self.because) = (verdict, doing, because)
    }
    /// An outage, tried again after `delay` or the runtime's back-off.
    public static func retry(after delay: Duration? = nil, doing: String, because: String) -> Self {
        Self(.retry(after: delay), doing: doing, because: because)
    }
    /// A failure that stops the task.
    public static func fatal(doing: String, because: String) -> Self { Self(.fatal, doing: doing, because: because) }
    /// A failure that only a change of `key` mends.
    public static func config(_ key: String, doing: String, because: String) -> Self {
        Self(.config(key: key), doing: doing, because: because)
    }
    /// `writing 500 rows to table "orders": column "total" does not exist`.
    public var description: String { "\(doing): \(because)" }
}

/// One record that cannot be delivered.
public struct RecordFault: Sendable, Hashable {
    /// Its index in the batch handed to `put`.
    public let index: Int
    /// Kind of error, an open and stable word such as `document_parsing_exception` or `SQLSTATE 22P02`.
    ///
    /// Becomes the dead letter header `__connect.errors.exception.class.name`.
    public let kind: String
    /// Why, without the record's values.
    public let reason: String

    /// Makes a fault.
    public init(index: Int, kind: String, reason: String) {
        (self.index, self.kind, self.reason) = (index, kind, reason)
    }
}
