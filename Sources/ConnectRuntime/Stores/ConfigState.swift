import ConnectModel

/// A restart with flags, as the config topic carries it (KIP-745).
struct RestartRequest: Sendable, Hashable {
    var includeTasks: Bool
    var onlyFailed: Bool

    /// Requests that meet before they are served become one: the one that restarts more.
    func merged(with other: Self) -> Self { other.strength > strength ? other : self }
    private var strength: Int { includeTasks ? (onlyFailed ? 1 : 2) : 0 }
}

/// What the config topic says about one connector.
struct ConnectorRecord: Sendable {
    /// The raw config.
    var config: ConfigMap
    /// What is wanted of it.
    var target = TargetState.started
    /// Whether the topic holds a target state, so that a default is not taken for a wish.
    var hasTarget = false
    /// The committed tasks.
    var tasks: [ConfigMap] = []
    /// The offset of the last commit; -1 before the first.
    ///
    /// A task is up to date when it was started from this commit.
    var tasksOffset: Int64 = -1
    /// The connector's config when the tasks were committed.
    var committedConfig: ConfigMap?
    /// A commit came without all its tasks (compaction, a broken writer): the owner writes the tasks again.
    var isInconsistent = false
    /// Task count of the last fencing round (exactly-once sources).
    var fencedTasks: Int?
    /// Tasks were committed after the last fencing round: writers of older ones must be fenced off before these start.
    var isPendingFencing = false
}

/// The state that replaying the config topic gives; pure, so that recorded topics can test it.
struct ConfigState: Sendable {
    /// What a record changed.
    enum Change: Sendable, Hashable {
        /// Config, target state or tasks of a connector; also its first and last.
        case connector(String)
        /// A restart with flags; replayed ones are old and must be ignored by the caller.
        case restart(String, RestartRequest)
        /// A cluster-wide log level; replayed ones are old.
        case logLevel(logger: String, level: String)
        /// Which file of a config directory a connector comes from.
        case file(String)
        /// Nothing that matters, with a reason worth a debug line.
        case ignored(String)
    }
    private(set) var connectors: [String: ConnectorRecord] = [:]
    /// Connectors that come from files of config directories.
    private(set) var files: [String: ConfigFileMark] = [:]
    private var targets: [String: TargetState] = [:]
    private var waitingTasks: [String: [Int: ConfigMap]] = [:]
    private var committedTasks: [String: [Int: ConfigMap]] = [:]
    private var fencedTasks: [String: Int] = [:]
    private var pendingFencing: Set<String> = []
    /// The offset after the last record read: what Kafka Connect's members compare.
    private(set) var nextOffset: Int64 = 0

    /// Takes one record.
    mutating func apply(_ record: LogRecord) -> Change {
        nextOffset = record.offset + 1
        guard let key = record.key.flatMap({ String(validating: $0, as: UTF8.self) }) else {
            return .ignored("a record without a text as key")
        }
        var value: JSON?
        if let bytes = record.value {
            guard let parsed = try? JSONParser.parse(bytes) else { return .ignored("\(key): the value is not JSON") }
            value = parsed == .null ? nil : parsed
        }
        return apply(key, value, offset: record.offset)
    }

    private mutating func apply(_ key: String, _ value: JSON?, offset: Int64) -> Change {
        if let name = ConfigRecords.name(in: key, after: .connector) { return applyConnector(name, value) }
        if let name = ConfigRecords.name(in: key, after: .target) { return applyTarget(name, value) }
        if let name = ConfigRecords.name(in: key, after: .commit) { return applyCommit(name, value, offset) }
        if let name = ConfigRecords.name(in: key, after: .restart) {
            guard let request = ConfigRecords.restartRequest(value) else {
                return .ignored("\(key): no restart request")
            }
            return .restart(name, request)
        }
        if let name = ConfigRecords.name(in: key, after: .fencing) {
            fencedTasks[name] = value?["task-count"]?.int.map(Int.init)
            pendingFencing.remove(name)
            connectors[name]?.fencedTasks = fencedTasks[name]
            connectors[name]?.isPendingFencing = false
            return .connector(name)
        }
        if let name = ConfigRecords.name(in: key, after: .file) {
            files[name] = value.flatMap(ConfigFileMark.init)
            return .file(name)
        }
        if let name = ConfigRecords.name(in: key, after: .logger) {
            guard let level = value?["level"]?.string else { return .ignored("\(key): no level") }
            return .logLevel(logger: name, level: level)
        }
        if let id = ConfigRecords.taskID(in: key) {
            guard let config = ConfigRecords.properties(value) else { return .ignored("\(key): no properties") }
            waitingTasks[id.connector, default: [:]][id.task] = config
            return .ignored("a task waits for its commit")
        }
        return .ignored(key == ConfigRecords.sessionKey ? "a session key" : "unknown key \(key)")
    }
    private mutating func applyConnector(_ name: String, _ value: JSON?) -> Change {
        guard let value else {
            connectors[name] = nil
            waitingTasks[name] = nil
            committedTasks[name] = nil
            return .connector(name)
        }
        guard let config = ConfigRecords.properties(value) else { return .ignored("connector \(name): no properties") }
        var record = connectors[name] ?? ConnectorRecord(config: config)
        record.config = config
        record.hasTarget = targets[name] != nil
        record.target = targets[name] ?? .started
        record.fencedTasks = fencedTasks[name]
        record.isPendingFencing = pendingFencing.contains(name)
        connectors[name] = record
        return .connector(name)
    }
    private mutating func applyTarget(_ name: String, _ value: JSON?) -> Change {
        targets[name] = value.flatMap(ConfigRecords.targetState)
        guard value == nil || targets[name] != nil else { return .ignored("target state of \(name): unknown word") }
        connectors[name]?.target = targets[name] ?? .started
        connectors[name]?.hasTarget = targets[name] != nil
        return .connector(name)
    }
    /// A commit counts when all its tasks are there; compaction may have left tasks beyond the count, which is fine.
    private mutating func applyCommit(_ name: String, _ value: JSON?, _ offset: Int64) -> Change {
        guard let count = value?["tasks"]?.int, count >= 0 else { return .ignored("commit of \(name): no task count") }
        guard var record = connectors[name] else { return .ignored("commit of \(name), which does not exist") }
        let tasks = (committedTasks[name] ?? [:]).merging(waitingTasks[name] ?? [:]) { _, new in new }
        waitingTasks[name] = nil
        let wanted = (0..<Int(count)).map { tasks[$0] }
        record.isInconsistent = wanted.contains { $0 == nil }
        record.tasks = record.isInconsistent ? [] : wanted.compactMap(\.self)
        record.tasksOffset = offset
        record.committedConfig = record.config
        if !record.isInconsistent { committedTasks[name] = tasks }
        pendingFencing.insert(name)
        record.isPendingFencing = true
        connectors[name] = record
        return .connector(name)
    }
}
