import ConnectModel
import Metrics
import Synchronization

/// Average and maximum over the last half to one minute, like the sampled metrics of Kafka's clients.
struct WindowStat: Sendable {
    private struct Sums {
        var sum = 0.0, count = 0, max = 0.0, min = Double.infinity
    }
    private var current = Sums()
    private var previous = Sums()
    private var turnsAt = Duration.zero

    mutating func add(_ value: Double, now: Duration) {
        turn(now)
        current.sum += value
        current.count += 1
        current.max = Swift.max(current.max, value)
        current.min = Swift.min(current.min, value)
    }
    mutating func average(now: Duration) -> Double {
        turn(now)
        let count = current.count + previous.count
        return count == 0 ? 0 : (current.sum + previous.sum) / Double(count)
    }
    mutating func maximum(now: Duration) -> Double {
        turn(now)
        return Swift.max(current.max, previous.max)
    }
    mutating func minimum(now: Duration) -> Double {
        turn(now)
        let least = Swift.min(current.min, previous.min)
        return least.isFinite ? least : 0
    }
    private mutating func turn(_ now: Duration) {
        guard now >= turnsAt else { return }
        previous = now - turnsAt < .seconds(30) ? current : Sums()
        (current, turnsAt) = (Sums(), now + .seconds(30))
    }
}

/// A gauge that also tells its average and maximum of the last half to one minute.
final class WindowGauge: Sendable {
    private let value: Gauge, average: Gauge, maximum: Gauge
    private let window = Mutex(WindowStat())

    init(_ value: Gauge, average: Gauge, maximum: Gauge) {
        (self.value, self.average, self.maximum) = (value, average, maximum)
    }
    func set(_ number: Int, now: Duration) {
        value.set(number)
        window.withLock { window in
            window.add(Double(number), now: now)
            average.set(window.average(now: now))
            maximum.set(window.maximum(now: now))
        }
    }
}

/// Makes one task's instruments of one group; names are what the usual JMX exporter makes of Kafka Connect's.
struct TaskInstruments {
    let id: TaskID
    let registry: MetricsRegistry
    /// `sink_task_metrics` and the like.
    let group: String
    static let labels = ["connector", "task"]

    func gauge(_ name: String, _ help: String) -> Gauge {
        registry.gauge("kafka_connect_\(group)_\(name)", help, labels: Self.labels)(id.connector, "\(id.task)")
    }
    func counter(_ name: String, _ help: String) -> Counter {
        registry.counter("kafka_connect_\(group)_\(name)", help, labels: Self.labels)(id.connector, "\(id.task)")
    }
    /// Ours: Kafka Connect has no histograms.
    func histogram(_ name: String, _ help: String, _ bounds: [Double]) -> Histogram {
        registry.histogram("connect_\(name)", help, labels: Self.labels, bounds: bounds)(id.connector, "\(id.task)")
    }
    func ownCounter(_ name: String, _ help: String) -> Counter {
        registry.counter("connect_\(name)", help, labels: Self.labels)(id.connector, "\(id.task)")
    }
    func ownGauge(_ name: String, _ help: String) -> Gauge {
        registry.gauge("connect_\(name)", help, labels: Self.labels)(id.connector, "\(id.task)")
    }
    /// Bounds for numbers of records in a batch.
    static let sizes: [Double] = [1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 50_000]
}

/// What all tasks count, under the names that Kafka Connect's metrics have behind the usual JMX exporter.
struct TaskMeters: Sendable {
    let batchSizeAverage: Gauge
    let batchSizeMax: Gauge
    let commitAverage: Gauge
    let commitMax: Gauge
    let commitSuccess: Gauge
    let commitFailure: Gauge
    let runningRatio: Gauge
    let pauseRatio: Gauge
    let stalled: Gauge

