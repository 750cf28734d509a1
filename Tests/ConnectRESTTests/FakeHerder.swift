import ConnectConfig
import ConnectModel
import ConnectRuntime
import ConnectSDK
import Synchronization

/// Answers as a worker with the connectors `fs` and `a/b` would, and keeps what it was told.
final class FakeHerder: Herder {
    private let told = Mutex<[String]>([])
    var calls: [String] { told.withLock { $0 } }
    private let isStarting: Bool

    private let view: ClusterView
    private let shownHealth: WorkerHealth?

    init(
        isStarting: Bool = false,
        cluster: ClusterView = ClusterView(role: .leader, workerID: ""),
        health: WorkerHealth? = nil
    ) {
        (self.isStarting, view, shownHealth) = (isStarting, cluster, health)
    }
    func cluster() async -> ClusterView { view }

    private func note(_ call: String) { told.withLock { $0.append(call) } }
    private func known(_ name: String, _ wording: HerderError.UnknownWording = .notFound) throws(HerderError) {
        if isStarting { throw .starting("The worker is reading its topics.") }
        guard ["fs", "a/b"].contains(name) else { throw .unknownConnector(name, wording) }
    }
    private func made(_ name: String, _ config: ConfigMap) -> ConnectorInfo {
        var info = ConnectorInfo(name: name, config: config, tasks: [], kind: .source)
        info.warnings = warnings(config)
        return info
    }
    private func warnings(_ config: ConfigMap) -> [ConfigIssue] {
        config.keys.filter { $0 == "tp\"ic" }.map { ConfigIssue(key: $0, message: "Unknown configuration \($0).") }
    }

    func workerInfo() async -> WorkerInfo { WorkerInfo(version: "4.3.1", commit: "c", kafkaClusterID: "k") }
    func health() async -> WorkerHealth {
        shownHealth ?? (isStarting ? .starting("It waits for Kafka.") : .healthy)
    }
    func connectorNames() async throws(HerderError) -> [String] { ["a/b", "fs", "gone"] }
    func info(_ name: String) async throws(HerderError) -> ConnectorInfo {
        try known(name)
        return ConnectorInfo(name: name, config: ["topic": "t1"], tasks: [TaskID(name, 0)], kind: .source)
    }
    func config(_ name: String) async throws(HerderError) -> ConfigMap {
        try known(name)
        return ["topic": "t1"]
    }
    func create(
        _ name: String,
        _ config: ConfigMap,
        initialState: TargetState?
    ) async throws(HerderError) -> ConnectorInfo {
        note("create \(name) \(config.keys) \(initialState?.rawValue ?? "-")")
        if name == "fs" { throw .alreadyExists(name) }
        return made(name, config)
    }
    func put(_ name: String, _ config: ConfigMap) async throws(HerderError) -> (info: ConnectorInfo, created: Bool) {
        note("put \(name) \(config.keys)")
        if config["tasks.max"] == "0" {
            throw .invalidConfig([.invalid("tasks.max", value: "0", "Value must be at least 1"), .missing("topic")])
        }
        return (made(name, config), name != "fs")
    }
    func patch(_ name: String, _ changes: ConfigMap) async throws(HerderError) -> ConnectorInfo {
        try known(name)
        note("patch \(changes.pairs.map { "\($0.key)=\($0.value ?? "null")" })")
        return made(name, changes)
    }
    func delete(_ name: String) async throws(HerderError) { try known(name) }
    func status(_ name: String) async throws(HerderError) -> ConnectorStatus {
        guard name != "gone" else { throw .noStatus("connector gone") }
        try known(name)
        let running = InstanceStatus(state: "RUNNING", workerID: "h:1", version: "1")
        return ConnectorStatus(
            name: name,
            connector: running,
            tasks: [
                TaskStatus(id: TaskID(name, 0), status: InstanceStatus(state: "FAILED", workerID: "h:1", trace: "why"))
            ],
            kind: .source
        )
    }
    func taskStatus(_ id: TaskID) async throws(HerderError) -> TaskStatus {
        guard id.task == 0 else { throw .noStatus("task \(id)") }
        return TaskStatus(id: id, status: InstanceStatus(state: "RUNNING", workerID: "h:1", note: "retrying"))
    }
    func tasks(_ name: String) async throws(HerderError) -> [TaskInfo] {
        try known(name)
        return [TaskInfo(id: TaskID(name, 0), config: ["topic": "t1"])]
    }
    func pause(_ name: String) async throws(HerderError) { try known(name, .unknown) }
    func resume(_ name: String) async throws(HerderError) { try known(name, .unknown) }
    func stop(_ name: String) async throws(HerderError) { try known(name, .unknown) }
    func restart(_ name: String) async throws(HerderError) { try known(name) }
    func restart(_ name: String, includeTasks: Bool, onlyFailed: Bool) async throws(HerderError) -> ConnectorStatus {
        try known(name, .unknownColon)
        note("restart \(includeTasks) \(onlyFailed)")
        return try await status(name)
    }
    func restartTask(_ id: TaskID) async throws(HerderError) { if id.task != 0 { throw .unknownTask(id) } }
    func topics(_ name: String) async throws(HerderError) -> [String] { ["t1"] }
    func resetTopics(_ name: String) async throws(HerderError) { throw .forbidden("Topic tracking is disabled.") }
    func offsets(_ name: String) async throws(HerderError) -> [SourcePosition] {
        try known(name)
        return [SourcePosition(partition: ["filename": .string("/in")], offset: ["position": .int(7)])]
    }
    func alterOffsets(_ name: String, _ offsets: [SourcePosition]) async throws(HerderError) -> String {
        note("alter \(offsets.map { "\($0.partition.pairs.count):\($0.offset?["position"]?.int ?? -1)" })")
        return "altered"
    }
    func resetOffsets(_ name: String) async throws(HerderError) -> String { throw .badRequest("not stopped") }
    func plugins(connectorsOnly: Bool) async -> [PluginInfo] {
        [PluginInfo(name: "FileStreamSink", type: "sink", version: "1")]
            + (connectorsOnly ? [] : [PluginInfo(name: "Cast", type: "transformation", version: "1")])
    }
    private let key = ConfigKey<Int>.int("tasks.max", in: 1...9, default: 1, "Tasks.").shown(in: "Common").definition
    func pluginDefinitions(_ plugin: String, version: String?) async throws(HerderError) -> [ConfigDefinition] {
        guard plugin == "FileStreamSink" else { throw .notFound("Unknown plugin \(plugin).") }
        return [key]
    }
    func validate(_ plugin: String, _ config: ConfigMap) async throws(HerderError) -> ValidationResult {
        let errors = key.problems(with: config["tasks.max"])
        return ValidationResult(
            name: plugin,
            groups: ["Common"],
            keys: [ValidatedKey(definition: key, value: config["tasks.max"], errors: errors)],
            warnings: warnings(config)
        )
    }
    func setClusterLogLevel(_ logger: String, _ level: String) async throws(HerderError) { note("\(logger)=\(level)") }
    func taskSnapshots() async -> [TaskSnapshot] { [TaskSnapshot(id: TaskID("fs", 0), kind: .source)] }
    func configDirectoryProblems() async -> [ConfigDirectoryProblem] {
        [ConfigDirectoryProblem(file: "x.json", line: 3, column: 1, key: nil, reason: "expected a value")]
    }
}
