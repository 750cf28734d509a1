internal import Blocking
internal import CRDKafka
public import ConnectModel
internal import Synchronization

/// What one poll brought.
public enum Polled: Sendable {
    /// Records, in the order of each partition.
    case batch(MessageBatch)
    /// The group gave partitions: answer with ``Consumer/assign(_:)``; partitions left out there start at the stored offset.
    case assigned([TopicPartition])
    /// The group takes partitions: finish and commit (unless `lost`), then answer with ``Consumer/unassign()``.
    case revoked([TopicPartition], lost: Bool)
    /// The end of a partition was reached; only with `enable.partition.eof=true`.
    case endOfPartition(TopicPartition, offset: Int64)
    /// Nothing within the timeout, or ``Consumer/wakeup()``.
    case idle
}

/// Reads records of Kafka in batches, as a member of a group or from partitions of the caller's choice.
///
/// Defaults: `enable.auto.commit=false`, `auto.offset.reset=earliest`, at most 8 MB fetched ahead.
/// ```swift
/// let consumer = try Consumer(KafkaSettings(bootstrapServers: "localhost:9092", ["group.id": "audit"]))
/// try await consumer.subscribe(topics: ["orders"], rebalance: .automatic)
/// while case .batch(let batch) = try await consumer.poll() {
///     batch.forEach { index, key, value in … }
///     try await consumer.commit(batch.endOffsets)
/// }
/// await consumer.close()
/// ```
/// One task polls; the other calls may come from any task.
@safe public final class Consumer: Sendable {
    let handle: RDKafkaHandle
    private let queue: RDKafkaQueue
    private let pollThread = TaskThread(label: "kafka.consumer.poll")
    /// Calls that librdkafka answers by itself or in bounded time, and that must not wait behind a poll.
    let control = TaskThread(label: "kafka.consumer.control")
    let commits = TaskThread(label: "kafka.consumer.commit")
    let settings: KafkaSettings
    private let waker: FetchWaker?
    private let state = Mutex(State())

    private struct State {
        var isClosed = false
        var signals: [Result<Polled, KafkaClientError>] = []
        /// nil while all topics are named.
        var search: TopicSearch?
    }

    /// Makes a consumer; brokers are contacted in the background.
    ///
    /// `events` gets log lines and failures that belong to no call, on a thread of librdkafka. Throws `configuration`,
    /// naming the setting.
    public init(
        _ settings: KafkaSettings,
        events: (@Sendable (ClientEvent) -> Void)? = nil
    ) throws(KafkaClientError) {
        let values = try settings.forConsumer()
        let handle = try RDKafkaHandle(.consumer, settings: values, target: CallbackTarget(events: events))
        unsafe handle.withPointer { unsafe _ = rd_kafka_poll_set_consumer($0) }
        guard let queue = unsafe RDKafkaQueue(of: handle, { unsafe rd_kafka_queue_get_consumer($0) }) else {
            throw KafkaClientError(code: .unsupported, reason: "creating a consumer: librdkafka gave no queue")
        }
        self.settings = settings
        self.handle = handle
        self.queue = queue
        let low = values["queued.min.messages"].flatMap { Int($0) } ?? 50_000
        waker = FetchWaker.isNeeded ? FetchWaker(handle: handle, queue: queue, low: low) : nil
    }

    deinit { waker?.stop() }

    // --- group membership

    /// Joins the group with these topics.
    ///
    /// `rebalance` says who answers when partitions come and go; `onRebalance` is told of each change as it arrives,
    /// before `poll` returns it, and must not call the consumer. Throws `invalidArgument` without topics, and `closed`.
    public func subscribe(
        topics: [String],
        rebalance: RebalanceMode = .byCaller,
        onRebalance: (@Sendable (RebalanceEvent) -> Void)? = nil
    ) async throws(KafkaClientError) {
        try checkOpen("subscribing")
        handle.target.rebalances.withLock { ($0.mode, $0.observer) = (rebalance, onRebalance) }
        state.withLock { $0.search = nil }
        try await join(topics)
    }

