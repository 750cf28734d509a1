import ConnectModel
import Synchronization

/// Connectors, their target states and task configs in `config.storage.topic`, exactly as Kafka Connect keeps them.
///
/// Every write returns when it has been read back, so that what is read next includes it.
final class ConfigStore: Sendable {
    private struct State {
        var config = ConfigState()
        var isLive = false
        var listener: (@Sendable (ConfigState.Change) -> Void)?
    }
    private let state = Mutex(State())
    private let log: any TopicLog

    init(_ log: any TopicLog) { self.log = log }

    /// Takes one record of the topic; called by the topic's reader, in order.
    func take(_ record: LogRecord) {
        let (change, listener) = state.withLock { state in
            let change = state.config.apply(record)
            return (change, state.isLive ? state.listener : nil)
        }
        if case .ignored = change { return }
        listener?(change)
    }
    /// From now on changes are told; what was replayed before is state, not news.
    ///
    /// Called once, after the first read.
    func goLive(_ listener: @escaping @Sendable (ConfigState.Change) -> Void) {
        state.withLock { state in
            state.listener = listener
            state.isLive = true
        }
    }

    // Reading

    var names: [String] { state.withLock { $0.config.connectors.keys.sorted() } }
    func connector(_ name: String) -> ConnectorRecord? { state.withLock { $0.config.connectors[name] } }
    /// Connectors that come from files of this directory, with the file of each.
    func files(of directory: String) -> [String: String] {
        state.withLock { $0.config.files.filter { $0.value.directory == directory }.mapValues(\.file) }
    }
    var nextOffset: Int64 { state.withLock { $0.config.nextOffset } }
    func readToEnd() async throws(StoreError) { try await log.readToEnd() }

    // Writing

    // What decides what runs (configs, tasks, fencing) is written atomically; wishes (target states, restarts, log levels)
    // are single records, as in Kafka Connect.

    /// The target state goes first, so that a connector that is to be born stopped never runs.
    func put(_ name: String, _ config: ConfigMap, target: TargetState? = nil) async throws(StoreError) {
        let first = target.map { [ConfigRecords.target(name, $0)] } ?? []
        try await log.writeAtomically(first + [ConfigRecords.connector(name, config)])
    }
    func remove(_ name: String) async throws(StoreError) {
        try await log.writeAtomically([ConfigRecords.connector(name, nil), ConfigRecords.target(name, nil)])
    }
    /// All tasks, then, when they can be read, the commit that makes them count.
    func putTasks(_ name: String, _ tasks: [ConfigMap]) async throws(StoreError) {
        if !tasks.isEmpty {
            let records = tasks.enumerated().map { ConfigRecords.task(TaskID(name, $0.offset), $0.element) }
            try await log.writeAtomically(records)
        }
        try await log.writeAtomically([ConfigRecords.commit(name, tasks: tasks.count)])
    }
    func putTarget(_ name: String, _ target: TargetState) async throws(StoreError) {
        try await log.write([ConfigRecords.target(name, target)], readBack: true)
    }
    /// Stops a connector: no tasks first, then the target state.
    func putStopped(_ name: String) async throws(StoreError) {
        try await log.writeAtomically([ConfigRecords.commit(name, tasks: 0)])
        try await log.write([ConfigRecords.target(name, .stopped)], readBack: true)
    }
    func putRestart(_ name: String, _ request: RestartRequest) async throws(StoreError) {
        try await log.write([ConfigRecords.restart(name, request)], readBack: true)
    }
    func putFencing(_ name: String, tasks: Int) async throws(StoreError) {
        try await log.writeAtomically([ConfigRecords.fencing(name, tasks: tasks)])
    }
    /// Notes which file a connector comes from; nil when it no longer does.
    func putFile(_ name: String, _ mark: ConfigFileMark?) async throws(StoreError) {
        guard state.withLock({ $0.config.files[name] }) != mark else { return }
        try await log.write([ConfigRecords.file(name, mark)], readBack: true)
    }
    func putLogLevel(_ logger: String, _ level: String) async throws(StoreError) {
        try await log.write([ConfigRecords.logLevel(logger, level)], readBack: true)
    }
}
