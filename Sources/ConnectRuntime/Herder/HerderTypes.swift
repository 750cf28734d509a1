public import ConnectConfig
public import ConnectModel
public import ConnectSDK

/// Who the worker is and which cluster it works for.
public struct WorkerInfo: Sendable, Hashable {
    /// The worker's version.
    public var version: String
    /// The commit it was built from.
    public var commit: String
    /// The Kafka cluster's id; nil until the first contact.
    public var kafkaClusterID: String?

    /// Makes an info.
    public init(version: String, commit: String, kafkaClusterID: String?) {
        (self.version, self.commit, self.kafkaClusterID) = (version, commit, kafkaClusterID)
    }
}

/// Whether the worker can answer (KIP-1017).
public struct WorkerHealth: Sendable, Hashable {
    /// Kafka Connect's three words.
    public enum Status: String, Sendable {
        case healthy
        case starting
        case unhealthy
    }
    /// The word.
    public var status: Status
    /// A sentence for people.
    public var message: String

    /// Makes an answer.
    public init(_ status: Status, message: String) { (self.status, self.message) = (status, message) }

    /// All is well.
    public static var healthy: Self {
        Self(.healthy, message: "Worker has completed startup and is ready to handle requests.")
    }
    /// All is well with a worker that reads its topics; what it is to its cluster follows Kafka Connect's sentence.
    static func live(_ cluster: ClusterView) -> Self {
        if let problem = cluster.problem {
            return Self(.healthy, message: "\(healthy.message) It runs nothing: \(problem)")
        }
        switch cluster.role {
        case .leader: return healthy
        case .joining:
            return Self(.healthy, message: "\(healthy.message) It is joining its group and runs nothing yet.")
        case .standby:
            return Self(.healthy, message: "\(healthy.message) It stands by: \(cluster.leaderURL ?? "another") leads.")
        }
    }
    /// `why` follows Kafka Connect's sentence: what the worker waits for.
    public static func starting(_ why: String = "") -> Self {
        Self(.starting, message: "Worker is still starting up." + (why.isEmpty ? "" : " \(why)"))
    }
    /// `why` follows Kafka Connect's sentence.
    public static func unhealthy(_ why: String) -> Self {
        Self(
            .unhealthy,
            message: "Worker was unable to handle this request and may be unable to handle other requests. \(why)"
        )
    }
}

/// What a person wants of a connector (Kafka Connect 4.3, `TargetState`).
public enum TargetState: String, Sendable, Hashable, CaseIterable {
    case started = "STARTED"
    case paused = "PAUSED"
    case stopped = "STOPPED"

    /// `RUNNING`, `PAUSED` or `STOPPED` of a create request, in any case of letters (KIP-980).
    public init?(initialState text: String) {
        switch text.uppercased() {
        case "RUNNING": self = .started
        case "PAUSED": self = .paused
        case "STOPPED": self = .stopped
        default: return nil
        }
    }
}

/// A connector's config and tasks as the config topic has them.
public struct ConnectorInfo: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The raw config; passwords read `[hidden]`.
    public var config: ConfigMap
    /// The tasks, in order.
    public var tasks: [TaskID]
    /// Source or sink; nil (`unknown`) when no plugin answers to `connector.class`.
    public var kind: ConnectorKind?
    /// What is odd about a config that was just accepted: keys that nothing knows, with a guess at what was meant.
    public var warnings: [ConfigIssue] = []

    /// Makes an info.
    public init(name: String, config: ConfigMap, tasks: [TaskID], kind: ConnectorKind?) {
        (self.name, self.config, self.tasks, self.kind) = (name, config, tasks, kind)
    }
}

/// State of a connector instance or of a task.
public struct InstanceStatus: Sendable, Hashable {
    /// Kafka Connect's word for the state; open, since another worker of the cluster may know more of them.
    public var state: String
    /// Host and port of the worker that runs it.
    public var workerID: String
    /// Why it failed; nil unless it did.
    public var trace: String?
    /// The connector's version; nil when unknown.
    public var version: String?
    /// What is odd about a running task: retrying since when and why, stalled; nil when nothing is.
    public var note: String?

    /// Makes a status.
    public init(state: String, workerID: String, trace: String? = nil, version: String? = nil, note: String? = nil) {
        (self.state, self.workerID, self.trace, self.version, self.note) = (state, workerID, trace, version, note)
    }
}