    func join(_ topics: [String]) async throws(KafkaClientError) {
        handle.target.rebalances.withLock { $0.isJoining = true }
        let handle = handle
        try await control.run { () throws(KafkaClientError) in
            // A name that begins with ^ would be a pattern to librdkafka; no topic can be called so.
            let list = PartitionList(topics.map { TopicPartition($0, -1) })
            let code = unsafe handle.withPointer { rk in
                unsafe list.withPointer { unsafe rd_kafka_subscribe(rk, $0) }
            }
            let doing = "subscribing to \(topics.joined(separator: ", "))"
            if let error = KafkaClientError.ifFailed(code, doing: doing) { throw error }
        }
    }

    /// Leaves the group's topics; ``assign(_:)`` is possible afterwards.
    public func unsubscribe() async throws(KafkaClientError) {
        try checkOpen("unsubscribing")
        let handle = handle
        try await control.run { () throws(KafkaClientError) in
            let code = unsafe handle.withPointer { unsafe rd_kafka_unsubscribe($0) }
            if let error = KafkaClientError.ifFailed(code, doing: "unsubscribing") { throw error }
        }
    }

    /// Answers `Polled.assigned`, or, without a group, sets the partitions to read.
    ///
    /// As an answer, partitions of the event that are missing here start at the stored offset and others are ignored.
    public func assign(_ positions: [TopicPartition: StartPosition]) async throws(KafkaClientError) {
        try checkOpen("assigning partitions")
        waker?.forgetPartitions()
        let handle = handle
        try await control.run { () throws(KafkaClientError) in
            var offsets = positions.map { (key: $0.key, value: $0.value.raw) }
            var isIncremental = false
            if case .assigned(let offered)? = handle.target.rebalances.withLock({ $0.takeOpen() }) {
                offsets = offered.map { (key: $0, value: (positions[$0] ?? .stored).raw) }
                isIncremental = unsafe handle.withPointer { unsafe RebalanceAnswer.isCooperative($0) }
            }
            let error = unsafe handle.withPointer { rk in
                unsafe RebalanceAnswer.assign(PartitionList(offsets), incrementally: isIncremental, rk)
            }
            if let error { throw error }
        }
    }

    /// Answers `Polled.revoked`, or, without a group, stops reading all partitions.
    public func unassign() async throws(KafkaClientError) {
        try checkOpen("giving partitions back")
        waker?.forgetPartitions()
        let handle = handle
        try await control.run { () throws(KafkaClientError) in
            let open = handle.target.rebalances.withLock { $0.takeOpen() }
            let error = unsafe handle.withPointer { rk -> KafkaClientError? in
                if case .revoked(let partitions, _)? = open { return unsafe RebalanceAnswer.unassign(partitions, rk) }
                return unsafe .ifFailed(rd_kafka_assign(rk, nil), doing: "giving partitions back")
            }
            if let error { throw error }
        }
    }

    // --- polling

    /// Waits up to `timeout` for records or a change, and returns as soon as there is something; a cancelled task gets
    /// `idle` or what is there.
    ///
    /// A batch has at most `maxRecords` records (nil is `max.poll.records`, 500), and ends once keys and values reach
    /// `maxBytes`; it is over that by 256 records at most. Throws failures of consuming, in order with the records: an
    /// unknown topic, missing rights, an offset that does not exist while `auto.offset.reset=error`, a fatal failure; and
    /// `closed`.
    public func poll(
        maxRecords: Int? = nil,
        maxBytes: Int = 8 << 20,
        timeout: Duration = .seconds(1)
    ) async throws(KafkaClientError) -> Polled {
        try checkOpen("polling")
        try await lookForTopics()
        let limit = max(1, maxRecords ?? settings.maxPollRecords)
        // What is there already needs no thread: taking it never blocks.
        if queue.count > 0 || hasSignals {
            let polled = try take(limit, maxBytes, timeout: 0)
            guard case .idle = polled else { return polled }
        }
        let untilLook = state.withLock { $0.search.map { max(.zero, $0.nextLook - .now) } }
        let milliseconds = min(timeout, untilLook ?? timeout).milliseconds
        let result = await withTaskCancellationHandler {
            await pollThread.run { [self] in
                Result { () throws(KafkaClientError) in try take(limit, maxBytes, timeout: milliseconds) }
            }
        } onCancel: {
            queue.wake()
        }
        return try result.get()
    }

