import ConnectModel
import KafkaClient
import Lifecycle
import Logs
import Synchronization

/// Reads and writes the worker's internal topics: one consumer and one producer for all of them.
///
/// The topics exist when ``start(_:)`` is called; ``run()`` hands records to the handlers, each topic's in the order of its
/// partitions. A broken connection is the client's business: reading goes on where it was.
final class InternalTopics: Sendable {
    /// A topic with its partitions and who takes its records.
    struct Topic: Sendable {
        var name: String
        var partitions: Int32
        var handler: @Sendable (LogRecord) -> Void
    }
    private struct Waiter {
        var wanted: [TopicPartition: Int64]
        var continuation: CheckedContinuation<Bool, Never>
    }
    private struct State {
        var topics: [String: Topic] = [:]
        /// The offset after the last thing seen of a partition: record or end.
        var seen: [TopicPartition: Int64] = [:]
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }
    private let state = Mutex(State())
    private let consumer: Consumer
    private let producer: Producer
    private let admin: Admin
    private let patience: Duration
    /// The config topic is one sequence: it is written to partition 0, also where an embedded cluster gave it more.
    private let sequence: String
    private let log = Logger("sluice.runtime.topics")
    private let troubles = LogLimiter(every: .seconds(30))

    /// Makes the clients; `patience` is the longest that one write with its reading back, or one reading to the end, may take.
    init(_ config: WorkerConfig, _ admin: Admin, patience: Duration = .seconds(30)) throws(KafkaClientError) {
        (self.admin, self.patience, sequence) = (admin, patience, config.configTopic.name)
        let id = config.clientID.isEmpty ? "connect-\(config.groupID)" : config.clientID
        let troubles = troubles, log = log
        let events: @Sendable (ClientEvent) -> Void = { event in
            guard case .brokersDown(let reason) = event else { return }
            troubles { held in log.warn("Kafka is away", ["reason": "\(reason)", "suppressed": held]) }
        }
        consumer = try Consumer(
            config.internalSettings(
                .consumer,
                [
                    "client.id": "\(id)-reader", "group.id": config.groupID, "enable.partition.eof": "true",
                    "isolation.level": "read_committed", "queued.min.messages": "1000",
                    "queued.max.messages.kbytes": "1024", "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": "250",
                ]
            ),
            events: events
        )
        producer = try Producer(
            config.internalSettings(
                .producer,
                [
                    "client.id": "\(id)-writer", "acks": "all", "enable.idempotence": "false",
                    "max.in.flight.requests.per.connection": "1", "linger.ms": "0", "message.timeout.ms": "30000",
                    "queue.buffering.max.kbytes": "8192",
                ]
            ),
            events: events
        )
    }

