import ConnectConfig
import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Logs
import Synchronization

/// The herder of one worker: answers from the local view of the topics, writes to them, and has supervisors do the rest.
final class WorkerHerder: Herder {
    private enum Phase: Sendable {
        case starting(String)
        case live
        case stopping
    }
    private struct State {
        var phase = Phase.starting("")
        var supervisors: [String: ConnectorSupervisor] = [:]
        var clusterID: String?
        var problems: @Sendable () -> [ConfigDirectoryProblem] = { [] }
        /// Nil for a worker that shares its work with no one.
        var membership: ClusterMembership?
        /// On its way through all lanes; who asks meanwhile waits for the same.
        var probe: Latch?
    }
    private let state = Mutex(State())
    let context: HerderContext
    private let version: String
    private let commit: String
    let log = Logger("sluice.runtime.herder")

    init(_ context: HerderContext, version: String, commit: String) {
        (self.context, self.version, self.commit) = (context, version, commit)
        registerMetrics()
    }

    // Life

    /// What the worker waits for before it can answer; shown by `GET /health`.
    func starting(_ why: String) {
        state.withLock { state in if case .starting = state.phase { state.phase = .starting(why) } }
    }
    func use(clusterID: String?) { state.withLock { $0.clusterID = clusterID } }
    func use(problems: @escaping @Sendable () -> [ConfigDirectoryProblem]) { state.withLock { $0.problems = problems } }

    /// The stores have been read: answers begin, and what should run is started.
    func goLive(_ assignment: Assignment) {
        context.assignment = assignment
        context.configs.goLive { [weak self] change in self?.changed(change) }
        state.withLock { $0.phase = .live }
        for name in Set(context.configs.names).union(orphans).sorted() { supervisor(name).kick() }
        context.nursery.start("secrets") { [weak self, context] in
            while await !context.stopping.wait(for: context.config.reloadInterval, clock: context.clock) {
                await self?.reloadSecrets()
            }
        }
    }
    /// Has every connector look its secrets up again.
    func reloadSecrets() async {
        for supervisor in allSupervisors {
            await supervisor.lane.run("looking up values of config providers") { await supervisor.reload() }
        }
    }
    /// Another part of the work, or another generation: what is no longer ours stops, what is new starts.
    func apply(_ assignment: Assignment) {
        context.assignment = assignment
        let known = state.withLock { Set($0.supervisors.keys) }
        for name in known.union(context.configs.names).union(orphans) { supervisor(name).kick() }
    }
    /// The worker leads: everything is its to do.
    func lead(_ record: ClusterRecord) {
        context.raiseEpoch(above: record.epoch)
        context.status.mute(false)
        apply(Assignment(generation: record.generation))
    }
    /// The worker may lead no longer, whatever it does just now: nothing is written any more.
    func standDown() {
        context.status.mute(true)
        context.assignment = .nothing(generation: context.assignment.generation)
        let supervisors = state.withLock { Array($0.supervisors.values) }
        for supervisor in supervisors { supervisor.fence() }
        for supervisor in supervisors { supervisor.kick() }
    }
    func use(_ membership: ClusterMembership) { state.withLock { $0.membership = membership } }
    /// Connectors that only have statuses: deleted while no worker ran.
    private var orphans: [String] {
        context.status.connectors().filter {
            context.configs.connector($0) == nil && context.assignment.owns(connector: $0)
        }
    }
    /// Ends all connectors side by side.
    func shutDown() async {
        context.stopping.open()
        let supervisors = state.withLock { state in
            state.phase = .stopping
            return Array(state.supervisors.values)
        }
        await withTaskGroup(of: Void.self) { group in
            for supervisor in supervisors {
                group.addTask { await supervisor.lane.run { await supervisor.shutDown() } }
            }
        }
        context.nursery.finish()
    }

    private func changed(_ change: ConfigState.Change) {
        switch change {
        case .connector(let name): supervisor(name).kick()
        case .restart(let name, let request):
            guard context.configs.connector(name) != nil else { return }
            let supervisor = supervisor(name)
            context.nursery.start("\(name).restart") { await supervisor.lane.run { await supervisor.restart(request) } }
        case .logLevel(let logger, let word):
            guard let level = LogLevel(named: word) else { return }
            LoggerNames.set(logger, to: level)
        case .file, .ignored: break
        }
    }
    func supervisor(_ name: String) -> ConnectorSupervisor {
        state.withLock { state in
            if let known = state.supervisors[name] { return known }
            let made = ConnectorSupervisor(name, context)
            state.supervisors[name] = made
            return made
        }
    }

    // Guards

