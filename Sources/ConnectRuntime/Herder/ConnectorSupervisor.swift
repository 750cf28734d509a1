import ConnectConfig
import ConnectModel
import ConnectSDK
import Lifecycle
import Logs
import Synchronization

/// Everything that this worker does about one connector: brings what runs in line with what the config topic says.
///
/// All changes run in ``lane``, so that a slow connector holds up only itself.
final class ConnectorSupervisor: Sendable {
    /// The connector itself, apart from its tasks.
    struct Instance: Sendable {
        /// The config it was started with.
        var config: ConfigMap
        /// Kafka Connect's word.
        var state: TaskState
        /// Nil when no plugin answers to the class.
        var version: String?
    }
    /// One run of one task.
    struct Run: Sendable {
        /// Tells late words of an earlier run from those of this one.
        var number: Int
        /// The commit it was started from.
        var tasksOffset: Int64
        /// The connector's config it was started with.
        var config: ConfigMap
        var runner: (any TaskRunning)?
        var stop = Latch()
        var outOfTime = Latch()
        var ended = Latch()
        var since: ContinuousClock.Instant
        var state = TaskState.unassigned
        var version: String?
        /// Of the config with its secrets in place: tells whether one has changed since.
        var fingerprint: Int?
    }
    struct State: Sendable {
        var instance: Instance?
        var runs: [Int: Run] = [:]
        var restarts: [Int: RestartMachine] = [:]
        var lastRun = 0
        var isQueued = false
        var isGone = false
    }
    let name: String
    let lane = Lane()
    let context: HerderContext
    let state = Mutex(State())
    let log = Logger("sluice.runtime.connector")

    init(_ name: String, _ context: HerderContext) { (self.name, self.context) = (name, context) }

    /// Has the connector looked at soon, in the background; many calls become one.
    func kick() {
        let isNew = state.withLock { state in
            defer { state.isQueued = true }
            return !state.isQueued
        }
        guard isNew else { return }
        context.nursery.start("\(name).reconcile") { [self] in
            await lane.run {
                state.withLock { $0.isQueued = false }
                await LogContext.with(["connector": "\(name)"]) { await reconcile() }
            }
        }
    }

    /// Brings what runs in line with what is wanted; only inside the lane.
    func reconcile() async {
        guard !context.stopping.isOpen else { return }
        guard let record = context.configs.connector(name) else { return await remove() }
        await context.config.providers.prepare(record.config.dictionary)
        if context.assignment.owns(connector: name) {
            startInstance(record)
            await generateTasks(record)
        } else {
            releaseInstance()
        }
        await alignTasks(context.configs.connector(name) ?? record)
    }

    // The connector itself