    /// Reads all partitions from their beginning, and on; returns when what is there has reached the handlers.
    ///
    /// Positions are numbers, not "the beginning", which would cost the reader a question of its own per partition.
    func start(_ topics: [Topic]) async throws(StoreError) {
        let doing = "reading \(topics.map { "topic \"\($0.name)\"" }.joined(separator: ", "))"
        let partitions = topics.flatMap { topic in (0..<topic.partitions).map { TopicPartition(topic.name, $0) } }
        let ends = try await ends(of: partitions, doing)
        state.withLock { state in
            for topic in topics { state.topics[topic.name] = topic }
        }
        do throws(KafkaClientError) { try await consumer.assign(ends.mapValues { .offset($0.low) }) } catch {
            throw StoreError("\(doing): \(error)")
        }
        try await wait(for: ends.filter { $0.value.high > $0.value.low }.mapValues(\.high), doing)
    }
    /// Hands records over until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(KafkaClientError) {
                switch try await consumer.poll(maxRecords: 1_000, timeout: .seconds(10)) {
                case .batch(let batch): take(batch)
                case .endOfPartition(let partition, let offset): saw(partition, upTo: offset)
                case .assigned, .revoked, .idle: break
                }
            } catch {
                if error.code == .closed { return }
                troubles { held in
                    log.warn("Reading the internal topics", ["reason": "\(error)", "suppressed": held])
                }
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }
    /// The log of one topic; ``start(_:)`` need not have been called.
    func log(_ name: String) -> any TopicLog { InternalTopicLog(topic: name, topics: self) }

    /// Ends ``run()`` and closes the clients; what is queued in the producer is sent first.
    func close() async {
        await producer.close(timeout: .seconds(5))
        await consumer.close(timeout: .seconds(5))
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.continuation.resume(returning: false) }
    }

    // Reading

    private func take(_ batch: MessageBatch) {
        let handlers = state.withLock { state in batch.partitions.map { state.topics[$0.topic]?.handler } }
        for index in 0..<batch.count {
            let place = batch.partitionIndex(at: index)
            handlers[place]?(
                LogRecord(
                    partition: batch.partitions[place].partition,
                    offset: batch.offset(at: index),
                    key: batch.key(at: index),
                    value: batch.value(at: index)
                )
            )
        }
        for (partition, offset) in batch.endOffsets { saw(partition, upTo: offset) }
    }
    private func saw(_ partition: TopicPartition, upTo offset: Int64) {
        let done = state.withLock { state in
            state.seen[partition] = max(offset, state.seen[partition] ?? 0)
            let ids = state.waiters.filter { isSatisfied($0.value.wanted, state.seen) }.map(\.key)
            return ids.compactMap { state.waiters.removeValue(forKey: $0)?.continuation }
        }
        for continuation in done { continuation.resume(returning: true) }
    }
    private func isSatisfied(_ wanted: [TopicPartition: Int64], _ seen: [TopicPartition: Int64]) -> Bool {
        wanted.allSatisfy { (seen[$0.key] ?? 0) >= $0.value }
    }
    /// Waits until the handlers have seen everything before these offsets.
    private func wait(for wanted: [TopicPartition: Int64], _ doing: String) async throws(StoreError) {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let isSeen = await withTaskGroup(of: Bool?.self) { group in
            group.addTask { [self] in
                await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                    let isDone = state.withLock { state in
                        if isSatisfied(wanted, state.seen) { return true }
                        state.waiters[id] = Waiter(wanted: wanted, continuation: continuation)
                        return false
                    }
                    if isDone { continuation.resume(returning: true) }
                }
            }
            group.addTask { [patience] in
                try? await Task.sleep(for: patience)
                return nil
            }
            let first = await group.next() ?? nil
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: false)
            group.cancelAll()
            return first ?? false
        }
        guard isSeen else {
            throw StoreError("\(doing): not done within \(patience); is Kafka reachable?", isTimeout: true)
        }
    }
    /// Returns when everything that was in the topic at the call has reached its handler.
    func readToEnd(_ topic: String) async throws(StoreError) {
        let doing = "reading topic \"\(topic)\" to its end"
        let count = state.withLock { $0.topics[topic]?.partitions ?? 0 }
        let partitions = (0..<count).map { TopicPartition(topic, $0) }
        let ends = try await ends(of: partitions, doing)
        try await wait(for: ends.filter { $0.value.high > $0.value.low }.mapValues(\.high), doing)
    }
    /// Not asked by the reader's own connection: there the question would wait behind fetches that wait for records.
    ///
    /// A topic that was just made has no leader yet for a moment, which is no reason to give up.
    private func ends(
        of partitions: [TopicPartition],
        _ doing: String
    ) async throws(StoreError) -> [TopicPartition: (low: Int64, high: Int64)] {
        var attempt = 0
        while true {
            do throws(KafkaClientError) { return try await admin.watermarks(partitions, timeout: patience) } catch {
                attempt += 1
                guard error.isRetriable || error.code == .unknownTopicOrPartition, attempt < 20, !Task.isCancelled
                else {
                    throw StoreError("\(doing): \(error)", isTimeout: error.code == .timedOut)
                }
                log.debug("Ends of internal topics not known yet", ["reason": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    // Writing

    func write(_ records: [LogWrite], to topic: String, readBack: Bool) async throws(StoreError) {
        let doing = "writing to topic \"\(topic)\""
        let written: [RecordMetadata]
        do throws(KafkaClientError) { written = try await send(records, to: topic) } catch {
            throw StoreError("\(doing): \(error)", isTimeout: error.code == .timedOut)
        }
        guard readBack else { return }
        var wanted: [TopicPartition: Int64] = [:]
        for record in written {
            let key = TopicPartition(topic, record.partition)
            wanted[key] = max(wanted[key] ?? 0, record.offset + 1)
        }
        try await wait(for: wanted, "\(doing) and reading it back")
    }
    /// Queues all records in order, then waits for all of them.
    private func send(_ records: [LogWrite], to topic: String) async throws(KafkaClientError) -> [RecordMetadata] {
        let results = await withCheckedContinuation { continuation in
            let gather = Gather(records.count) { continuation.resume(returning: $0) }
            for record in records {
                let partition: Int32? = topic == sequence ? 0 : nil
                let record = ProducerRecord(topic: topic, partition: partition, key: record.key, value: record.value)
                do throws(KafkaClientError) {
                    try producer.send(record) { gather.add($0) }
                } catch { gather.add(.failure(error)) }
            }
        }
        return try results.map { result throws(KafkaClientError) in try result.get() }
    }
}

/// Calls back once, when all results are in.
private final class Gather: Sendable {
    private let results: Mutex<[Result<RecordMetadata, KafkaClientError>]>
    private let count: Int
    private let done: @Sendable ([Result<RecordMetadata, KafkaClientError>]) -> Void

    init(_ count: Int, _ done: @escaping @Sendable ([Result<RecordMetadata, KafkaClientError>]) -> Void) {
        (self.count, self.done) = (count, done)
        results = Mutex([])
        if count == 0 { done([]) }
    }
    func add(_ result: Result<RecordMetadata, KafkaClientError>) {
        let all = results.withLock { results in
            results.append(result)
            return results.count == count ? results : nil
        }
        if let all { done(all) }
    }
}

private struct InternalTopicLog: TopicLog {
    let topic: String
    let topics: InternalTopics

    func write(_ records: [LogWrite], readBack: Bool) async throws(StoreError) {
        try await topics.write(records, to: topic, readBack: readBack)
    }
    func readToEnd() async throws(StoreError) { try await topics.readToEnd(topic) }
}
