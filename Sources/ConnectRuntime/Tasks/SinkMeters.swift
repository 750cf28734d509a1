import ConnectModel
import Metrics

/// What a sink task counts (Kafka Connect 4.3, `sink-task-metrics`), and what Kafka Connect lacks: lag and latency.
struct SinkMeters: Sendable {
    let read: Counter
    let sent: Counter
    let readRate: Gauge
    let sendRate: Gauge
    let active: WindowGauge
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
    let bytes: Counter
    let commitRate: Gauge
    let commitSkipRate: Gauge
    private let deliveredTime: Gauge
    private let freshness: Gauge
    private let lag: Family<Gauge>
    private let id: TaskID

    init(_ id: TaskID, _ registry: MetricsRegistry) {
        let made = TaskInstruments(id: id, registry: registry, group: "sink_task_metrics")
        read = made.counter("sink_record_read_total", "Records read from Kafka.")
        sent = made.counter("sink_record_send_total", "Records that the sink has taken.")
        readRate = made.gauge("sink_record_read_rate", "Records read per second.")
        sendRate = made.gauge("sink_record_send_rate", "Records taken by the sink per second.")
        active = WindowGauge(
            made.gauge("sink_record_active_count", "Records read but not taken by the sink yet."),
            average: made.gauge("sink_record_active_count_avg", "Records read but not taken yet, on average."),
            maximum: made.gauge("sink_record_active_count_max", "Records read but not taken yet, at most.")
        )
        commitRate = made.gauge("offset_commit_completion_rate", "Commits of offsets that Kafka took, per second.")
        commitSkipRate = made.gauge("offset_commit_skip_rate", "Commits of offsets that came to nothing, per second.")
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
        bytes = made.ownCounter("sink_bytes_read_total", "Bytes of keys and values read from Kafka.")
        deliveredTime = made.ownGauge(
            "sink_delivered_timestamp_seconds",
            "Timestamp, in seconds since 1970, of the last record that the sink took; 0 before the first."
        )
        freshness = made.ownGauge(
            "sink_freshness_seconds",
            "How old the last record that the sink took is while others wait; 0 when none waits."
        )
        lag = registry.gauge(
            "connect_sink_lag_records",
            "Records between what the sink has taken and the end of the partition.",
            labels: TaskInstruments.labels + ["topic", "partition"]
        )
        self.id = id
    }

    /// The sink has taken a batch whose last record has this timestamp, in milliseconds since 1970; -1 for none.
    func took(_ timestamp: Int64) { if timestamp >= 0 { deliveredTime.set(Double(timestamp) / 1_000) } }

    /// The lags of all partitions that the task has now.
    func show(lag lags: [TopicPartition: Int64]) {
        let present = Set(lags.keys.map { [id.connector, "\(id.task)", $0.topic, "\($0.partition)"] })
        lag.remove { $0[0] == id.connector && $0[1] == "\(id.task)" && !present.contains($0) }
        for (partition, value) in lags {
            lag(id.connector, "\(id.task)", partition.topic, "\(partition.partition)").set(Int(value))
        }
        lagMax.set(Int(lags.values.max() ?? 0))
        let delivered = deliveredTime.current, waits = lags.values.contains { $0 > 0 }
        freshness.set(waits && delivered > 0 ? max(0, Double(TaskTime.unix) / 1_000 - delivered) : 0)
        partitions.set(lags.count)
    }
}
