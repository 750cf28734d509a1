public import ConnectConfig
public import ConnectModel
public import ConnectSDK

/// Everything that can be asked of the worker about connectors: what REST and the config directory call.
///
/// Safe from any task. A call about one connector waits only for earlier calls about the same connector. While the worker
/// is still reading its topics every call but ``workerInfo()``, ``health()``, ``plugins(connectorsOnly:)``,
/// ``pluginDefinitions(_:version:)`` and ``validate(_:_:)`` throws ``HerderError/starting(_:)``.
public protocol Herder: Sendable {
    /// Version, commit, cluster.
    func workerInfo() async -> WorkerInfo
    /// Whether the worker answers; passes through the herder, so a stuck one shows.
    func health() async -> WorkerHealth
    /// Names of all connectors, sorted.
    func connectorNames() async throws(HerderError) -> [String]
    /// Config, tasks and type.
    func info(_ name: String) async throws(HerderError) -> ConnectorInfo
    /// The raw config; passwords read `[hidden]`.
    func config(_ name: String) async throws(HerderError) -> ConfigMap
    /// Creates a connector; the name is put into the config.
    func create(
        _ name: String,
        _ config: ConfigMap,
        initialState: TargetState?
    ) async throws(HerderError) -> ConnectorInfo
    /// Creates a connector or replaces its config; a password given as `[hidden]` keeps its stored value.
    func put(_ name: String, _ config: ConfigMap) async throws(HerderError) -> (info: ConnectorInfo, created: Bool)
    /// Changes some keys; null removes a key (KIP-477).
    func patch(_ name: String, _ changes: ConfigMap) async throws(HerderError) -> ConnectorInfo
    /// Deletes the connector; its offsets stay.
    func delete(_ name: String) async throws(HerderError)
    /// State of the connector and its tasks.
    func status(_ name: String) async throws(HerderError) -> ConnectorStatus
    /// State of one task.
    func taskStatus(_ id: TaskID) async throws(HerderError) -> TaskStatus
    /// The tasks with their configs.
    func tasks(_ name: String) async throws(HerderError) -> [TaskInfo]
    /// Holds the tasks; asynchronous as in Kafka Connect.
    func pause(_ name: String) async throws(HerderError)
    /// Goes on after pause or stop.
    func resume(_ name: String) async throws(HerderError)
    /// Ends the tasks, keeps config and offsets.
    func stop(_ name: String) async throws(HerderError)
    /// Restarts the connector instance only, and waits for it.
    func restart(_ name: String) async throws(HerderError)
    /// Restarts connector and/or tasks (KIP-745); answers the plan, the chosen parts RESTARTING.
    func restart(_ name: String, includeTasks: Bool, onlyFailed: Bool) async throws(HerderError) -> ConnectorStatus
    /// Restarts one task.
    func restartTask(_ id: TaskID) async throws(HerderError)
    /// Topics that the connector has used, sorted (KIP-558); empty for an unknown connector.
    func topics(_ name: String) async throws(HerderError) -> [String]
    /// Forgets the topics used so far.
    func resetTopics(_ name: String) async throws(HerderError)
    /// Offsets: source partitions, or `kafka_topic`, `kafka_partition` and `kafka_offset` of a sink (KIP-875).
    func offsets(_ name: String) async throws(HerderError) -> [SourcePosition]
    /// Sets offsets of a STOPPED connector (a null offset removes it); answers Kafka Connect's sentence.
    func alterOffsets(_ name: String, _ offsets: [SourcePosition]) async throws(HerderError) -> String
    /// Removes all offsets of a STOPPED connector; answers Kafka Connect's sentence.
    func resetOffsets(_ name: String) async throws(HerderError) -> String
    /// What the worker can run; with `connectorsOnly` false also converters, transforms, predicates.
    func plugins(connectorsOnly: Bool) async -> [PluginInfo]
    /// The keys of a plugin; `version` is a version or a range as Kafka Connect takes it (KIP-891).
    func pluginDefinitions(_ plugin: String, version: String?) async throws(HerderError) -> [ConfigDefinition]
    /// Checks a config without creating anything; invalid is an answer, not an error.
    func validate(_ plugin: String, _ config: ConfigMap) async throws(HerderError) -> ValidationResult
    /// Changes a log level on every worker of the cluster (KIP-976); the level is one of Kafka Connect's words.
    func setClusterLogLevel(_ logger: String, _ level: String) async throws(HerderError)
    /// What each task of this worker looks like now, by connector and number.
    func taskSnapshots() async -> [TaskSnapshot]
    /// What is wrong in the config directory now; empty without one.
    func configDirectoryProblems() async -> [ConfigDirectoryProblem]
    /// What this worker is to its cluster, and who leads.
    func cluster() async -> ClusterView
    /// The workers of the cluster, as Kafka lists them now.
    func workers() async throws(HerderError) -> [WorkerMember]
    /// What is said when a call took too long: what the worker is doing, and since when.
    func timeoutMessage() -> String
}

extension Herder {
    /// Says no more than that it took too long.
    public func timeoutMessage() -> String { "Request timed out." }
    /// A worker that shares its work with no one.
    public func cluster() async -> ClusterView { ClusterView(role: .leader, workerID: "") }
    /// None but itself.
    public func workers() async throws(HerderError) -> [WorkerMember] { [] }
}
