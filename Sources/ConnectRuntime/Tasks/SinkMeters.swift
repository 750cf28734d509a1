import ConnectModel
import Metrics

/// What a sink task counts (Kafka Connect 4.3, `sink-task-metrics`), and what Kafka Connect lacks: lag and latency.
struct SinkMeters: Sendable {
    let read: Counter
    let sent: Counter
    let readRate: Gauge
    let sendRate: Gauge
    let active: Gauge
    let partitions: Gauge
    let lagMax: Gauge
    let commitNumber: Gauge
    let commits: Counter
    let commitsSkipped: Counter
    let putAverage: Gauge
    let putMax: Gauge
    let putSeconds: Histogram
    let batchRecords: Histogram
    let latency: Histogram
    private let lag: Family<Gauge>
    private let id: TaskID

    init(_ id: TaskID, _ registry: MetricsRegistry) {
        let made = TaskInstruments(id: id, registry: registry, group: "sink_task_metrics")
        read = made.counter("sink_record_read_total", "Records read from Kafka.")
        sent = made.counter("sink_record_send_total", "Records that the sink has taken.")
        readRate = made.gauge("sink_record_read_rate", "Records read per second.")
        sendRate = made.gauge("sink_record_send_rate", "Records taken by the sink per second.")
        active = made.gauge("sink_record_active_count", "Records read but not taken by the sink yet.")
        partitions = made.gauge("partition_count", "Partitions assigned to the task.")
        lagMax = made.gauge("sink_record_lag_max", "Largest lag of a partition, in records.")
        commitNumber = made.gauge("offset_commit_seq_no", "Commits of offsets so far.")
        commits = made.counter("offset_commit_completion_total", "Commits of offsets that Kafka took.")
        commitsSkipped = made.counter("offset_commit_skip_total", "Commits of offsets that came to nothing.")
        putAverage = made.gauge("put_batch_avg_time_ms", "Milliseconds to put a batch, on average.")
        putMax = made.gauge("put_batch_max_time_ms", "Milliseconds of the slowest put.")
        let times = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300]
        putSeconds = made.histogram("sink_put_seconds", "Seconds to put a batch.", times)
        batchRecords = made.histogram("sink_batch_records", "Records per batch.", TaskInstruments.sizes)
        latency = made.histogram(
            "sink_latency_seconds",
            "Seconds from a record's timestamp until the sink took it, of the oldest record of each batch.",
            times + [3_600, 86_400]
        )
        lag = registry.gauge(
            "connect_sink_lag_records",
            "Records between what the sink has taken and the end of the partition.",
            labels: TaskInstruments.labels + ["topic", "partition"]
        )
        self.id = id
    }

    /// The lags of all partitions that the task has now.
    func show(lag lags: [TopicPartition: Int64]) {
        let present = Set(lags.keys.map { [id.connector, "\(id.task)", $0.topic, "\($0.partition)"] })
        lag.remove { $0[0] == id.connector && $0[1] == "\(id.task)" && !present.contains($0) }
        for (partition, value) in lags {
            lag(id.connector, "\(id.task)", partition.topic, "\(partition.partition)").set(Int(value))
        }
        lagMax.set(Int(lags.values.max() ?? 0))
        partitions.set(lags.count)
    }
}
