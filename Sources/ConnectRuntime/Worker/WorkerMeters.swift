import ConnectSDK
import Metrics
import Synchronization

/// What the worker as a whole counts (Kafka Connect 4.3, `connect-worker-metrics` and `connect-worker-rebalance-metrics`).
final class WorkerMeters: Sendable {
    /// Attempts to start something, and how they went.
    struct Startups: Sendable {
        let attempts: Counter
        let successes: Counter
        let failures: Counter

        init(_ what: String, _ registry: MetricsRegistry) {
            func counter(_ name: String, _ help: String) -> Counter {
                registry.counter("kafka_connect_connect_worker_metrics_\(what)_startup_\(name)_total", help)()
            }
            let (attempts, successes, failures) = (
                counter("attempts", "Starts of a \(what) that this worker has tried."),
                counter("success", "Starts of a \(what) that succeeded."),
                counter("failure", "Starts of a \(what) that failed.")
            )
            (self.attempts, self.successes, self.failures) = (attempts, successes, failures)
            func share(_ name: String, _ help: String, _ count: @escaping @Sendable () -> Int) {
                registry.gauge("kafka_connect_connect_worker_metrics_\(what)_startup_\(name)_percentage", help) {
                    let all = successes.current + failures.current
                    return all == 0 ? 0 : Double(count()) / Double(all)
                }
            }
            share("success", "Share of the starts of a \(what) that succeeded, 0 to 1.") { successes.current }
            share("failure", "Share of the starts of a \(what) that failed, 0 to 1.") { failures.current }
        }
        func ended(isGood: Bool) { (isGood ? successes : failures).add() }
    }
    private let connectors: Startups
    private let tasks: Startups
    private let registry: MetricsRegistry
    private let epoch: Gauge
    private let assignments: Counter
    private let assigned = Mutex(ContinuousClock.now)

    init(_ registry: MetricsRegistry) {
        self.registry = registry
        connectors = Startups("connector", registry)
        tasks = Startups("task", registry)
        let prefix = "kafka_connect_connect_worker_rebalance_metrics_"
        epoch = registry.gauge(prefix + "epoch", "Generation of the assignment that this worker acts on.")()
        assignments = registry.counter(
            prefix + "completed_rebalances_total",
            "Assignments that this worker has taken over."
        )()
        registry.gauge(prefix + "time_since_last_rebalance_ms", "Milliseconds since the last assignment.") {
            [weak self] in
            self.map { $0.assigned.withLock { $0.duration(to: .now) } / .milliseconds(1) } ?? 0
        }
    }
    func connectorStarted(isGood: Bool) {
        connectors.attempts.add()
        connectors.ended(isGood: isGood)
    }
    func taskStarts() { tasks.attempts.add() }
    func taskStarted(isGood: Bool) { tasks.ended(isGood: isGood) }
    /// The connector is gone, or has this task no more: nobody wants to see its series any longer.
    func forget(_ connector: String, task: Int? = nil) {
        registry.removeSeries(
            where: task.map { ["connector": connector, "task": "\($0)"] } ?? ["connector": connector]
        )
    }
    func took(_ assignment: Assignment) {
        epoch.set(assignment.generation)
        assignments.add()
        assigned.withLock { $0 = .now }
    }
}

extension WorkerHerder {
    /// Registers what is read from the supervisors and the status topic when somebody scrapes.
    func registerMetrics() {
        let registry = context.environment.metrics, worker = "kafka_connect_connect_worker_metrics_"
        registry.gauge(worker + "connector_count", "Connectors that run in this worker.") { [weak self] in
            Double(self?.running.count { $0.isConnector } ?? 0)
        }
        registry.gauge(worker + "task_count", "Tasks that run in this worker.") { [weak self] in
            Double(self?.running.reduce(0) { $0 + $1.tasks.count } ?? 0)
        }
        func states(_ name: String, _ help: String, _ count: @escaping @Sendable (Running) -> Int) {
            registry.gauge(worker + "connector_\(name)_task_count", help, labels: ["connector"]) { [weak self] in
                (self?.running ?? []).map { ([$0.name], Double(count($0))) }
            }
        }
        states("total", "Tasks of the connector in this worker.") { $0.tasks.count }
        for state in [TaskState.running, .paused, .failed, .unassigned, .restarting] {
            let word = state.rawValue.lowercased()
            states(word, "Tasks of the connector in this worker that are \(state.rawValue).") { connector in
                connector.tasks.values.count { $0 == state }
            }
        }
        states("destroyed", "Tasks of the connector in this worker that are DESTROYED; always 0.") { _ in 0 }
        registry.gauge(
            "kafka_connect_connector_metrics_status",
            "1 for the state that the connector is in.",
            labels: ["connector", "status"]
        ) { [weak self] in
            (self?.running ?? []).compactMap { one in one.state.map { ([one.name, $0.rawValue.lowercased()], 1) } }
        }
        registry.gauge(
            "kafka_connect_connector_task_metrics_status",
            "1 for the state that the task is in.",
            labels: ["connector", "task", "status"]
        ) { [weak self] in
            (self?.running ?? []).flatMap { one in
                one.tasks.sorted { $0.key < $1.key }.map { ([one.name, "\($0)", $1.rawValue.lowercased()], 1) }
            }
        }
        registry.gauge(
            "kafka_connect_connector_metrics_info",
            "1, with what the connector is.",
            labels: ["connector", "connector_class", "connector_type", "connector_version"]
        ) { [weak self] in
            guard let self else { return [] }
            return running.filter(\.isConnector).compactMap { one in
                context.configs.connector(one.name).flatMap { record in
                    context.descriptor(of: record.config).map {
                        ([one.name, $0.name, $0.kind.rawValue, $0.version], 1)
                    }
                }
            }
        }
    }

    /// What one connector does in this worker.
    struct Running: Sendable {
        var name: String
        /// Of the connector itself; nil when it runs elsewhere.
        var state: TaskState?
        var tasks: [Int: TaskState]
        var isConnector: Bool { state != nil }
    }
    private var running: [Running] {
        allSupervisors.compactMap { supervisor in
            let (state, tasks) = supervisor.state.withLock { ($0.instance?.state, $0.runs.mapValues(\.state)) }
            return state == nil && tasks.isEmpty ? nil : Running(name: supervisor.name, state: state, tasks: tasks)
        }
    }
}