/// State of one task.
public struct TaskStatus: Sendable, Hashable {
    /// Which task.
    public var id: TaskID
    /// Its state.
    public var status: InstanceStatus

    /// Makes a status.
    public init(id: TaskID, status: InstanceStatus) { (self.id, self.status) = (id, status) }
}

/// State of a connector and its tasks.
public struct ConnectorStatus: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The connector itself.
    public var connector: InstanceStatus
    /// Its tasks, in order.
    public var tasks: [TaskStatus]
    /// Source or sink; nil (`unknown`) when no plugin answers to `connector.class`.
    public var kind: ConnectorKind?

    /// Makes a status.
    public init(name: String, connector: InstanceStatus, tasks: [TaskStatus], kind: ConnectorKind?) {
        (self.name, self.connector, self.tasks, self.kind) = (name, connector, tasks, kind)
    }
}

/// A task and its config.
public struct TaskInfo: Sendable, Hashable {
    /// Which task.
    public var id: TaskID
    /// Its raw config; passwords read `[hidden]`.
    public var config: ConfigMap

    /// Makes an info.
    public init(id: TaskID, config: ConfigMap) { (self.id, self.config) = (id, config) }
}

/// A plugin in a list.
public struct PluginInfo: Sendable, Hashable {
    /// The name that configs use.
    public var name: String
    /// `source`, `sink`, `converter`, `header_converter`, `transformation`, `predicate`.
    public var type: String
    /// The plugin's version.
    public var version: String

    /// Makes an info.
    public init(name: String, type: String, version: String) {
        (self.name, self.type, self.version) = (name, type, version)
    }
}

/// What validation says about one key.
public struct ValidatedKey: Sendable {
    /// What the key is.
    public var definition: ConfigDefinition
    /// The text given, or the default's; passwords read `[hidden]`.
    public var value: String?
    /// Values to choose from.
    public var recommendedValues: [String]
    /// What is wrong; empty when nothing is.
    public var errors: [String]
    /// What is odd but accepted: an unknown key with its likely meaning.
    public var warnings: [String]

    /// Makes a result.
    public init(
        definition: ConfigDefinition,
        value: String?,
        recommendedValues: [String] = [],
        errors: [String] = [],
        warnings: [String] = []
    ) {
        (self.definition, self.value, self.recommendedValues) = (definition, value, recommendedValues)
        (self.errors, self.warnings) = (errors, warnings)
    }
}

/// The answer of a validation.
public struct ValidationResult: Sendable {
    /// The connector class that was asked about.
    public var name: String
    /// Headings in order.
    public var groups: [String]
    /// Every key that the connector has with this config, in order; unknown keys of the config are not among them.
    public var keys: [ValidatedKey]
    /// Keys of the config that nothing knows, with a guess at what was meant.
    public var warnings: [ConfigIssue]

    /// Makes a result.
    public init(name: String, groups: [String], keys: [ValidatedKey], warnings: [ConfigIssue] = []) {
        (self.name, self.groups, self.keys, self.warnings) = (name, groups, keys, warnings)
    }
    /// How many keys have an error (Kafka Connect counts keys, not errors).
    public var errorCount: Int { keys.count { !$0.errors.isEmpty } }
    /// Every error of every key, in order.
    public var issues: [ConfigIssue] {
        keys.flatMap { key in key.errors.map { ConfigIssue(key: key.definition.name, message: $0) } }
    }
}

/// Something wrong in the config directory; a broken file changes nothing.
public struct ConfigDirectoryProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file's path.
    public var file: String
    /// From 1; nil when the problem is not at a place.
    public var line: Int?
    /// From 1, in characters; nil when the problem is not at a place.
    public var column: Int?
    /// The key to change; nil when it is not about a key.
    public var key: String?
    /// Why, and what to do.
    public var reason: String

    /// Makes a problem.
    public init(file: String, line: Int? = nil, column: Int? = nil, key: String? = nil, reason: String) {
        (self.file, self.line, self.column, self.key, self.reason) = (file, line, column, key, reason)
    }
    /// `orders.json:3:14: topics: reason`.
    public var description: String {
        let place = [line, column].compactMap { $0.map { ":\($0)" } }.joined()
        return "\(file)\(place): \(key.map { "\($0): " } ?? "")\(reason)"
    }
}
