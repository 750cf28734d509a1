import ConnectConfig
import ConnectModel
import ConnectSDK
import Lifecycle
import Logs
import Metrics
import Synchronization

@testable import ConnectRuntime

/// Sleeps not at all.
struct ImmediateClock: Clock {
    typealias Instant = ContinuousClock.Instant
    var now: Instant { .now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        await Task.yield()
    }
}

/// A task whose states the test decides.
final class ScriptedTask: TaskRunning {
    struct State {
        var snapshot: TaskSnapshot
        var calls: [String] = []
        var isPaused: Bool
    }
    let spec: TaskSpec
    let startsPaused: Bool
    let environment: TaskEnvironment
    private let changes: Changes
    private let state: Mutex<State>
    private let order = Mutex(0)
    let failed = Latch()

    init(_ spec: TaskSpec, _ environment: TaskEnvironment, _ startsPaused: Bool, _ changes: Changes) {
        (self.spec, self.environment, self.startsPaused) = (spec, environment, startsPaused)
        self.changes = changes
        state = Mutex(State(snapshot: TaskSnapshot(id: spec.id, kind: spec.descriptor.kind), isPaused: startsPaused))
    }
    func run(until stop: Latch) async {
        become(state.withLock { $0.isPaused } ? .paused : .running)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await stop.wait() }
            group.addTask { [failed] in await failed.wait() }
            await group.next()
            group.cancelAll()
        }
        state.withLock { $0.calls.append("ended") }
        changes.tell()
    }
    func pause() {
        wish(true)
    }
    func resume() {
        wish(false)
    }
    /// Until the run has begun only the wish counts, as with a real task.
    private func wish(_ isPaused: Bool) {
        let hasBegun = state.withLock { state in
            state.isPaused = isPaused
            return state.snapshot.state == .running || state.snapshot.state == .paused
        }
        if hasBegun { become(isPaused ? .paused : .running) }
    }
    /// One word at a time, as a real task speaks.
    func become(_ new: TaskState, trace: String? = nil) {
        order.withLock { _ in
            var new = new
            state.withLock { state in
                if new == .running || new == .paused { new = state.isPaused ? .paused : .running }
                state.snapshot.state = new
            }
            environment.listener.task(spec.id, became: new, trace: trace)
        }
        changes.tell()
    }
    func fail(_ failure: TaskFailure) {
        state.withLock { $0.snapshot.failure = failure }
        become(.failed, trace: failure.description)
        failed.open()
    }
    func use(_ topic: String) { environment.listener.task(spec.id, usesTopic: topic) }
    var snapshot: TaskSnapshot { state.withLock { $0.snapshot } }
    var calls: [String] { state.withLock { $0.calls } }
}

/// Group offsets in memory.
final class FakeGroups: GroupOffsets {
    private let groups = Mutex<[String: [TopicPartition: Int64]]>([:])
    func offsets(of group: String) async throws -> [TopicPartition: Int64] { groups.withLock { $0[group] ?? [:] } }
    func alter(_ group: String, _ offsets: [TopicPartition: Int64?]) async throws {
        groups.withLock { groups in
            for (partition, offset) in offsets { groups[group, default: [:]][partition] = offset }
        }
    }
    func delete(_ group: String) async throws { groups.withLock { $0[group] = nil } }
}

struct NoTopics: TopicCreator {
    func ensureTopic(_ name: String, settings: TopicSettings) async throws {}
}

private final class StoredOffsets: OffsetStorage {
    func positions(of connector: String) async throws -> [SourcePosition] { [] }
    func store(_ positions: [SourcePosition], of connector: String) async throws {}
}

private struct DeafListener: TaskListener {
    func task(_ id: TaskID, became state: TaskState, trace: String?) {}
    func task(_ id: TaskID, usesTopic topic: String) {}
    func task(_ id: TaskID, reports note: String?) {}
}

/// A herder over topics in memory with scripted tasks.
final class Fixture: Sendable {
    let configs = FakeLog("connect-configs"), status = FakeLog("connect-status"), offsets = FakeLog("connect-offsets")
    let groups = FakeGroups()
    let changes = Changes()
    let context: HerderContext
    let herder: WorkerHerder

