import ConnectConfig
import ConnectModel
import ConnectSDK
import Lifecycle
import Logs
import Synchronization

/// A task as the herder runs it; ``TaskRunner`` in life, a script in tests.
protocol TaskRunning: Sendable {
    /// Returns when the task was stopped or has failed; cancellation means: out of time, write nothing more.
    func run(until stop: Latch) async
    func pause()
    func resume()
    var snapshot: TaskSnapshot { get }
}

/// Offsets of consumer groups, which sinks keep there.
protocol GroupOffsets: Sendable {
    /// What the group has committed.
    func offsets(of group: String) async throws -> [TopicPartition: Int64]
    /// Sets offsets; a nil offset removes that partition's.
    func alter(_ group: String, _ offsets: [TopicPartition: Int64?]) async throws
    /// Removes the group with all its offsets.
    func delete(_ group: String) async throws
}

/// What all connectors of the worker share.
final class HerderContext: Sendable {
    let config: WorkerConfig
    let plugins: Plugins
    let configs: ConfigStore
    let status: StatusStore
    let offsets: OffsetStore
    let groups: any GroupOffsets
    let environment: TaskEnvironment
    /// Fences off old writers of exactly-once sources; nil where there are none.
    let fencing: (any ProducerFencing)?
    /// Where connectors keep offsets in topics of their own; nil where they cannot.
    let offsetTopics: (any OffsetTopics)?
    let makeRunner: @Sendable (TaskSpec, TaskEnvironment, Bool) -> any TaskRunning
    let clock: any Clock<Duration>
    let meters: WorkerMeters
    let nursery = Nursery()
    /// Opens when the worker stops: no timer starts anything after that.
    let stopping = Latch()
    private struct State {
        var assignment = Assignment(generation: 0)
        var lastEpoch: Int64 = 0
        var workerID: String
    }
    private let state: Mutex<State>

    init(
        config: WorkerConfig,
        plugins: Plugins,
        stores: (configs: ConfigStore, status: StatusStore, offsets: OffsetStore),
        groups: any GroupOffsets,
        environment: TaskEnvironment,
        workerID: String,
        clock: any Clock<Duration> = ContinuousClock(),
        fencing: (any ProducerFencing)? = nil,
        offsetTopics: (any OffsetTopics)? = nil,
        makeRunner: @escaping @Sendable (TaskSpec, TaskEnvironment, Bool) -> any TaskRunning
    ) {
        (self.config, self.plugins, self.groups) = (config, plugins, groups)
        (configs, status, offsets) = stores
        (self.environment, self.clock, self.makeRunner) = (environment, clock, makeRunner)
        (self.fencing, self.offsetTopics) = (fencing, offsetTopics)
        meters = WorkerMeters(environment.metrics)
        state = Mutex(State(workerID: workerID))
    }

    var assignment: Assignment {
        get { state.withLock { $0.assignment } }
        set {
            state.withLock { $0.assignment = newValue }
            meters.took(newValue)
        }
    }
    /// `host:port` under which REST is reached; part of every status.
    var workerID: String {
        get { state.withLock { $0.workerID } }
        set { state.withLock { $0.workerID = newValue } }
    }
    /// Larger than any handed out before by this worker, and by one whose clock agrees within the time that a takeover
    /// takes: sinks refuse writers with a smaller one.
    func nextEpoch() -> Int64 {
        state.withLock { state in
            state.lastEpoch = max(state.lastEpoch + 1, milliseconds())
            return state.lastEpoch
        }
    }
    /// Epochs handed out from now on are larger than this.
    func raiseEpoch(above floor: Int64) { state.withLock { $0.lastEpoch = max($0.lastEpoch, floor) } }
    func record(_ state: TaskState, trace: String? = nil, version: String?) -> StatusRecord {
        StatusRecord(
            state: state.rawValue,
            trace: trace,
            workerID: workerID,
            generation: assignment.generation,
            version: version
        )
    }
    func descriptor(of config: ConfigMap) -> (any ConnectorDescriptor)? {
        config["connector.class"].flatMap { plugins.connector(named: $0.trimmingBlanks) }
    }
    /// Where a source connector with this config keeps its offsets.
    func offsetStorage(of config: [String: String]) -> any TransactionalOffsetStorage {
        let topic = config[SourceConnectorKeys.offsetsTopic.name]?.trimmingBlanks ?? ""
        guard let offsetTopics, !topic.isEmpty, topic != offsets.topic else { return offsets }
        return OwnOffsets(topic, in: offsetTopics, behind: offsets)
    }
    /// A connector's config with the worker's defaults for its own keys.
    func completed(_ raw: [String: String], of descriptor: any ConnectorDescriptor) -> [String: String] {
        guard let url = config.elasticsearchURL, descriptor.kind == .sink, raw["connection.url"] == nil,
            descriptor.name.contains("Elasticsearch")
        else { return raw }
        return raw.merging(["connection.url": url]) { given, _ in given }
    }
}
