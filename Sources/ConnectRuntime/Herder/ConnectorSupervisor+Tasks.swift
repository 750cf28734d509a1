import ConnectConfig
import ConnectModel
import ConnectSDK
import Lifecycle
import Logs
import Synchronization

extension ConnectorSupervisor {
    /// Stops tasks that should not run or run an old config, starts those that should, pauses and resumes the others.
    func alignTasks(_ record: ConnectorRecord) async {
        let wanted =
            record.target == .stopped
            ? [] : record.tasks.indices.filter { context.assignment.owns(task: TaskID(name, $0)) }
        let runs = state.withLock { $0.runs }
        let outdated = runs.filter { task, run in
            !wanted.contains(task) || run.tasksOffset != record.tasksOffset
        }
        await stopTasks(Set(outdated.keys), writing: .unassigned)
        for task in outdated.keys.sorted() where task >= record.tasks.count {
            context.meters.forget(name, task: task)
            context.status.remove(.task(TaskID(name, task)))
        }
        dropStaleStatuses(record)
        let isPaused = record.target == .paused
        let mayStart = await mayStartTasks(record)
        for task in wanted.sorted() {
            if let runner = state.withLock({ $0.runs[task]?.runner }) {
                if isPaused { runner.pause() } else { runner.resume() }
            } else if mayStart, state.withLock({ $0.runs[task] }) == nil {
                start(task, record)
            }
        }
    }
    /// Statuses of tasks that no longer exist, left by a worker that died before it could take them back.
    private func dropStaleStatuses(_ record: ConnectorRecord) {
        guard context.assignment.owns(connector: name) else { return }
        let running = state.withLock { Set($0.runs.keys) }
        for task in context.status.tasks(of: name).keys where task >= record.tasks.count && !running.contains(task) {
            context.status.remove(.task(TaskID(name, task)))
        }
    }

    /// Starts one task from the committed configs; what keeps it from starting is a FAILED status, never an error here.
    func start(_ task: Int, _ record: ConnectorRecord, isFreshChance: Bool = true) {
        let id = TaskID(name, task)
        guard context.assignment.owns(task: id) else { return }
        let number = state.withLock { state in
            state.lastRun += 1
            if isFreshChance { state.restarts[task] = nil }
            return state.lastRun
        }
        context.meters.taskStarts()
        let descriptor = context.descriptor(of: record.config)
        var run = Run(
            number: number,
            tasksOffset: record.tasksOffset,
            config: record.config,
            since: .now,
            version: descriptor?.version
        )
        do throws(ConfigInvalid) {
            guard let descriptor else {
                throw ConfigInvalid(issues: [
                    .invalid("connector.class", value: record.config["connector.class"], "No such connector")
                ])
            }
            let resolved = try context.config.providers.resolve(record.config.dictionary)
            let spec = TaskSpec(
                id: id,
                descriptor: descriptor,
                config: context.completed(
                    try context.config.providers.resolve(record.tasks[task].dictionary),
                    of: descriptor
                ),
                connectorConfig: context.completed(resolved, of: descriptor),
                epoch: context.nextEpoch()
            )
            if context.config.providers.concerns(record.config.dictionary) { run.fingerprint = resolved.hashValue }
            var environment = context.environment
            environment.listener = RunListener(supervisor: self, number: number)
            if descriptor.kind == .source {
                environment.offsets = context.offsetStorage(of: resolved)
                let generation = record.tasksOffset
                environment.confirmGeneration = { [weak self] () async throws(TaskFailure) in
                    try await self?.confirm(generation: generation)
                }
            }
            let runner = context.makeRunner(spec, environment, record.target == .paused)
            run.runner = runner
            let started = run
            state.withLock { $0.runs[task] = started }
            // The work may have been taken away since it was looked at.
            if !context.assignment.owns(task: id) { started.outOfTime.open() }
            context.nursery.start("\(id)") { [log] in
                await LogContext.with(["connector": "\(id.connector)", "task": .int(id.task)]) {
                    do {
                        try await withCancellation(by: started.outOfTime) { await runner.run(until: started.stop) }
                    } catch { log.debug("Task was cancelled") }
                }
                started.ended.open()
            }
        } catch {
            run.state = .failed
            run.ended.open()
            context.meters.taskStarted(isGood: false)
            let failed = run
            state.withLock { $0.runs[task] = failed }
            let trace = "\(error)\nIt is not restarted by itself: only a change of \(error.issues[0].key) helps."
            context.status.putSafe(.task(id), context.record(.failed, trace: trace, version: run.version))
            log.error("Task did not start", ["task": .int(task), "reason": "\(error)"])
        }
    }