    func requireLive() throws(HerderError) {
        switch state.withLock({ $0.phase }) {
        case .live: return
        case .starting(let why): throw .starting(WorkerHealth.starting(why).message)
        case .stopping: throw .starting("Worker is shutting down.")
        }
    }
    func record(_ name: String, _ wording: HerderError.UnknownWording) throws(HerderError) -> ConnectorRecord {
        try requireLive()
        guard let record = context.configs.connector(name) else { throw .unknownConnector(name, wording) }
        return record
    }
    /// Does something to the stores, with their failures in the herder's words.
    func store(_ stage: String, _ body: () async throws(StoreError) -> Void) async throws(HerderError) {
        let began = milliseconds()
        do throws(StoreError) { try await body() } catch {
            if error.isTimeout { throw .timeout(stage: "\(stage): \(error)", since: ISOTime.text(began)) }
            throw .internalError("\(error)")
        }
    }
    func shown(_ config: ConfigMap, for connector: ConfigMap? = nil) -> ConfigMap {
        Masking.mask(config, definitions: Masking.definitions(for: connector ?? config, plugins: context.plugins))
    }
    func kind(of config: ConfigMap) -> ConnectorKind? { context.descriptor(of: config)?.kind }

    // Worker

    func workerInfo() async -> WorkerInfo {
        WorkerInfo(version: version, commit: commit, kafkaClusterID: state.withLock { $0.clusterID })
    }
    func cluster() async -> ClusterView {
        if let membership = state.withLock({ $0.membership }) { return membership.view }
        return ClusterView(role: isLive ? .leader : .joining, workerID: context.workerID)
    }
    private var isLive: Bool { if case .live = state.withLock({ $0.phase }) { true } else { false } }
    func workers() async throws(HerderError) -> [WorkerMember] {
        try requireLive()
        guard let membership = state.withLock({ $0.membership }) else {
            let rest = context.config.rest, scheme = rest.advertisedScheme ?? rest.listeners[0].scheme
            return [
                WorkerMember(
                    workerID: context.workerID,
                    url: "\(scheme)://\(context.workerID)",
                    role: .leader,
                    host: ""
                )
            ]
        }
        do throws(KafkaClientError) { return try await membership.members() } catch {
            if let problem = membership.view.problem { throw .conflict("The workers cannot be listed: \(problem)") }
            throw .internalError("Listing the workers of group \"\(context.config.groupID)\": \(error)")
        }
    }
    func configDirectoryProblems() async -> [ConfigDirectoryProblem] { state.withLock { $0.problems }() }
    func taskSnapshots() async -> [TaskSnapshot] { allSupervisors.flatMap(\.snapshots) }
    /// By name.
    var allSupervisors: [ConnectorSupervisor] {
        state.withLock { $0.supervisors.sorted { $0.key < $1.key }.map(\.value) }
    }
    func setClusterLogLevel(_ logger: String, _ level: String) async throws(HerderError) {
        try requireLive()
        guard let known = LogLevel(named: level) else { throw .notFound("invalid log level '\(level)'.") }
        try await store("writing a log level") { () throws(StoreError) in
            try await context.configs.putLogLevel(logger, known.name)
        }
    }
}

// Health: a question that passes through every connector's lane, so that a worker that hangs does not look well.
extension WorkerHerder {
    /// As long as Kafka Connect's `HEALTH_CHECK_TIMEOUT`.
    func health() async -> WorkerHealth { await health(within: .seconds(10)) }

    func health(within patience: Duration) async -> WorkerHealth {
        switch state.withLock({ $0.phase }) {
        case .starting(let why): return .starting(why)
        case .stopping: return .unhealthy("Worker is shutting down.")
        case .live: break
        }
        if await probe().wait(for: patience, clock: context.clock) { return .live(await cluster()) }
        return .unhealthy(busy(since: patience) ?? "Its background work does not run.")
    }
    private func probe() -> Latch {
        let (latch, isNew, lanes) = state.withLock { state -> (Latch, Bool, [Lane]) in
            if let probe = state.probe { return (probe, false, []) }
            let probe = Latch()
            state.probe = probe
            return (probe, true, state.supervisors.values.map(\.lane))
        }
        guard isNew else { return latch }
        context.nursery.start("health") { [weak self] in
            for lane in lanes { await lane.run("answering a health check") {} }
            self?.state.withLock { $0.probe = nil }
            latch.open()
        }
        return latch
    }
    func timeoutMessage() -> String { "Request timed out." + (busy(since: .zero).map { " \($0)" } ?? "") }

    /// The longest work under way, when it takes at least `time`.
    private func busy(since time: Duration) -> String? {
        let works = state.withLock { $0.supervisors.mapValues(\.lane) }.compactMap { name, lane in
            lane.work.map { (name, $0) }
        }
        guard let (name, work) = works.min(by: { $0.1.began < $1.1.began }), work.began.duration(to: .now) >= time
        else {
            return nil
        }
        return
            "The worker is currently \(work.stage) (connector \(name)), which began at \(ISOTime.text(work.beganAt))."
    }
}

/// `2026-11-21T13:03:00.123Z`, as Java's `Instant` prints.
enum ISOTime {
    static func text(_ milliseconds: Int64) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        func pad(_ number: Int, _ width: Int = 2) -> String {
            String(repeating: "0", count: max(0, width - "\(number)".count)) + "\(number)"
        }
        return "\(pad(Int(time.year), 4))-\(pad(time.month))-\(pad(time.day))T\(pad(time.hour)):\(pad(time.minute))"
            + ":\(pad(time.second)).\(pad(time.millisecond, 3))Z"
    }
}