    init(_ id: TaskID, _ registry: MetricsRegistry) {
        let made = TaskInstruments(id: id, registry: registry, group: "connector_task_metrics")
        batchSizeAverage = made.gauge("batch_size_avg", "Records per batch, on average.")
        batchSizeMax = made.gauge("batch_size_max", "Records of the largest batch.")
        commitAverage = made.gauge(
            "offset_commit_avg_time_ms",
            "Milliseconds that a commit of offsets took, on average."
        )
        commitMax = made.gauge("offset_commit_max_time_ms", "Milliseconds that the slowest commit of offsets took.")
        commitSuccess = made.gauge("offset_commit_success_percentage", "Share of the commits that succeeded, 0 to 1.")
        commitFailure = made.gauge("offset_commit_failure_percentage", "Share of the commits that failed, 0 to 1.")
        runningRatio = made.gauge("running_ratio", "Share of its life that the task was RUNNING, 0 to 1.")
        pauseRatio = made.gauge("pause_ratio", "Share of its life that the task was PAUSED, 0 to 1.")
        stalled = made.ownGauge(
            "task_stalled",
            "1 when the task delivers nothing though there is something to deliver."
        )
    }
}

/// What happens to records that fail (Kafka Connect 4.3, `task-error-metrics`).
struct ErrorMeters: Sendable {
    let failures: Gauge
    let errors: Gauge
    let skipped: Gauge
    let retries: Gauge
    let logged: Gauge
    let deadLetterRequests: Gauge
    let deadLetterFailures: Gauge
    let lastError: Gauge

    init(_ id: TaskID, _ registry: MetricsRegistry) {
        let made = TaskInstruments(id: id, registry: registry, group: "task_error_metrics")
        failures = made.gauge(
            "total_record_failures",
            "Failures of records, those that passed at a later try included."
        )
        errors = made.gauge("total_record_errors", "Records that could not be delivered.")
        skipped = made.gauge("total_records_skipped", "Records left out because of errors.")
        retries = made.gauge("total_retries", "Operations tried again.")
        logged = made.gauge("total_errors_logged", "Failed records written to the log.")
        deadLetterRequests = made.gauge("deadletterqueue_produce_requests", "Records sent to the dead letter queue.")
        deadLetterFailures = made.gauge(
            "deadletterqueue_produce_failures",
            "Records that the dead letter queue did not take."
        )
        lastError = made.gauge("last_error_timestamp", "Milliseconds since 1970 of the last error.")
    }
}

/// How a task spends its time and how its commits go; one owner.
struct TaskTally: Sendable {
    private var batches = WindowStat()
    private var commits = WindowStat()
    private var commitCount = (good: 0, bad: 0)
    private var time = (running: Duration.zero, paused: Duration.zero)
    private var since = Duration.zero
    private var state: TaskState?

    mutating func batch(_ records: Int, now: Duration) { batches.add(Double(records), now: now) }
    mutating func commit(_ took: Duration, isGood: Bool, now: Duration) {
        commits.add(took / .milliseconds(1), now: now)
        if isGood { commitCount.good += 1 } else { commitCount.bad += 1 }
    }
    mutating func became(_ state: TaskState, now: Duration) {
        account(now)
        self.state = state
    }
    mutating func show(_ meters: TaskMeters, now: Duration) {
        account(now)
        meters.batchSizeAverage.set(batches.average(now: now))
        meters.batchSizeMax.set(batches.maximum(now: now))
        meters.commitAverage.set(commits.average(now: now))
        meters.commitMax.set(commits.maximum(now: now))
        let total = Double(commitCount.good + commitCount.bad)
        meters.commitSuccess.set(total == 0 ? 0 : Double(commitCount.good) / total)
        meters.commitFailure.set(total == 0 ? 0 : Double(commitCount.bad) / total)
        let life = now / .seconds(1)
        meters.runningRatio.set(life == 0 ? 0 : time.running / .seconds(1) / life)
        meters.pauseRatio.set(life == 0 ? 0 : time.paused / .seconds(1) / life)
    }
    private mutating func account(_ now: Duration) {
        if state == .running { time.running += now - since }
        if state == .paused { time.paused += now - since }
        since = now
    }
}

/// Records per second over the last half to one minute.
final class RateMeter: Sendable {
    private let marks = Mutex<[(time: Duration, total: Int)]>([])

    func rate(_ total: Int, now: Duration) -> Double {
        marks.withLock { marks in
            marks.append((now, total))
            while marks.count > 2, now - marks[1].time > .seconds(30) { marks.removeFirst() }
            guard let first = marks.first, now > first.time else { return 0 }
            return Double(total - first.total) / ((now - first.time) / .seconds(1))
        }
    }
}
