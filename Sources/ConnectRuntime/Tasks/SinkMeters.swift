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
        let labels = ["connector", "task"]
        func gauge(_ name: String, _ help: String) -> Gauge {
            registry.gauge("kafka_connect_sink_task_metrics_\(name)", help, labels: labels)(id.connector, "\(id.task)")
        }
        func counter(_ name: String, _ help: String) -> Counter {
            registry.counter("kafka_connect_sink_task_metrics_\(name)", help, labels: labels)(
                id.connector,
                "\(id.task)"
            )
        }
        func histogram(_ name: String, _ help: String, _ bounds: [Double]) -> Histogram {
            registry.histogram("connect_sink_\(name)", help, labels: labels, bounds: bounds)(id.connector, "\(id.task)")
        }
        read = counter("sink_record_read_total", "Records read from Kafka.")
        sent = counter("sink_record_send_total", "Records that the sink has taken.")
        readRate = gauge("sink_record_read_rate", "Records read per second.")
        sendRate = gauge("sink_record_send_rate", "Records taken by the sink per second.")
        active = gauge("sink_record_active_count", "Records read but not taken by the sink yet.")
        partitions = gauge("partition_count", "Partitions assigned to the task.")
        lagMax = gauge("sink_record_lag_max", "Largest lag of a partition, in records.")
        commitNumber = gauge("offset_commit_seq_no", "Commits of offsets so far.")
        commits = counter("offset_commit_completion_total", "Commits of offsets that Kafka took.")
        commitsSkipped = counter("offset_commit_skip_total", "Commits of offsets that came to nothing.")
        putAverage = gauge("put_batch_avg_time_ms", "Milliseconds to put a batch, on average.")
        putMax = gauge("put_batch_max_time_ms", "Milliseconds of the slowest put.")
        let times = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300]
        putSeconds = histogram("put_seconds", "Seconds to put a batch.", times)
        let sizes: [Double] = [1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 50_000]
        batchRecords = histogram("batch_records", "Records per batch.", sizes)
        latency = histogram(
            "latency_seconds",
            "Seconds from a record's timestamp until the sink took it, of the oldest record of each batch.",
            times + [3_600, 86_400]
        )
        lag = registry.gauge(
            "connect_sink_lag_records",
            "Records between what the sink has taken and the end of the partition.",
            labels: labels + ["topic", "partition"]
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