    /// Starts the instance when it is new or its config has changed, and follows the target state.
    func startInstance(_ record: ConnectorRecord, isForced: Bool = false) {
        let now = state.withLock { $0.instance }
        let isSame = now.map { $0.config == record.config } ?? false
        if let now, !isSame || isForced {
            context.status.putSafe(.connector(name), context.record(.unassigned, version: now.version))
            if isForced { context.status.put(.connector(name), context.record(.restarting, version: now.version)) }
        }
        var (next, trace) = (now?.state ?? .unassigned, String?.none)
        let descriptor = context.descriptor(of: record.config)
        if now == nil || !isSame || isForced {
            trace = descriptor == nil ? unknownClass(record.config) : nil
            if let descriptor, let fault = fault(in: record.config, descriptor) { trace = fault }
            next = trace == nil ? record.target.instanceState : .failed
            context.meters.connectorStarted(isGood: trace == nil)
        } else if next != .failed || record.target == .stopped {
            // Kafka Connect: a failed instance cannot be paused, but it can be stopped.
            next = record.target.instanceState
        }
        if record.target == .stopped { (next, trace) = (.stopped, nil) }
        let isChanged = now == nil || !isSame || isForced || now?.state != next
        state.withLock { $0.instance = Instance(config: record.config, state: next, version: descriptor?.version) }
        guard isChanged else { return }
        context.status.put(.connector(name), context.record(next, trace: trace, version: descriptor?.version))
        if let trace {
            log.error("Connector failed and stays down until its config changes", ["reason": "\(trace)"])
        } else {
            log.info("Connector changed state", ["state": "\(next.rawValue)"])
        }
    }
    private func unknownClass(_ config: ConfigMap) -> String {
        "No connector answers to connector.class=\(config["connector.class"] ?? "null"); change the config."
    }
    /// Why the connector cannot start; secrets are looked up, so that a missing one shows before its tasks fail.
    private func fault(in config: ConfigMap, _ descriptor: any ConnectorDescriptor) -> String? {
        do throws(ConfigInvalid) {
            let raw = context.completed(try context.config.providers.resolve(config.dictionary), of: descriptor)
            let issues = descriptor.issues(in: raw)
            return issues.isEmpty ? nil : issues.map(\.message).joined(separator: "\n")
        } catch { return "\(error)" }
    }
    /// Another worker runs it from now on.
    private func releaseInstance() {
        let old = state.withLock { state in
            defer { state.instance = nil }
            return state.instance
        }
        guard let old else { return }
        context.status.putSafe(.connector(name), context.record(.unassigned, version: old.version))
    }

    // Task configs

    /// Splits the connector into tasks and writes them when they are not those of the topic.
    private func generateTasks(_ record: ConnectorRecord) async {
        guard record.target == .started, state.withLock({ $0.instance?.state }) == .running,
            let descriptor = context.descriptor(of: record.config)
        else { return }
        let tasks = TaskConfigs.make(
            record.config,
            completed: context.completed(record.config.dictionary, of: descriptor),
            of: descriptor
        )
        let isSame = tasks == record.tasks && !record.isInconsistent && record.tasksOffset >= 0
        if isSame, record.committedConfig == nil || record.committedConfig == record.config { return }
        do throws(StoreError) { try await context.configs.putTasks(name, tasks) } catch {
            log.warn("Task configs not written, trying again", ["reason": "\(error)"])
            retryLater()
        }
    }
    func retryLater() {
        context.nursery.start("\(name).retry") { [self] in
            if await !context.stopping.wait(for: .seconds(1), clock: context.clock) { kick() }
        }
    }

    // Removal

    /// The connector is gone from the topic: its tasks end, and nothing remains but its offsets.
    private func remove() async {
        let (instance, hadTasks) = state.withLock { ($0.instance, !$0.runs.isEmpty) }
        if let instance {
            context.status.putSafe(.connector(name), context.record(.unassigned, version: instance.version))
        }
        await stopTasks(Set(state.withLock { $0.runs.keys }), writing: .unassigned)
        if context.assignment.owns(connector: name) || hadTasks {
            for task in context.status.tasks(of: name).keys.sorted() {
                context.status.remove(.task(TaskID(name, task)))
            }
        }
        if context.assignment.owns(connector: name) {
            context.status.remove(.connector(name))
            context.status.forgetTopics(of: name)
        }
        state.withLock { state in
            state.instance = nil
            state.restarts = [:]
            state.isGone = true
        }
        context.meters.forget(name)
        if instance != nil { log.info("Connector deleted") }
    }

    /// The worker stops: everything ends, statuses say so; waits no longer than the budget of all tasks together.
    func shutDown() async {
        let (instance, tasks) = state.withLock { ($0.instance, Set($0.runs.keys)) }
        await stopTasks(tasks, writing: .unassigned)
        if let instance {
            context.status.putSafe(.connector(name), context.record(.unassigned, version: instance.version))
        }
    }
}

extension TargetState {
    /// The state of a healthy connector instance with this target.
    var instanceState: TaskState {
        switch self {
        case .started: .running
        case .paused: .paused
        case .stopped: .stopped
        }
    }
}
