import ConnectModel

/// The file of a config directory that a connector comes from: what makes the removed file delete it, even if it was
/// removed while no worker ran.
struct ConfigFileMark: Sendable, Hashable {
    /// The directory as the worker's properties name it.
    var directory: String
    /// The file's name in it.
    var file: String

    init(directory: String, file: String) { (self.directory, self.file) = (directory, file) }
    init?(_ value: JSON) {
        guard let directory = value["directory"]?.string, let file = value["file"]?.string else { return nil }
        self.init(directory: directory, file: file)
    }
    var json: JSON { .object(["directory": .string(directory), "file": .string(file)]) }
}

/// Keys and values of the config topic, byte for byte Kafka Connect 4.3's (`KafkaConfigBackingStore`).
enum ConfigRecords {
    /// The prefixes of the keys.
    enum Kind: String {
        case connector = "connector-"
        case task = "task-"
        case commit = "commit-"
        case target = "target-state-"
        case restart = "restart-connector-"
        case fencing = "tasks-fencing-"
        case logger = "logger-cluster-"
        /// Ours; Kafka Connect's readers skip keys they do not know.
        case file = "sluice-config-file-"
    }
    /// The key of the key that signs requests between Java workers; read over, never written.
    static let sessionKey = "session-key"

    static func name(in key: String, after kind: Kind) -> String? {
        key.hasPrefix(kind.rawValue) ? String(key.dropFirst(kind.rawValue.count)) : nil
    }
    /// `task-NAME-3`: a name may have dashes itself, so the number is what follows the last one.
    static func taskID(in key: String) -> TaskID? {
        guard let rest = name(in: key, after: .task), let dash = rest.lastIndex(of: "-"),
            let number = Int(rest[rest.index(after: dash)...]), number >= 0
        else { return nil }
        return TaskID(String(rest[..<dash]), number)
    }

    // Reading

    static func properties(_ value: JSON?) -> ConfigMap? {
        guard let members = value?["properties"]?.members else { return nil }
        var config = ConfigMap()
        for member in members {
            guard let text = member.value.configText else { return nil }
            config.set(member.key, text)
        }
        return config
    }
    /// `state.v2` knows STOPPED; `state` is for readers older than 3.5.
    static func targetState(_ value: JSON) -> TargetState? {
        (value["state.v2"]?.string ?? value["state"]?.string).flatMap(TargetState.init(rawValue:))
    }
    static func restartRequest(_ value: JSON?) -> RestartRequest? {
        guard case .boolean(let tasks)? = value?["include-tasks"], case .boolean(let failed)? = value?["only-failed"]
        else { return nil }
        return RestartRequest(includeTasks: tasks, onlyFailed: failed)
    }

    // Writing

    static func connector(_ name: String, _ config: ConfigMap?) -> LogWrite {
        LogWrite(Kind.connector.rawValue + name, config.map(properties))
    }
    static func task(_ id: TaskID, _ config: ConfigMap) -> LogWrite {
        LogWrite(Kind.task.rawValue + "\(id)", properties(config))
    }
    static func commit(_ name: String, tasks: Int) -> LogWrite {
        LogWrite(Kind.commit.rawValue + name, .object(["tasks": .int(tasks)]))
    }
    static func target(_ name: String, _ state: TargetState?) -> LogWrite {
        LogWrite(
            Kind.target.rawValue + name,
            state.map { state in
                let old: TargetState = state == .stopped ? .paused : state
                return .object(["state": .string(old.rawValue), "state.v2": .string(state.rawValue)])
            }
        )
    }
    static func restart(_ name: String, _ request: RestartRequest) -> LogWrite {
        LogWrite(
            Kind.restart.rawValue + name,
            .object(["include-tasks": .boolean(request.includeTasks), "only-failed": .boolean(request.onlyFailed)])
        )
    }
    static func fencing(_ name: String, tasks: Int) -> LogWrite {
        LogWrite(Kind.fencing.rawValue + name, .object(["task-count": .int(tasks)]))
    }
    static func file(_ name: String, _ mark: ConfigFileMark?) -> LogWrite {
        LogWrite(Kind.file.rawValue + name, mark.map { $0.json })
    }
    static func logLevel(_ logger: String, _ level: String) -> LogWrite {
        LogWrite(Kind.logger.rawValue + logger, .object(["level": .string(level)]))
    }
    private static func properties(_ config: ConfigMap) -> JSON {
        .object(["properties": .object(config.pairs.map { JSON.Member(key: $0.key, value: .text($0.value)) })])
    }
}
