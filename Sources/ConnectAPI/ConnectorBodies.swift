// Bodies of the REST API about connectors and tasks (Kafka Connect 4.3, `runtime.rest.entities`).

/// `GET /`.
public struct WorkerInfoBody: Codable, Sendable, Hashable {
    /// Version of the worker.
    public var version: String
    /// Source revision of the worker.
    public var commit: String
    /// Id of the Kafka cluster; nil while it is not known.
    public var kafkaClusterID: String?
    /// `host:port` of the worker; Kafka Connect does not tell.
    public var workerID: String?
    /// `leader`, `standby` or `joining`; Kafka Connect does not tell.
    public var role: String?
    /// Base URL of the leader; absent when there is none, and from Kafka Connect.
    public var leaderURL: String?

    enum CodingKeys: String, CodingKey {
        case version, commit, role
        case kafkaClusterID = "kafka_cluster_id", workerID = "worker_id", leaderURL = "leader_url"
    }

    /// Makes the body.
    public init(version: String, commit: String, kafkaClusterID: String?) {
        (self.version, self.commit, self.kafkaClusterID) = (version, commit, kafkaClusterID)
    }
}

/// `GET /health` (KIP-1017).
public struct HealthBody: Codable, Sendable, Hashable {
    /// `healthy`, `starting` or `unhealthy`.
    public var status: String
    /// What it means, in a sentence.
    public var message: String

    /// Makes the body.
    public init(status: String, message: String) { (self.status, self.message) = (status, message) }
}

/// A task's id within a body.
public struct TaskIDBody: Codable, Sendable, Hashable {
    /// The connector's name.
    public var connector: String
    /// Number of the task, from 0.
    public var task: Int

    /// Makes the body.
    public init(connector: String, task: Int) { (self.connector, self.task) = (connector, task) }
}

/// `GET /connectors/{name}` and the answer to creating or changing one.
public struct ConnectorInfoBody: Codable, Sendable, Hashable {
    /// The connector's name.
    public var name: String
    /// Its config; passwords read `[hidden]`.
    public var config: [String: String]
    /// Its tasks as known now.
    public var tasks: [TaskIDBody]
    /// `source`, `sink` or `unknown`.
    public var type: String

    /// Makes the body.
    public init(name: String, config: [String: String], tasks: [TaskIDBody], type: String) {
        (self.name, self.config, self.tasks, self.type) = (name, config, tasks, type)
    }
}

/// `GET /connectors/{name}/tasks`, one per task.
public struct TaskInfoBody: Codable, Sendable, Hashable {
    /// Whose it is.
    public var id: TaskIDBody
    /// Its config; passwords read `[hidden]`.
    public var config: [String: String]

    /// Makes the body.
    public init(id: TaskIDBody, config: [String: String]) { (self.id, self.config) = (id, config) }
}

/// State of a connector instance.
public struct ConnectorStateBody: Codable, Sendable, Hashable {
    /// RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED or RESTARTING.
    public var state: String
    /// Advertised host and port of the worker that runs it.
    public var workerID: String
    /// Why it failed; absent otherwise.
    public var trace: String?
    /// Version of the plugin (KIP-891).
    public var version: String?

    enum CodingKeys: String, CodingKey { case state, workerID = "worker_id", trace, version }

    /// Makes the body.
    public init(state: String, workerID: String, trace: String?, version: String?) {
        (self.state, self.workerID, self.trace, self.version) = (state, workerID, trace, version)
    }
}

/// State of a task: `GET /connectors/{name}/tasks/{n}/status`.
public struct TaskStateBody: Codable, Sendable, Hashable {
    /// Number of the task, from 0.
    public var id: Int
    /// RUNNING, PAUSED, FAILED, UNASSIGNED or RESTARTING.
    public var state: String
    /// Advertised host and port of the worker that runs it.
    public var workerID: String
    /// Why it failed; absent otherwise.
    public var trace: String?
    /// Version of the plugin (KIP-891).
    public var version: String?
    /// What a running task waits for (an outage it retries, a stall), absent when all is well; not in Kafka Connect.
    public var note: String?

    enum CodingKeys: String, CodingKey { case id, state, workerID = "worker_id", trace, version, note }

    /// Makes the body.
    public init(id: Int, state: String, workerID: String, trace: String?, version: String?, note: String? = nil) {
        (self.id, self.state, self.workerID) = (id, state, workerID)
        (self.trace, self.version, self.note) = (trace, version, note)
    }
}

/// `GET /connectors/{name}/status`.
public struct ConnectorStatusBody: Codable, Sendable, Hashable {
    /// The connector's name.
    public var name: String
    /// State of the connector instance.
    public var connector: ConnectorStateBody
    /// States of its tasks, by number.
    public var tasks: [TaskStateBody]
    /// `source`, `sink` or `unknown`.
    public var type: String

    /// Makes the body.
    public init(name: String, connector: ConnectorStateBody, tasks: [TaskStateBody], type: String) {
        (self.name, self.connector, self.tasks, self.type) = (name, connector, tasks, type)
    }
}

/// One connector of `GET /connectors?expand=status&expand=info` (KIP-465).
public struct ExpandedConnectorBody: Codable, Sendable, Hashable {
    /// With `expand=status`.
    public var status: ConnectorStatusBody?
    /// With `expand=info`.
    public var info: ConnectorInfoBody?

    /// Makes the body.
    public init(status: ConnectorStatusBody?, info: ConnectorInfoBody?) { (self.status, self.info) = (status, info) }
}

/// Every failed call: `{"error_code":404,"message":"…"}`.
public struct ErrorBody: Codable, Sendable, Hashable {
    /// The HTTP status again.
    public var errorCode: Int
    /// What is wrong and, where one can say, what to do.
    public var message: String

    enum CodingKeys: String, CodingKey { case errorCode = "error_code", message }

    /// Makes the body.
    public init(errorCode: Int, message: String) { (self.errorCode, self.message) = (errorCode, message) }
}

/// A call that only has something to say: `{"message":"…"}`.
public struct MessageBody: Codable, Sendable, Hashable {
    /// The sentence.
    public var message: String

    /// Makes the body.
    public init(message: String) { self.message = message }
}

/// `GET` and `PUT /admin/loggers/{name}` (KIP-495).
public struct LoggerBody: Codable, Sendable, Hashable {
    /// The logger's level.
    public var level: String
    /// Milliseconds since 1970; null while nobody has changed it.
    public var lastModified: Int64?

    enum CodingKeys: String, CodingKey { case level, lastModified = "last_modified" }

    /// Makes the body.
    public init(level: String, lastModified: Int64?) { (self.level, self.lastModified) = (level, lastModified) }

    /// Writes `last_modified` also when it is null, as Kafka Connect does.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(level, forKey: .level)
        try container.encode(lastModified, forKey: .lastModified)
    }
}
