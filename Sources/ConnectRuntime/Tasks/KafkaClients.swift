import ConnectConfig
import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Logs
import Patterns
import Synchronization

private let log = Logger("sluice.task.kafka")

/// The settings of a task's clients: Kafka Connect's defaults, the worker's, the connector's overrides; later ones win.
struct TaskClients: Sendable {
    let id: TaskID
    /// The connector's config.
    let config: [String: String]
    let settings: ClientSettings

    func consumer() -> KafkaSettings {
        // More records per poll than Kafka Connect's 500: sinks here take large batches, and bytes are bounded anyway.
        var values = settings.common
        values["group.id"] = "connect-\(id.connector)"
        values["client.id"] = "connector-consumer-\(id)"
        values["auto.offset.reset"] = "earliest"
        values["enable.auto.commit"] = "false"
        values["max.poll.records"] = "10000"
        // librdkafka beats from a thread of its own, so a short session costs nothing: what a killed worker held is free soon.
        values["session.timeout.ms"] = "10000"
        // A topic that is made later is seen soon, whether it is named or matches topics.regex. No divisor of 3 s, a broker's
        // usual delay of a group's first rebalance: librdkafka joins again when a refresh meets the end of a join.
        values["topic.metadata.refresh.interval.ms"] = "1700"
        return made(values, settings.consumer, "consumer.override.", .consumer)
    }

    /// At least once and in order; a record is given up only when the task is.
    ///
    /// With a transactional id it writes exactly once, in transactions that may last `interval`.
    func producer(transactionalID: String? = nil, interval: Duration = .zero) -> KafkaSettings {
        var values = settings.common
        values["client.id"] = "connector-producer-\(id)"
        values["acks"] = "all"
        // Kafka Connect's own settings; librdkafka 2.0's idempotent sender is several times slower under a backlog.
        values["enable.idempotence"] = "false"
        values["max.in.flight.requests.per.connection"] = "1"
        values["message.timeout.ms"] = "0"
        guard let transactionalID else { return made(values, settings.producer, "producer.override.", .producer) }
        for key in ["max.in.flight.requests.per.connection", "message.timeout.ms"] { values[key] = nil }
        // Brokers abort what lasts longer, and refuse more than their transaction.max.timeout.ms, by default 15 minutes.
        let longest = max(.seconds(60), min(interval + .seconds(60), .seconds(900)))
        values["transaction.timeout.ms"] = "\(Int(longest / .milliseconds(1)))"
        let fixed = ["transactional.id": transactionalID, "enable.idempotence": "true", "acks": "all"]
        let made = made(values.merging(fixed) { $1 }, settings.producer, "producer.override.", .producer)
        for (key, value) in fixed where made[key] != value {
            log.warn("Client setting has no effect: exactly once needs another value", ["key": "\(key)"])
        }
        return made.merging(fixed)
    }

    /// For what is asked of Kafka on behalf of the connector: making its topics.
    func admin() -> KafkaSettings {
        made(
            settings.common.merging(["client.id": "connector-adminclient-\(id)"]) { $1 },
            settings.admin,
            "admin.override.",
            .admin
        )
    }
    /// Whether the connector or the worker set anything that only counts for ``admin()``.
    var hasOwnAdmin: Bool { !settings.admin.isEmpty || config.keys.contains { $0.hasPrefix("admin.override.") } }

    /// Fails after half a minute, so that the outage becomes visible and is retried by the task.
    func deadLetterProducer() -> KafkaSettings {
        var values = settings.common
        values["client.id"] = "connector-dlq-producer-\(id)"
        values["acks"] = "all"
        values["enable.idempotence"] = "true"
        values["message.timeout.ms"] = "30000"
        return made(values, settings.producer, "producer.override.", .producer)
    }

    private func made(
        _ defaults: [String: String],
        _ worker: [String: String],
        _ prefix: String,
        _ role: KafkaSettings.Role
    ) -> KafkaSettings {
        var layers = [defaults, worker]
        layers.append(
            config.reduce(into: [:]) { own, item in
                if item.key.hasPrefix(prefix) { own[String(item.key.dropFirst(prefix.count))] = item.value }
            }
        )
        var made = KafkaSettings(bootstrapServers: settings.bootstrapServers)
        for layer in layers {
            let (settings, unsupported) = KafkaSettings.translate(layer, for: role)
            made = made.merging(settings)
            for (key, reason) in unsupported.sorted(by: { $0.key < $1.key }) {
                log.warn("Client setting has no effect", ["key": "\(key)", "reason": "\(reason)"])
            }
        }
        return made
    }
}

/// Tells what a client reports besides its answers.
final class ClientWatch: Sendable {
    private let limiter = LogLimiter(every: .seconds(30))
    private let down = Mutex<String?>(nil)

    /// Why no broker can be reached, while that is so.
    var outage: String? { down.withLock { $0 } }
    func worked() { down.withLock { $0 = nil } }

    func note(_ event: ClientEvent) {
        switch event {
        case .log(_, let facility, let text):
            log.debug("librdkafka", ["facility": "\(facility)", "text": "\(text)"])
        case .brokersDown(let reason):
            down.withLock { $0 = reason }
            limiter { log.warn("No broker can be reached", ["reason": "\(reason)", "suppressed": $0]) }
        case .error(let error):
            limiter { log.warn("Kafka client reports", ["reason": "\(error)", "suppressed": $0]) }
        case .statistics: break
        }
    }
}

/// The consumer of a sink task.
final class KafkaSinkConsumer: SinkConsumer {
    private let consumer: Consumer
    private let topics: [String]
    private let pattern: Pattern?
    private let watch = ClientWatch()
    private let maxRecords: Int
    private let maxBytes: Int

