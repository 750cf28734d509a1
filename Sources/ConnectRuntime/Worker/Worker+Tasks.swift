public import ConnectSDK
public import KafkaClient
public import Metrics

extension TaskRunner: TaskRunning {}

extension Worker {
    /// Makes the worker and its Kafka clients; contacts no one before ``run(until:)``.
    ///
    /// `version` and `commit` are what `GET /` tells; `embedded` makes topics when Kafka runs inside this process. Throws
    /// `configuration`, naming the client setting that is wrong.
    public convenience init(
        _ config: WorkerConfig,
        plugins: Plugins,
        metrics: MetricsRegistry,
        version: String,
        commit: String,
        embedded: (any TopicCreator)? = nil
    ) throws(KafkaClientError) {
        try self.init(
            config,
            plugins: plugins,
            metrics: metrics,
            version: version,
            commit: commit,
            embedded: embedded
        ) { TaskRunner($0, in: $1, initiallyPaused: $2) }
    }
}
