public import ConnectModel
public import ConnectSDK
public import Metrics

/// Who wants to know what a task is doing; called from any thread, must return soon.
public protocol TaskListener: Sendable {
    /// The task entered a state; `trace` tells why when it is FAILED.
    func task(_ id: TaskID, became state: TaskState, trace: String?)
    /// The task read from or wrote to a topic for the first time since its start.
    func task(_ id: TaskID, usesTopic topic: String)
    /// Why a RUNNING task makes no progress (an outage being retried, a stall); nil when it does again.
    func task(_ id: TaskID, reports note: String?)
}

/// Where the positions of source tasks are kept.
public protocol OffsetStorage: Sendable {
    /// All stored positions of a connector.
    func positions(of connector: String) async throws -> [SourcePosition]
    /// Stores positions for good; a position without offset removes the stored one.
    func store(_ positions: [SourcePosition], of connector: String) async throws
}

/// An ``OffsetStorage`` whose positions can be written by a source task inside its own Kafka transaction.
public protocol TransactionalOffsetStorage: OffsetStorage {
    /// The topic of the records that ``encoded(_:of:)`` makes, which a task must not write to itself.
    var topic: String { get }
    /// The records that ``OffsetStorage/store(_:of:)`` would write, with their topic.
    func encoded(_ positions: [SourcePosition], of connector: String) async throws -> RecordBuffer
    /// These positions were committed in a transaction: readers must see them.
    func committed(_ positions: [SourcePosition], of connector: String) async
}

/// How a topic is made when it does not exist.
public struct TopicSettings: Sendable, Hashable {
    /// Number of partitions; -1 is the broker's default.
    public var partitions: Int
    /// Number of replicas; -1 is the broker's default.
    public var replicationFactor: Int
    /// Topic configs such as `cleanup.policy`.
    public var configs: [String: String]

    /// Makes settings; the broker's defaults unless told otherwise.
    public init(partitions: Int = -1, replicationFactor: Int = -1, configs: [String: String] = [:]) {
        (self.partitions, self.replicationFactor, self.configs) = (partitions, replicationFactor, configs)
    }
}

/// Makes topics.
public protocol TopicCreator: Sendable {
    /// Makes the topic unless it exists, whatever its settings then are.
    func ensureTopic(_ name: String, settings: TopicSettings) async throws
    /// How to make a topic that no rule of its connector covers; nil leaves it to the brokers (`auto.create.topics.enable`).
    var unruled: TopicSettings? { get }
}

extension TopicCreator {
    /// The brokers' own rule decides.
    public var unruled: TopicSettings? { nil }
}

/// How the clients of the worker's tasks reach Kafka; connectors refine it by `producer.override.` and the like.
///
/// Settings are in the Java client's or librdkafka's names, without prefix.
public struct ClientSettings: Sendable, Hashable {
    /// `bootstrap.servers`.
    public var bootstrapServers: String
    /// What all clients need: security, `client.dns.lookup`.
    public var common: [String: String]
    /// The worker's `producer.*`.
    public var producer: [String: String]
    /// The worker's `consumer.*`.
    public var consumer: [String: String]
    /// The worker's `admin.*`.
    public var admin: [String: String]

    /// Puts settings together.
    public init(
        bootstrapServers: String,
        common: [String: String] = [:],
        producer: [String: String] = [:],
        consumer: [String: String] = [:],
        admin: [String: String] = [:]
    ) {
        (self.bootstrapServers, self.common) = (bootstrapServers, common)
        (self.producer, self.consumer, self.admin) = (producer, consumer, admin)
    }
}

/// Everything a task gets from its worker.
public struct TaskEnvironment: Sendable {
    /// What can be composed.
    public var plugins: Plugins
    /// How to reach Kafka.
    public var settings: ClientSettings
    /// The worker's `key.converter`, `value.converter`, `header.converter` and their own keys, used by connectors that
    /// name none.
    public var converterDefaults: [String: String]
    /// Where source positions are kept.
    public var offsets: any OffsetStorage
    /// Who is told about states, topics and notes.
    public var listener: any TaskListener
    /// Who makes topics.
    public var topics: any TopicCreator
    /// Where tasks count.
    public var metrics: MetricsRegistry
    /// `offset.flush.interval.ms`: how often offsets are committed.
    public var offsetFlushInterval: Duration
    /// `offset.flush.timeout.ms`: how long one commit may take.
    public var offsetFlushTimeout: Duration
    /// `task.shutdown.graceful.timeout.ms`: how long a task may drain, flush and commit when it is asked to stop.
    public var shutdownGrace: Duration
    /// A RUNNING task that delivers nothing for this long while there is something to deliver is stalled.
    public var stallAfter: Duration = .seconds(120)
    /// `topic.creation.enable`: whether `topic.creation.*` of source connectors counts.
    public var createsTopics = true
    /// How long the worker may write; tasks look at it before each batch.
    public var lease = Lease()
    /// `exactly.once.source.support=enabled`: the worker group's id, which names the transactions; nil otherwise.
    public var transactionGroup: String?

    /// Asked by a task with transactions before and after it fences off its predecessor: throws when a newer generation of
    /// the connector's tasks is due, which this one must not disturb.
    public var confirmGeneration: (@Sendable () async throws(TaskFailure) -> Void)?

    /// Puts an environment together; defaults are Kafka Connect's.
    public init(
        plugins: Plugins,
        settings: ClientSettings,
        converterDefaults: [String: String] = [:],
        offsets: any OffsetStorage,
        listener: any TaskListener,
        topics: any TopicCreator,
        metrics: MetricsRegistry,
        offsetFlushInterval: Duration = .seconds(60),
        offsetFlushTimeout: Duration = .seconds(5),
        shutdownGrace: Duration = .seconds(5)
    ) {
        (self.plugins, self.settings, self.converterDefaults) = (plugins, settings, converterDefaults)
        (self.offsets, self.listener, self.topics, self.metrics) = (offsets, listener, topics, metrics)
        self.offsetFlushInterval = offsetFlushInterval
        self.offsetFlushTimeout = offsetFlushTimeout
        self.shutdownGrace = shutdownGrace
    }
}