    init(_ properties: [String: String] = [:], fencing: (any ProducerFencing)? = nil) throws {
        let quick = ["task.shutdown.graceful.timeout.ms": "60000", "errors.restart.backoff.ms": "1"]
        let config = try WorkerConfig(properties.merging(quick) { given, _ in given })
        let stores = (ConfigStore(configs), StatusStore(status, clock: ImmediateClock()), OffsetStore(offsets))
        let changes = changes
        configs.onRecord {
            stores.0.take($0)
            changes.tell()
        }
        status.onRecord {
            stores.1.take($0)
            changes.tell()
        }
        offsets.onRecord(stores.2.take)
        var environment = TaskEnvironment(
            plugins: Self.plugins,
            settings: config.clientSettings,
            offsets: StoredOffsets(),
            listener: DeafListener(),
            topics: NoTopics(),
            metrics: MetricsRegistry()
        )
        environment.transactionGroup = config.isExactlyOnce ? config.groupID : nil
        let box = TaskBox()
        context = HerderContext(
            config: config,
            plugins: Self.plugins,
            stores: stores,
            groups: groups,
            environment: environment,
            workerID: "127.0.0.1:18383",
            fencing: fencing
        ) { spec, environment, isPaused in
            let task = ScriptedTask(spec, environment, isPaused, changes)
            box.add(task)
            changes.tell()
            return task
        }
        herder = WorkerHerder(context, version: "4.3.1", commit: "abc")
        self.box = box
    }
    private let box: TaskBox
    var made: [ScriptedTask] { box.all }
    /// How many tasks are running now.
    var running: Int { box.all.count { $0.snapshot.state == .running && $0.calls.last != "ended" } }
    /// The newest run of a task.
    func task(_ id: TaskID) -> ScriptedTask? { box.all.last { $0.spec.id == id } }

    /// Runs the herder around a test.
    func run(_ body: @Sendable @escaping (Fixture) async throws -> Void) async throws {
        herder.goLive(Assignment(generation: 7))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.nursery.run() }
            group.addTask { await self.context.status.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body(self)) } catch { result = .failure(error) }
            await herder.shutDown()
            context.status.finish()
            try await group.waitForAll()
            try result.get()
        }
    }
    /// Returns when the connector's supervisor has nothing more to do.
    func settle(_ name: String) async {
        for _ in 0..<20 { await herder.supervisor(name).lane.run { await Task.yield() } }
    }
    /// Waits until something holds, looking again whenever a task or a topic has changed.
    func until(_ name: String, _ holds: @Sendable () -> Bool) async {
        while true {
            let seen = changes.count
            if holds() { return }
            await changes.wait(beyond: seen)
        }
    }

    static let plugins = Plugins(connectors: [fileSource, fileSink])
    static let fileKeys: [any AnyConfigKey] = [
        ConfigKey<String?>.optionalString("file", importance: .high, "A file."),
        ConfigKey<Secret?>.secret("secret", "A secret."),
    ]
    static let fileSource = SourceDescriptor(
        name: "FileStreamSource",
        aliases: ["org.apache.kafka.connect.file.FileStreamSourceConnector"],
        version: "4.3.1",
        summary: "",
        keys: fileKeys + [
            ConfigKey<String>.string("topic", nonEmpty: true, importance: .high, "The topic."),
            ConfigKey<Int>.int("batch.size", default: 2000, importance: .low, "Most records of a poll."),
        ],
        check: { _ throws(ConfigInvalid) in },
        make: { _, _ throws(ConfigInvalid) in throw ConfigInvalid(issues: [.missing("never")]) }
    )
    static let fileSink = SinkDescriptor(
        name: "FileStreamSink",
        aliases: ["org.apache.kafka.connect.file.FileStreamSinkConnector"],
        version: "4.3.1",
        summary: "",
        keys: fileKeys,
        check: { _ throws(ConfigInvalid) in },
        make: { _, _ throws(ConfigInvalid) in throw ConfigInvalid(issues: [.missing("never")]) }
    )
}

/// Counts changes and wakes those who wait for one.
final class Changes: Sendable {
    private let state = Mutex((count: 0, waiters: [CheckedContinuation<Void, Never>]()))
    var count: Int { state.withLock { $0.count } }
    func tell() {
        let waiters = state.withLock { state in
            state.count += 1
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
    func wait(beyond seen: Int) async {
        await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
            let isLate = state.withLock { state in
                if state.count > seen { return true }
                state.waiters.append(waiter)
                return false
            }
            if isLate { waiter.resume() }
        }
    }
}

final class TaskBox: Sendable {
    private let tasks = Mutex<[ScriptedTask]>([])
    func add(_ task: ScriptedTask) { tasks.withLock { $0.append(task) } }
    var all: [ScriptedTask] { tasks.withLock { $0 } }
}