    /// Stops tasks side by side; those that are not done within the budget are cancelled and write nothing more.
    func stopTasks(_ tasks: Set<Int>, writing state: TaskState?) async {
        let runs = self.state.withLock { now in
            tasks.sorted().compactMap { task in now.runs.removeValue(forKey: task).map { (task, $0) } }
        }
        guard !runs.isEmpty else { return }
        for (_, run) in runs { run.stop.open() }
        let (budget, clock) = (context.config.shutdownTimeout, context.clock)
        await withTaskGroup(of: Void.self) { group in
            for (_, run) in runs {
                group.addTask {
                    if await run.ended.wait(for: budget, clock: clock) { return }
                    run.outOfTime.open()
                    _ = await run.ended.wait(for: .seconds(1), clock: clock)
                }
            }
        }
        for (task, run) in runs {
            if !run.ended.isOpen {
                log.error(
                    "Task does not end, even cancelled; what it holds is freed when it does",
                    ["task": .int(task)]
                )
            } else if run.outOfTime.isOpen {
                log.warn("Task was cancelled: not finished in time", ["task": .int(task), "limit": "\(budget)"])
            }
            if let state {
                context.status.putSafe(.task(TaskID(name, task)), context.record(state, version: run.version))
            }
        }
    }

    /// Cancels everything that runs here: it may write nothing more, for another worker may do it now.
    func fence() {
        let runs = state.withLock { state in
            state.instance = nil
            return Array(state.runs.values)
        }
        for run in runs { run.outOfTime.open() }
    }

    /// Restarts what is chosen, as a person asked; parts that run elsewhere are their owners' business.
    func restart(_ request: RestartRequest) async {
        guard let record = context.configs.connector(name) else { return }
        let plan = RestartPlan(
            request,
            connector: context.status.status(.connector(name)),
            tasks: context.status.tasks(of: name)
        )
        if plan.connector, context.assignment.owns(connector: name) { startInstance(record, isForced: true) }
        let mine = plan.tasks.filter {
            context.assignment.owns(task: TaskID(name, $0)) && record.tasks.indices.contains($0)
        }
        await restartTasks(mine, announcing: true)
        await reconcile()
    }
    /// Looks secrets up again; tasks that were started with others start anew (`config.action.reload`).
    func reload() async {
        guard !context.stopping.isOpen, let record = context.configs.connector(name), record.target != .stopped,
            record.config[ConnectorKeys.reload.name]?.trimmingBlanks != "none"
        else { return }
        let started = state.withLock { $0.runs.compactMapValues(\.fingerprint) }
        guard !started.isEmpty else { return }
        await context.config.providers.prepare(record.config.dictionary)
        do throws(ConfigInvalid) {
            let now = try context.config.providers.resolve(record.config.dictionary).hashValue
            let outdated = started.filter { $0.value != now }
            guard !outdated.isEmpty else { return }
            log.info("A value from a config provider has changed, tasks start anew", ["connector": "\(name)"])
            if context.assignment.owns(connector: name) { startInstance(record, isForced: true) }
            await restartTasks(Set(outdated.keys), announcing: true)
        } catch {
            // What runs has what it needs; a secret may be missing while somebody replaces it.
            log.warn("A value from a config provider cannot be read", ["connector": "\(name)", "reason": "\(error)"])
        }
    }
    func restartTasks(_ tasks: Set<Int>, announcing: Bool, isFreshChance: Bool = true) async {
        guard let record = context.configs.connector(name), record.target != .stopped else { return }
        await stopTasks(tasks, writing: .unassigned)
        for task in tasks.sorted() where record.tasks.indices.contains(task) {
            if announcing {
                let version = context.descriptor(of: record.config)?.version
                context.status.put(.task(TaskID(name, task)), context.record(.restarting, version: version))
            }
            start(task, record, isFreshChance: isFreshChance)
        }
    }

    // Words of the tasks