    /// nil without a search; see ``TopicSearch/currentAsOf``.
    var searchIsCurrentAsOf: ContinuousClock.Instant?? { state.withLock { $0.search.map(\.currentAsOf) } }
    func begin(_ search: TopicSearch) { state.withLock { $0.search = search } }
    /// Whether a look for new topics is due.
    func takeDueLook() -> Bool { state.withLock { $0.search?.isDue(.now) ?? false } }
    func search(found topics: [String]?, isJoining: Bool) -> TopicSearch.Decision? {
        state.withLock { $0.search?.found(topics, isJoining: isJoining, now: .now) }
    }

    /// Ends a poll that waits, or the next one; it returns `idle`.
    public func wakeup() { queue.wake() }

    private var hasSignals: Bool {
        if state.withLock({ !$0.signals.isEmpty }) { return true }
        return handle.target.rebalances.withLock { !$0.pending.isEmpty }
    }

    private func take(
        _ maxRecords: Int,
        _ maxBytes: Int,
        timeout milliseconds: Int32
    ) throws(KafkaClientError) -> Polled {
        if let waiting = try nextSignal() { return waiting }
        var pile = MessagePile(limit: maxRecords)
        var wait = milliseconds
        var wanted = 1  // librdkafka waits until it has as many as asked for, so only the first is waited for
        while pile.count < maxRecords, pile.bytes < maxBytes {
            let asked = min(wanted, maxRecords - pile.count)
            let (got, signals) = pile.consume(asked, from: queue, timeout: wait)
            if !signals.isEmpty { state.withLock { $0.signals += signals } }
            if got < asked { break }
            (wanted, wait) = (256, 0)
        }
        guard let batch = pile.intoBatch(handle) else { return try nextSignal() ?? .idle }
        waker?.consumed(batch.byteCount + 64 * batch.count, of: batch.partitions)
        return .batch(batch)
    }

    /// A failure, the end of a partition, or a rebalance that came before.
    private func nextSignal() throws(KafkaClientError) -> Polled? {
        if let signal = state.withLock({ $0.signals.isEmpty ? nil : $0.signals.removeFirst() }) {
            return try signal.get()
        }
        switch handle.target.rebalances.withLock({ $0.surface() }) {
        case .assigned(let partitions)?: return .assigned(partitions)
        case .revoked(let partitions, let lost)?: return .revoked(partitions, lost: lost)
        case .failed(let error)?: throw error
        case nil: return nil
        }
    }

    // --- the end

    /// Leaves the group and ends the consumer; what is fetched but not polled is dropped, nothing is committed.
    ///
    /// Calling it again does nothing. Batches stay readable.
    public func close(timeout: Duration = .seconds(10)) async {
        guard
            state.withLock({ state in
                defer { state.isClosed = true }
                return !state.isClosed
            })
        else { return }
        waker?.stop()
        queue.wake()
        let (handle, deadline) = (handle, ContinuousClock.now + timeout)
        await pollThread.run {
            let unanswered = handle.target.rebalances.withLock { inbox in
                inbox.isClosing = true
                defer { inbox.pending = [] }
                return inbox.pending + (inbox.takeOpen().map { [$0] } ?? [])
            }
            unsafe handle.withPointer { rk in
                for change in unanswered { unsafe RebalanceAnswer.accept(change, rk) }
                guard let served = unsafe RDKafkaQueue(of: handle, { unsafe rd_kafka_queue_new($0) }) else { return }
                let error = unsafe served.withPointer { unsafe rd_kafka_consumer_close_queue(rk, $0) }
                if let error = unsafe error { return unsafe rd_kafka_error_destroy(error) }
                while unsafe rd_kafka_consumer_closed(rk) == 0, ContinuousClock.now < deadline {
                    var rest = MessagePile(limit: 64)
                    _ = rest.consume(64, from: served, timeout: 50)
                }
            }
        }
    }

    /// Whether ``close(timeout:)`` was called.
    public var isClosed: Bool { state.withLock { $0.isClosed } }

    func checkOpen(_ doing: String) throws(KafkaClientError) {
        if isClosed { throw .closed(doing) }
    }
}
