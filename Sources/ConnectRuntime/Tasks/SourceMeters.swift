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
        let made = TaskInstruments(id: id, registry: registry, group: "source_task_metrics")
        polled = made.counter("source_record_poll_total", "Records that the source has read.")
        written = made.counter("source_record_write_total", "Records that Kafka has acknowledged.")
        pollRate = made.gauge("source_record_poll_rate", "Records read per second.")
        writeRate = made.gauge("source_record_write_rate", "Records acknowledged per second.")
        active = made.gauge("source_record_active_count", "Records read but not acknowledged yet.")
        pollAverage = made.gauge("poll_batch_avg_time_ms", "Milliseconds to poll a batch, on average.")
        pollMax = made.gauge("poll_batch_max_time_ms", "Milliseconds of the slowest poll.")
        transactionAverage = made.gauge("transaction_size_avg", "Records per transaction, on average.")
        transactionMax = made.gauge("transaction_size_max", "Records of the largest transaction.")
        batchRecords = made.histogram("source_batch_records", "Records per batch.", TaskInstruments.sizes)
    }
}
