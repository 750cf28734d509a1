import ConnectModel
import Metrics

/// What a source task counts (Kafka Connect 4.3, `source-task-metrics`).
struct SourceMeters: Sendable {
    let polled: Counter
    let written: Counter
    let pollRate: Gauge
    let writeRate: Gauge
    let active: WindowGauge
    let pollAverage: Gauge
    let pollMax: Gauge
    let transactionAverage: Gauge
    let transactionMax: Gauge
    let transactionMin: Gauge
    let batchRecords: Histogram
    let pollSeconds: Histogram
    let bytes: Counter

    init(_ id: TaskID, _ registry: MetricsRegistry) {
        let made = TaskInstruments(id: id, registry: registry, group: "source_task_metrics")
        polled = made.counter("source_record_poll_total", "Records that the source has read.")
        written = made.counter("source_record_write_total", "Records that Kafka has acknowledged.")
        pollRate = made.gauge("source_record_poll_rate", "Records read per second.")
        writeRate = made.gauge("source_record_write_rate", "Records acknowledged per second.")
        active = WindowGauge(
            made.gauge("source_record_active_count", "Records read but not acknowledged yet."),
            average: made.gauge("source_record_active_count_avg", "Records read but not acknowledged yet, on average."),
            maximum: made.gauge("source_record_active_count_max", "Records read but not acknowledged yet, at most.")
        )
        pollAverage = made.gauge("poll_batch_avg_time_ms", "Milliseconds to poll a batch, on average.")
        pollMax = made.gauge("poll_batch_max_time_ms", "Milliseconds of the slowest poll.")
        transactionAverage = made.gauge("transaction_size_avg", "Records per transaction, on average.")
        transactionMax = made.gauge("transaction_size_max", "Records of the largest transaction.")
        batchRecords = made.histogram("source_batch_records", "Records per batch.", TaskInstruments.sizes)
        transactionMin = made.gauge("transaction_size_min", "Records of the smallest transaction.")
        bytes = made.ownCounter("source_bytes_written_total", "Bytes of keys and values that Kafka has acknowledged.")
        pollSeconds = made.histogram(
            "source_poll_seconds",
            "Seconds to poll a batch.",
            [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300]
        )
    }
}