    /// A running task says what it does; words of an earlier run count no more.
    func task(_ task: Int, run number: Int, became newState: TaskState, trace: String?) {
        let (run, isNew) = state.withLock { state -> (Run?, Bool) in
            // A failure is a run's last word.
            guard let run = state.runs[task], run.number == number, run.state != .failed else { return (nil, false) }
            defer { state.runs[task]?.state = newState }
            return (state.runs[task], state.runs[task]?.state != newState)
        }
        guard let run, isNew else { return }
        if run.state == .unassigned { context.meters.taskStarted(isGood: newState != .failed) }
        let key = StatusKey.task(TaskID(name, task))
        switch newState {
        case .running, .paused:
            context.status.put(key, context.record(newState, version: run.version))
            log.info(
                "Task changed state",
                ["connector": "\(name)", "task": .int(task), "state": "\(newState.rawValue)"]
            )
        case .failed: failed(task, run, trace: trace ?? "no reason given")
        case .unassigned, .restarting, .stopped: break
        }
    }
    private func failed(_ task: Int, _ run: Run, trace: String) {
        var configKey: String?
        if case .config(let key)? = run.runner?.snapshot.failure?.verdict { configKey = key }
        let rules = context.config.restart.overridden(by: run.config.dictionary)
        let lifetime = run.since.duration(to: .now)
        let decision = state.withLock { state in
            var random = SystemRandomNumberGenerator()
            return state.restarts[task, default: RestartMachine()]
                .failed(rules, ranFor: lifetime, configKey: configKey, using: &random)
        }
        let fields: LogFields = ["connector": "\(name)", "task": .int(task), "reason": "\(trace)"]
        switch decision {
        case .stay(let why):
            let text = why.isEmpty ? trace : "\(trace)\n\(why)"
            context.status.putSafe(
                .task(TaskID(name, task)),
                context.record(.failed, trace: text, version: run.version)
            )
            log.error("Task failed and stays down until restarted", fields)
        case .restart(let pause, let why):
            context.status.putSafe(
                .task(TaskID(name, task)),
                context.record(.failed, trace: "\(trace)\n\(why)", version: run.version)
            )
            log.error("Task failed and is restarted after a pause", fields)
            scheduleRestart(task, run.number, after: pause)
        }
    }
    private func scheduleRestart(_ task: Int, _ number: Int, after pause: Duration) {
        context.nursery.start("\(name)-\(task).restart") { [self] in
            if await context.stopping.wait(for: pause, clock: context.clock) { return }
            await lane.run {
                let isStill = state.withLock { $0.runs[task]?.number == number && $0.runs[task]?.state == .failed }
                guard isStill, !context.stopping.isOpen else { return }
                log.info("Restarting a failed task", ["connector": "\(name)", "task": .int(task)])
                await restartTasks([task], announcing: false, isFreshChance: false)
            }
        }
    }
    func uses(_ topic: String, task: Int, run number: Int) {
        guard context.config.tracksTopics, state.withLock({ $0.runs[task]?.number }) == number else { return }
        context.status.use(TopicUse(topic: topic, connector: name, task: task, discovered: milliseconds()))
    }
    /// What the tasks that run here look like now.
    var snapshots: [TaskSnapshot] {
        state.withLock { $0.runs.sorted { $0.key < $1.key }.compactMap { $0.value.runner } }.map(\.snapshot)
    }
}

/// Carries the words of one run to its supervisor.
private final class RunListener: TaskListener {
    private weak let supervisor: ConnectorSupervisor?
    private let number: Int

    init(supervisor: ConnectorSupervisor, number: Int) { (self.supervisor, self.number) = (supervisor, number) }

    func task(_ id: TaskID, became state: TaskState, trace: String?) {
        supervisor?.task(id.task, run: number, became: state, trace: trace)
    }
    func task(_ id: TaskID, usesTopic topic: String) { supervisor?.uses(topic, task: id.task, run: number) }
    /// A note is part of the snapshot, which answers read.
    func task(_ id: TaskID, reports note: String?) {}
}

/// Which parts a restart with flags means (KIP-745).
struct RestartPlan: Sendable, Hashable {
    var connector: Bool
    var tasks: Set<Int>

    init(_ request: RestartRequest, connector: StatusRecord?, tasks: [Int: StatusRecord]) {
        func isChosen(_ status: StatusRecord?) -> Bool {
            !request.onlyFailed || status?.state == TaskState.failed.rawValue
        }
        self.connector = isChosen(connector)
        self.tasks = request.includeTasks ? Set(tasks.filter { isChosen($0.value) }.keys) : []
    }
}
