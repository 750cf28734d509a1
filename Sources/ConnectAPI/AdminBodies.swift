// Bodies of the REST API that Kafka Connect does not have: what an operator asks a running worker.

/// One running task: `GET /admin/tasks`.
public struct TaskSnapshotBody: Codable, Sendable, Hashable {
    /// Whose it is.
    public var id: TaskIDBody
    /// `source` or `sink`.
    public var type: String
    /// The task's state.
    public var state: String
    /// What a running task waits for; absent when all is well.
    public var note: String?
    /// Records read from the source or from Kafka since the task started.
    public var recordsRead: Int
    /// Records written to Kafka or to the sink since the task started.
    public var recordsWritten: Int
    /// Records dropped, skipped or sent to the dead letter queue since the task started.
    public var recordsFailed: Int
    /// Bytes waiting in the task's queues.
    public var bufferedBytes: Int
    /// Records behind the end of its partitions; absent for sources, without partitions, and while unknown.
    public var lag: Int?
    /// Nothing more will come (a finite source), or nothing more is there now.
    public var isIdle: Bool
    /// Milliseconds since a sink with `topics.regex` saw that it reads all topics that match; absent for others.
    public var topicsAge: Int?

    enum CodingKeys: String, CodingKey {
        case id, type, state, note, lag, recordsRead = "records_read", recordsWritten = "records_written"
        case recordsFailed = "records_failed", bufferedBytes = "buffered_bytes", isIdle = "idle"
        case topicsAge = "topics_age_ms"
    }

    /// Makes the body; the figures are set by name.
    public init(id: TaskIDBody, type: String, state: String, note: String?) {
        (self.id, self.type, self.state, self.note) = (id, type, state, note)
        (recordsRead, recordsWritten, recordsFailed, bufferedBytes) = (0, 0, 0, 0)
        (lag, isIdle, topicsAge) = (nil, false, nil)
    }
}

/// One worker of the cluster: `GET /admin/workers`.
public struct WorkerMemberBody: Codable, Sendable, Hashable {
    /// `host:port` under which it is reached.
    public var workerID: String
    /// Base URL of its REST.
    public var url: String
    /// `leader` or `standby`.
    public var role: String
    /// The address it connects to Kafka from.
    public var host: String

    enum CodingKeys: String, CodingKey { case workerID = "worker_id", url, role, host }

    /// Makes the body.
    public init(workerID: String, url: String, role: String, host: String) {
        (self.workerID, self.url, self.role, self.host) = (workerID, url, role, host)
    }
}

/// One file of the config directory that is not in force: `GET /admin/config-directory`.
public struct ConfigFileProblemBody: Codable, Sendable, Hashable {
    /// The file's name within the directory.
    public var file: String
    /// Line of the problem, from 1; absent when it has none.
    public var line: Int?
    /// Column of the problem, from 1; absent when it has none.
    public var column: Int?
    /// The config key; absent when it has none.
    public var key: String?
    /// What was found, what was expected, what to do.
    public var reason: String

    /// Makes the body.
    public init(file: String, line: Int?, column: Int?, key: String?, reason: String) {
        (self.file, self.line, self.column, self.key, self.reason) = (file, line, column, key, reason)
    }
}
