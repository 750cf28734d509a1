import ConnectModel
import Lifecycle
import Logs
import Synchronization

/// States of connectors and tasks, and the topics they used, in `status.storage.topic`, exactly as Kafka Connect keeps them.
///
/// A status never holds work up: it is seen at once here, and written in the background in order, again and again until
/// Kafka takes it or a newer one replaces it.
final class StatusStore: Sendable {
    private struct Wish {
        var key: StatusKey
        var value: JSON?
    }
    private struct State {
        var status = StatusState()
        /// What is to be written, in order.
        var queue: [Wish] = []
        /// How many wishes of a key are queued or on their way: what is read meanwhile is older than they.
        var open: [StatusKey: Int] = [:]
        var announced: Set<StatusKey> = []
        var isFinished = false
        /// Somebody else speaks for the connectors.
        var isMuted = false
    }
    private let idle = Latch()
    private let state = Mutex(State())
    private let wake = Channel<Void>(elements: 1)
    private let log: any TopicLog
    private let clock: any Clock<Duration>
    private let logger = Logger("sluice.runtime.status")
    private let failures = LogLimiter(every: .seconds(10))

    init(_ log: any TopicLog, clock: any Clock<Duration> = ContinuousClock()) { (self.log, self.clock) = (log, clock) }

    /// Takes one record of the topic; called by the topic's reader.
    func take(_ record: LogRecord) {
        guard let text = record.key.flatMap({ String(validating: $0, as: UTF8.self) }), let key = StatusKey(text) else {
            logger.debug("Skipped a status record with an unknown key", ["offset": "\(record.offset)"])
            return
        }
        let value = record.value.map { try? JSONParser.parse($0) }
        if case .some(.none) = value { return }
        state.withLock { state in
            guard state.open[key] == nil else { return }
            _ = state.status.apply(key, value ?? nil)
            if case .topic = key, value == nil { state.announced.remove(key) }
        }
    }

    // Reading

    var generation: Int { state.withLock { $0.status.generation } }
    func status(_ key: StatusKey) -> StatusRecord? { state.withLock { $0.status[key] } }
    func tasks(of connector: String) -> [Int: StatusRecord] { state.withLock { $0.status.tasks[connector] ?? [:] } }
    func topics(of connector: String) -> [String] {
        state.withLock { ($0.status.topics[connector] ?? [:]).keys.sorted() }
    }
    func connectors() -> [String] {
        state.withLock { Set($0.status.connectors.keys).union($0.status.tasks.keys).sorted() }
    }

    // Writing

    /// Writes whatever was there before: the word of a new owner.
    func put(_ key: StatusKey, _ record: StatusRecord) { want(key, record.json) }
    /// Writes unless a newer owner has spoken: the word of one that stops or fails.
    func putSafe(_ key: StatusKey, _ record: StatusRecord) {
        guard state.withLock({ $0.status.maySafelyWrite(record, to: key) }) else { return }
        want(key, record.json)
    }
    func remove(_ key: StatusKey) { want(key, nil) }
    /// Announces once per connector and topic that the topic is used; later calls do nothing.
    func use(_ use: TopicUse) {
        let key = StatusKey.topic(use.topic, connector: use.connector)
        let isNew = state.withLock { state in
            guard state.status.topics[use.connector]?[use.topic] == nil else { return false }
            return state.announced.insert(key).inserted
        }
        if isNew { want(key, use.json) }
    }
    func forgetTopics(of connector: String) {
        let topics = state.withLock { state in
            state.announced = state.announced.filter { key in
                if case .topic(_, connector) = key { return false }
                return true
            }
            return (state.status.topics[connector] ?? [:]).keys.sorted()
        }
        for topic in topics { remove(.topic(topic, connector: connector)) }
    }

    private func want(_ key: StatusKey, _ value: JSON?) {
        state.withLock { state in
            guard !state.isFinished, !state.isMuted else { return }
            _ = state.status.apply(key, value)
            state.queue.append(Wish(key: key, value: value))
            state.open[key, default: 0] += 1
        }
        _ = wake.trySend(())
    }

    /// Writes what is wanted until the task is cancelled, or ``finish()`` was called and all is written.
    func run() async {
        defer { idle.open() }
        let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(10))
        var attempt = 0
        while !Task.isCancelled {
            let (batch, isFinished) = state.withLock { state in
                defer { state.queue.removeFirst(min(500, state.queue.count)) }
                return (Array(state.queue.prefix(500)), state.isFinished)
            }
            if batch.isEmpty {
                if isFinished { return }
                _ = try? await wake.receive()
                continue
            }
            do throws(StoreError) {
                try await log.write(batch.map { LogWrite($0.key.text, $0.value) }, readBack: false)
                attempt = 0
                state.withLock { state in settle(batch, &state) }
            } catch {
                state.withLock { state in state.isMuted ? settle(batch, &state) : requeue(batch, &state) }
                failures { held in
                    logger.warn("Status not written, trying again", ["reason": "\(error)", "suppressed": held])
                }
                try? await clock.sleep(for: backoff.delay(attempt: attempt))
                attempt += 1
            }
        }
    }
    /// Muted, it writes nothing more, not even what is queued: only the worker that does the work tells its states.
    func mute(_ isMuted: Bool) {
        state.withLock { state in
            state.isMuted = isMuted
            guard isMuted else { return }
            for wish in state.queue {
                let left = (state.open[wish.key] ?? 1) - 1
                state.open[wish.key] = left > 0 ? left : nil
            }
            state.queue = []
        }
    }
    /// Returns when everything that was in the topic at the call has been read.
    func readToEnd() async throws(StoreError) { try await log.readToEnd() }
    /// Takes no more wishes; ``run()`` returns when those it has are written.
    func finish() {
        state.withLock { $0.isFinished = true }
        wake.finish()
    }

    /// Returns when ``run()`` has ended, or the calling task is cancelled.
    func drained() async { await idle.wait() }

    private func settle(_ batch: [Wish], _ state: inout State) {
        for wish in batch {
            let left = (state.open[wish.key] ?? 1) - 1
            state.open[wish.key] = left > 0 ? left : nil
        }
    }
    /// While Kafka is away only the newest wish of a key is kept, so that the queue stays as small as the number of keys.
    private func requeue(_ batch: [Wish], _ state: inout State) {
        let all = batch + state.queue
        var newest: [StatusKey: Int] = [:]
        for (index, wish) in all.enumerated() { newest[wish.key] = index }
        state.queue = all.enumerated().filter { newest[$0.element.key] == $0.offset }.map(\.element)
        state.open = newest.mapValues { _ in 1 }
    }
}
