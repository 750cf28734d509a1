import ConnectModel
import Metrics

/// What a source task counts (Kafka Connect 4.3, `source-task-metrics`).
struct SourceMeters: Sendable {
    let polled: Counter
    let written: Counter
    let pollRate: Gauge
    let writeRate: Gauge
    let active: Gauge
    let pollAverage: Gauge
    let pollMax: Gauge
    let transactionAverage: Gauge
    let transactionMax: Gauge
    let batchRecords: Histogram

    init(_ id: TaskID, _ registry: MetricsRegistry) {
        let labels = ["connector", "task"]
        func gauge(_ name: String, _ help: String) -> Gauge {
            registry.gauge("kafka_connect_source_task_metrics_\(name)", help, labels: labels)(
                id.connector,
                "\(id.task)"
            )
        }
        func counter(_ name: String, _ help: String) -> Counter {
            registry.counter("kafka_connect_source_task_metrics_\(name)", help, labels: labels)(
                id.connector,
                "\(id.task)"
            )
        }
        polled = counter("source_record_poll_total", "Records that the source has read.")
        written = counter("source_record_write_total", "Records that Kafka has acknowledged.")
        pollRate = gauge("source_record_poll_rate", "Records read per second.")
        writeRate = gauge("source_record_write_rate", "Records acknowledged per second.")
        active = gauge("source_record_active_count", "Records read but not acknowledged yet.")
        pollAverage = gauge("poll_batch_avg_time_ms", "Milliseconds to poll a batch, on average.")
        pollMax = gauge("poll_batch_max_time_ms", "Milliseconds of the slowest poll.")
        transactionAverage = gauge("transaction_size_avg", "Records per transaction, on average.")
        transactionMax = gauge("transaction_size_max", "Records of the largest transaction.")
        batchRecords = registry.histogram(
            "connect_source_batch_records",
            "Records per batch.",
            labels: labels,
            bounds: [1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 50_000]
        )(id.connector, "\(id.task)")
    }
}