    init(_ settings: KafkaSettings, _ subscription: SinkSubscription, maxBytes: Int) throws(KafkaClientError) {
        let watch = watch
        consumer = try Consumer(settings) { watch.note($0) }
        (topics, pattern) = (subscription.topics, try Self.pattern(subscription.pattern))
        (maxRecords, self.maxBytes) = (settings.maxPollRecords, maxBytes)
    }

    private static func pattern(_ source: String?) throws(KafkaClientError) -> Pattern? {
        guard let source else { return nil }
        do throws(PatternError) { return try Pattern(source) } catch {
            throw KafkaClientError(code: .invalidArgument, reason: "reading topics.regex: \(error)")
        }
    }

    func subscribe() async throws(KafkaClientError) {
        guard let pattern else { return try await consumer.subscribe(topics: topics) }
        try await consumer.subscribe(topics: topics, matching: { (try? pattern.wholeMatch(in: $0)) != nil })
    }
    func poll(timeout: Duration) async throws(KafkaClientError) -> ConsumerEvent {
        switch try await consumer.poll(maxRecords: maxRecords, maxBytes: maxBytes, timeout: timeout) {
        case .batch(let batch):
            watch.worked()
            return .records(ConsumedRecords(batch))
        case .assigned(let partitions): return .assigned(partitions)
        case .revoked(let partitions, let lost): return .revoked(partitions, lost: lost)
        case .endOfPartition: return .idle
        case .idle:
            // librdkafka waits for brokers without a word; the task should say why nothing comes.
            if let outage = watch.outage {
                watch.worked()
                throw KafkaClientError(code: .allBrokersDown, reason: outage, isRetriable: true)
            }
            return .idle
        }
    }
    func wakeup() { consumer.wakeup() }
    var topicView: TopicView {
        let view = consumer.topicView
        return pattern != nil && view == .named ? .pending : view  // not subscribed yet
    }
    func assign(_ partitions: [TopicPartition], starts: [TopicPartition: Int64]) async throws(KafkaClientError) {
        var positions: [TopicPartition: StartPosition] = [:]
        for partition in partitions { positions[partition] = starts[partition].map { .offset($0) } ?? .stored }
        try await consumer.assign(positions)
    }
    func release() async throws(KafkaClientError) { try await consumer.unassign() }
    func pause(_ partitions: [TopicPartition]) async throws(KafkaClientError) { try await consumer.pause(partitions) }
    func resume(_ partitions: [TopicPartition]) async throws(KafkaClientError) { try await consumer.resume(partitions) }
    func commit(_ offsets: [TopicPartition: Int64], timeout: Duration) async throws(KafkaClientError) {
        try await consumer.commit(offsets, timeout: timeout)
    }
    func progress(_ partitions: [TopicPartition]) async -> [TopicPartition: (position: Int64?, end: Int64)] {
        let positions = (try? await consumer.position(partitions)) ?? [:]
        var progress: [TopicPartition: (position: Int64?, end: Int64)] = [:]
        for partition in partitions {
            guard let marks = consumer.watermarks(partition) else { continue }
            progress[partition] = (positions[partition].flatMap { $0 >= 0 ? $0 : nil }, marks.high)
        }
        return progress
    }
    func close(timeout: Duration) async { await consumer.close(timeout: timeout) }
}

/// A batch of the Kafka client as the pipeline reads it.
final class ConsumedRecords: PolledRecords {
    private let batch: MessageBatch
    init(_ batch: MessageBatch) { self.batch = batch }

    var count: Int { batch.count }
    var byteCount: Int { batch.byteCount }
    var partitions: [TopicPartition] { batch.partitions }
    func partitionIndex(at index: Int) -> Int { batch.partitionIndex(at: index) }
    func offset(at index: Int) -> Int64 { batch.offset(at: index) }
    func timestamp(at index: Int) -> (milliseconds: Int64, type: ConnectRecord.TimestampType) {
        let time = batch.typedTimestamp(at: index)
        switch time.type {
        case .none: return (-1, .none)
        case .createTime: return (time.milliseconds, .create)
        case .logAppendTime: return (time.milliseconds, .logAppend)
        }
    }
    func forEach(
        in range: Range<Int>,
        _ body: (_ index: Int, _ key: RawSpan?, _ value: RawSpan?) throws -> Void
    ) rethrows { try batch.forEach(in: range, body) }
    func headers(at index: Int) -> [RecordBuffer.Header] {
        batch.hasHeaders(at: index) ? batch.headers(at: index) : []
    }
}

/// A producer as the tasks use it.
final class KafkaOutput: RecordOutput {
    let producer: Producer
    let watch = ClientWatch()

    init(_ settings: KafkaSettings) throws(KafkaClientError) {
        let watch = watch
        producer = try Producer(settings) { watch.note($0) }
    }
    func send(_ buffer: RecordBuffer) async throws(KafkaClientError) -> any RecordTicket {
        KafkaTicket(delivery: try await producer.send(buffer), watch: watch)
    }
    var outage: String? { watch.outage }
    func close(timeout: Duration) async {
        if timeout <= .zero { producer.purge() }
        await producer.close(timeout: timeout)
    }
}

struct KafkaTicket: RecordTicket {
    let delivery: Delivery
    let watch: ClientWatch

    func settled() async -> [(index: Int, error: KafkaClientError)] {
        do throws(KafkaClientError) {
            try await delivery.wait()
            watch.worked()
            return []
        } catch {
            // Cancelled: what has not settled counts as failed, for nobody will act on it any more.
            guard error.code == .cancelled else { return delivery.failures }
            return delivery.isDone ? delivery.failures : [(0, error)]
        }
    }
}
