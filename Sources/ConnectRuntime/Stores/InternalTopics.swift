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
        /// Every record is in a transaction, so that the last offset is that of a marker, which no reader is told of.
        var isTransactional = false
    }
    private struct Waiter {
        var wanted: [TopicPartition: Int64]
        /// The end that the reader finds is enough: what lies beyond it is in open transactions.
        var isEndEnough: Bool
        var continuation: CheckedContinuation<Bool, Never>
    }
    private struct State {
        var topics: [String: Topic] = [:]
        /// The offset after the last thing seen of a partition: record or end.
        var seen: [TopicPartition: Int64] = [:]
        /// Partitions whose end the reader has met.
        var ended: Set<TopicPartition> = []
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }
    private let state = Mutex(State())
    private let consumer: Consumer
    private let producer: Producer
    /// Writes what must be whole; nil without exactly-once sources.
    private let fenced: FencedWriter?
    private let admin: Admin
    private let settings: KafkaSettings
    private let patience: Duration
    /// The config topic is one sequence: it is written to partition 0, also where an embedded cluster gave it more.
    private let sequence: String
    private let log = Logger("sluice.runtime.topics")
    private let troubles = LogLimiter(every: .seconds(30))
    private let closing = Latch()

    /// Makes the clients; `patience` is the longest that one write with its reading back, or one reading to the end, may take.
    init(_ config: WorkerConfig, _ admin: Admin, patience: Duration = .seconds(30)) throws(KafkaClientError) {
        (self.admin, self.patience, sequence) = (admin, patience, config.configTopic.name)
        let id = config.clientID.isEmpty ? "connect-\(config.groupID)" : config.clientID
        let troubles = troubles, log = log
        let events: @Sendable (ClientEvent) -> Void = { event in
            guard case .brokersDown(let reason) = event else { return }
            troubles { held in log.warn("Kafka is away", ["reason": "\(reason)", "suppressed": held]) }
        }
        settings = config.internalSettings(
            .consumer,
            [
                "client.id": "\(id)-reader", "group.id": config.groupID, "enable.partition.eof": "true",
                "isolation.level": "read_committed", "queued.min.messages": "1000",
                "queued.max.messages.kbytes": "1024", "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": "250",
            ]
        )
        consumer = try Consumer(settings, events: events)
        fenced = config.hasFencedConfigs ? FencedWriter(config.fencedWriterSettings(id)) : nil
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
            state.ended.subtract(partitions)
        }
        do throws(KafkaClientError) { try await consumer.assign(ends.mapValues { .offset($0.low) }) } catch {
            throw StoreError("\(doing): \(error)")
        }
        // A worker that was killed may have left transactions open, which only the tasks end that are started after this.
        try await wait(for: wanted(ends), doing, isEndEnough: true)
    }
    /// Hands records over until ``close()`` or the task is cancelled.
    func run() async {
        let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(5))
        var failures = 0
        while !Task.isCancelled, !closing.isOpen {
            do throws(KafkaClientError) {
                switch try await consumer.poll(maxRecords: 1_000, timeout: .seconds(10)) {
                case .batch(let batch): take(batch)
                case .endOfPartition(let partition, let offset): saw(partition, upTo: offset, isEnd: true)
                case .assigned, .revoked, .idle: break
                }
                failures = 0
            } catch {
                if error.code == .closed { return }
                troubles { held in
                    log.warn("Reading the internal topics", ["reason": "\(error)", "suppressed": held])
                }
                if await closing.wait(for: backoff.delay(attempt: failures)) { return }
                failures += 1
            }
        }
    }
    /// The log of one topic; ``start(_:)`` need not have been called.
    func log(_ name: String) -> any TopicLog { InternalTopicLog(topic: name, topics: self) }

    /// Ends ``run()`` and closes the clients; what is queued in the producer is sent first.
    func close() async {
        closing.open()
        await fenced?.close()
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
        batch.forEachLogRecord { place, record in handlers[place]?(record) }
        for (partition, offset) in batch.endOffsets { saw(partition, upTo: offset) }
    }
    private func saw(_ partition: TopicPartition, upTo offset: Int64, isEnd: Bool = false) {
        let done = state.withLock { state in
            state.seen[partition] = max(offset, state.seen[partition] ?? 0)
            if isEnd { state.ended.insert(partition) }
            let ids = state.waiters.filter { isSatisfied($0.value, state) }.map(\.key)
            return ids.compactMap { state.waiters.removeValue(forKey: $0)?.continuation }
        }
        for continuation in done { continuation.resume(returning: true) }
    }
    private func isSatisfied(_ waiter: Waiter, _ state: borrowing State) -> Bool {
        for (partition, offset) in waiter.wanted where (state.seen[partition] ?? 0) < offset {
            guard waiter.isEndEnough, state.ended.contains(partition) else { return false }
        }
        return true
    }
    /// Waits until the handlers have seen everything before these offsets.
    private func wait(
        for wanted: [TopicPartition: Int64],
        _ doing: String,
        isEndEnough: Bool = false
    ) async throws(StoreError) {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let isSeen = await withTaskGroup(of: Bool?.self) { group in
            group.addTask { [self] in
                await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                    let isDone = state.withLock { state in
                        let waiter = Waiter(wanted: wanted, isEndEnough: isEndEnough, continuation: continuation)
                        if isSatisfied(waiter, state) { return true }
                        state.waiters[id] = waiter
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
        try await wait(for: wanted(ends), doing)
    }
    /// What has to be seen of partitions with these ends.
    ///
    /// The end of a transaction would be noticed only a second later, when a fetch behind it comes back empty.
    private func wanted(_ ends: [TopicPartition: (low: Int64, high: Int64)]) -> [TopicPartition: Int64] {
        let marked = state.withLock { $0.topics.filter { $0.value.isTransactional }.keys }
        return ends.filter { $0.value.high > $0.value.low }.reduce(into: [:]) { wanted, end in
            wanted[end.key] = marked.contains(end.key.topic) ? end.value.high - 1 : end.value.high
        }
    }
    /// Reads a topic that is not followed, from its beginning to where it ends at the call.
    func readOnce(_ topic: String, _ handler: (LogRecord) -> Void) async throws(StoreError) {
        let reading = TopicReading(admin: admin, settings: settings, patience: patience)
        try await reading.run(topic, handler)
    }
    /// Not asked by the reader's own connection: there the question would wait behind fetches that wait for records.
    private func ends(
        of partitions: [TopicPartition],
        _ doing: String
    ) async throws(StoreError) -> [TopicPartition: (low: Int64, high: Int64)] {
        do throws(KafkaClientError) { return try await admin.settledWatermarks(partitions, timeout: patience) } catch {
            throw StoreError("\(doing): \(error)", isTimeout: error.code == .timedOut)
        }
    }

    // Writing

    func write(
        _ records: [LogWrite],
        to topic: String,
        readBack: Bool,
        isAtomic: Bool = false
    ) async throws(StoreError) {
        let doing = "writing to topic \"\(topic)\""
        let partition: Int32? = topic == sequence ? 0 : nil
        let records = records.map {
            ProducerRecord(topic: topic, partition: partition, key: $0.key, value: $0.value)
        }
        let written: [RecordMetadata]
        do throws(KafkaClientError) {
            if isAtomic, let fenced {
                written = try await fenced.write(records)
            } else {
                written = try await producer.sendAll(records)
            }
        } catch {
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
    /// Takes the right to write configs over, and ends what a killed worker left open in the config topic.
    ///
    /// Without exactly-once sources there is nothing to take. What fails here is done with the next write.
    func claim() async {
        do throws(KafkaClientError) { try await fenced?.claim() } catch {
            log.warn("Config writing not taken over yet", ["reason": "\(error)"])
        }
    }
}

private struct InternalTopicLog: TopicLog {
    let topic: String
    let topics: InternalTopics

    func write(_ records: [LogWrite], readBack: Bool) async throws(StoreError) {
        try await topics.write(records, to: topic, readBack: readBack)
    }
    func writeAtomically(_ records: [LogWrite]) async throws(StoreError) {
        try await topics.write(records, to: topic, readBack: true, isAtomic: true)
    }
    func readToEnd() async throws(StoreError) { try await topics.readToEnd(topic) }
}
