internal import CRDKafka
internal import ConnectModel
internal import Dispatch
internal import Synchronization

/// Keeps librdkafka fetching while records are consumed quickly.
///
/// Before version 2.2 a fetcher whose local queue is over its limit looks again only when its broker thread wakes, up to a
/// second later. Any request to that broker wakes it; asking for the watermarks also tells the lag.
@safe final class FetchWaker: Sendable {
    private struct State {
        var bytes = 0
        var isScheduled = false
        var partitions: [TopicPartition] = []
        var next = 0
        var isStopped = false
    }

    /// Bytes that must have been consumed before another wake-up can be of use.
    private static let step = 256 << 10
    private static let interval = 10

    private let handle: RDKafkaHandle
    private let queue: RDKafkaQueue
    private let low: Int
    private let thread = DispatchQueue(label: "kafka.consumer.waker")
    private let state = Mutex(State())

    /// `low` is how many queued records the fetcher regards as enough.
    init(handle: RDKafkaHandle, queue: RDKafkaQueue, low: Int) {
        self.handle = handle
        self.queue = queue
        self.low = low
    }

    /// Newer versions look again by themselves (`fetch.queue.backoff.ms`).
    static var isNeeded: Bool { KafkaSettings.libraryVersion < 0x0202_00ff }

    func consumed(_ bytes: Int, of partitions: [TopicPartition]) {
        let mustSchedule = state.withLock { state in
            state.bytes += bytes
            if state.partitions.count < 256 {
                for partition in partitions where !state.partitions.contains(partition) {
                    state.partitions.append(partition)
                }
            }
            guard state.bytes >= Self.step, !state.isScheduled, !state.isStopped, queue.count < low else {
                return false
            }
            state.bytes = 0
            state.isScheduled = true
            return true
        }
        if mustSchedule { thread.async { [self] in wake() } }
    }

    /// The partitions consumed before may belong to someone else now.
    func forgetPartitions() { state.withLock { $0.partitions = [] } }

    func stop() { state.withLock { $0.isStopped = true } }

    private func wake() {
        let partition = state.withLock { state -> TopicPartition? in
            guard !state.isStopped, !state.partitions.isEmpty else { return nil }
            state.next = (state.next + 1) % state.partitions.count
            return state.partitions[state.next]
        }
        if let partition {
            var low: Int64 = 0
            var high: Int64 = 0
            _ = unsafe handle.withPointer { rk in
                unsafe rd_kafka_query_watermark_offsets(rk, partition.topic, partition.partition, &low, &high, 1_000)
            }
        }
        thread.asyncAfter(deadline: .now() + .milliseconds(Self.interval)) { [self] in
            // What was consumed meanwhile may have emptied the queue: that wake-up is due now.
            let again = state.withLock { state in
                guard state.bytes >= Self.step, !state.isStopped, queue.count < low else {
                    state.isScheduled = false
                    return false
                }
                state.bytes = 0
                return true
            }
            if again { wake() }
        }
    }
}
