import ConnectModel
import KafkaClient
import Lifecycle
import Logs
import Synchronization

private let log = Logger("sluice.task.sink.fetch")

/// Polls for a sink task on other threads than the task's: the next batch is fetched and converted while the sink writes,
/// and the consumer stays in its group however long that takes.
final class SinkFetcher: Sendable {
    typealias Mode = SinkTaskMachine.ConsumerMode

    enum Event: Sendable {
        case prepared(SinkPipeline.Prepared)
        case assigned([TopicPartition])
        case revoked([TopicPartition], lost: Bool)
        /// Consuming does not work for now; nil when it does again.
        case trouble(String?)
        case failed(KafkaClientError)
    }

    private struct State {
        var mode = Mode.rest
        /// A rebalance has been told and must be answered before anything else is polled.
        var awaitsAnswer = false
        var partitions: Set<TopicPartition> = []
        /// Partitions are paused in the consumer.
        var isHeld = false
        var isEnded = false
        var change: Latch?
    }

    private let consumer: any SinkConsumer
    private let pipeline: SinkPipeline
    private let keepAlive: Duration
    private let state = Mutex(State())
    private let deliver: @Sendable (Event) -> Void

    /// `keepAlive`: after resting for this long the consumer is polled with its partitions paused, to stay in the group.
    init(
        _ consumer: any SinkConsumer,
        _ pipeline: SinkPipeline,
        keepAlive: Duration = .seconds(60),
        deliver: @escaping @Sendable (Event) -> Void
    ) {
        (self.consumer, self.pipeline, self.keepAlive, self.deliver) = (consumer, pipeline, keepAlive, deliver)
    }

    /// What to do from now on; `fetch` holds for one batch and must be said again.
    func set(_ mode: Mode) {
        let (change, wakes) = state.withLock { state -> (Latch?, Bool) in
            guard state.mode != mode else { return (nil, false) }
            let wakes = state.isHeld || mode == .hold
            state.mode = mode
            defer { state.change = nil }
            return (state.change, wakes)
        }
        change?.open()
        if wakes { consumer.wakeup() }
    }

    /// The rebalance told last has been answered; these partitions are assigned now.
    func answered(_ partitions: Set<TopicPartition>) {
        let change = state.withLock { state in
            // What was assigned anew is not paused, whatever the others are.
            (state.awaitsAnswer, state.partitions, state.isHeld) = (false, partitions, false)
            defer { state.change = nil }
            return state.change
        }
        change?.open()
    }

    func end() {
        let change = state.withLock { state in
            state.isEnded = true
            defer { state.change = nil }
            return state.change
        }
        change?.open()
        consumer.wakeup()
    }

    /// Runs until ``end()`` or a failure for good.
    func run() async {
        var failures = 0
        while let mode = await nextMode() {
            do throws(KafkaClientError) {
                try await hold(mode != .fetch)
                let event = try await consumer.poll(timeout: mode == .fetch ? .seconds(1) : .milliseconds(500))
                handle(event)
                if failures > 0 { deliver(.trouble(nil)) }
                failures = 0
            } catch {
                if error.code == .closed { return }
                guard error.isRetriable, !error.isFatal else { return deliver(.failed(error)) }
                failures += 1
                deliver(.trouble("consuming: \(error)"))
                log.debug("Poll failed, will poll again", ["reason": "\(error)"])
                await pause(.milliseconds(min(100 << min(failures, 6), 5_000)))
            }
        }
    }

    private func handle(_ event: ConsumerEvent) {
        switch event {
        case .idle: break
        case .records(let records):
            state.withLock { if $0.mode == .fetch { $0.mode = .rest } }
            deliver(.prepared(pipeline.prepare(records)))
        case .assigned(let partitions):
            state.withLock { $0.awaitsAnswer = true }
            deliver(.assigned(partitions))
        case .revoked(let partitions, let lost):
            state.withLock { $0.awaitsAnswer = true }
            deliver(.revoked(partitions, lost: lost))
        }
    }

    private func hold(_ wanted: Bool) async throws(KafkaClientError) {
        let change = state.withLock { state -> [TopicPartition]? in
            guard state.isHeld != wanted else { return nil }
            state.isHeld = wanted
            return Array(state.partitions)
        }
        guard let partitions = change, !partitions.isEmpty else { return }
        if wanted { try await consumer.pause(partitions) } else { try await consumer.resume(partitions) }
    }

    /// Waits while resting; nil at the end.
    private func nextMode() async -> Mode? {
        while !Task.isCancelled {
            let (latch, mode) = state.withLock { state -> (Latch?, Mode?) in
                if state.isEnded { return (nil, nil) }
                if !state.awaitsAnswer, state.mode != .rest { return (nil, state.mode) }
                let latch = Latch()
                state.change = latch
                return (latch, state.mode)
            }
            guard let latch else { return mode }
            let isChanged = await latch.wait(for: keepAlive)
            if !isChanged, !Task.isCancelled, state.withLock({ !$0.isEnded && !$0.awaitsAnswer && $0.mode == .rest }) {
                return .hold
            }
        }
        return nil
    }

    private func pause(_ time: Duration) async {
        let latch = Latch()
        state.withLock { $0.change = latch }
        _ = await latch.wait(for: time)
    }
}
