internal import Synchronization

/// The ticket for a buffer of records on its way to the brokers.
public final class Delivery: Sendable {
    /// One record that did not arrive.
    public typealias Failure = (index: Int, error: KafkaClientError)

    private typealias Waiter = CheckedContinuation<Result<Void, KafkaClientError>, Never>
    private struct State {
        var remaining: Int
        var failures: [Failure] = []
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }

    /// How many records the buffer had.
    public let count: Int
    private let state: Mutex<State>

    init(count: Int) {
        self.count = count
        state = Mutex(State(remaining: count))
    }

    /// Whether every record was acknowledged or has failed.
    public var isDone: Bool { state.withLock { $0.remaining == 0 } }

    /// How many records are neither acknowledged nor failed.
    public var remaining: Int { state.withLock { $0.remaining } }

    /// The records that failed so far, by index into the buffer.
    public var failures: [Failure] { state.withLock { $0.failures.sorted { $0.index < $1.index } } }

    /// Suspends until every record was acknowledged; throws the failure of the first record that failed, once all are
    /// settled, or `cancelled` when the task is cancelled (the records stay on their way).
    public func wait() async throws(KafkaClientError) {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let settled = state.withLock { state -> Result<Void, KafkaClientError>? in
                    if state.remaining == 0 { return Self.outcome(of: state) }
                    if Task.isCancelled { return .failure(.cancelled("waiting for \(state.remaining) records")) }
                    state.waiters[id] = waiter
                    return nil
                }
                if let settled { waiter.resume(returning: settled) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume(returning: .failure(.cancelled("waiting for a delivery")))
        }
        try result.get()
    }

    /// Counts records as settled; true when none is left.
    func settle(_ count: Int, failures: [Failure]) -> Bool {
        let (isDone, waiters, outcome) = state.withLock { state -> (Bool, [Waiter], Result<Void, KafkaClientError>) in
            guard state.remaining > 0 else { return (false, [Waiter](), .success(())) }
            state.remaining = max(0, state.remaining - count)
            state.failures += failures
            guard state.remaining == 0 else { return (false, [Waiter](), .success(())) }
            defer { state.waiters = [:] }
            return (true, Array(state.waiters.values), Self.outcome(of: state))
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
        return isDone
    }

    private static func outcome(of state: State) -> Result<Void, KafkaClientError> {
        guard let first = state.failures.min(by: { $0.index < $1.index }) else { return .success(()) }
        return .failure(first.error)
    }
}

/// Who waits for delivery reports: a slot's number and a record's index travel through librdkafka as its opaque word.
final class DeliveryTable: Sendable {
    typealias Callback = @Sendable (Result<RecordMetadata, KafkaClientError>) -> Void
    enum Entry {
        /// `extra` has each record's header bytes when the buffer has headers, else it is empty.
        case buffer(Delivery, extra: [Int32])
        case single(Callback, extra: Int)
    }
    private struct State {
        var slots: [Entry?] = []
        var free: [Int] = []
        var isClosed = false
    }
    private let state = Mutex(State())

    /// The slot; nil at the producer's end.
    func add(_ entry: Entry) -> Int? {
        state.withLock { state in
            if state.isClosed { return nil }
            if let slot = state.free.popLast() {
                state.slots[slot] = entry
                return slot
            }
            state.slots.append(entry)
            return state.slots.count - 1
        }
    }

    func entry(_ slot: Int) -> Entry? {
        state.withLock { $0.slots.indices.contains(slot) ? $0.slots[slot] : nil }
    }

    /// False when the slot's entry was taken out already, and so has been told the outcome.
    @discardableResult
    func remove(_ slot: Int) -> Bool {
        state.withLock { state in
            guard state.slots.indices.contains(slot), state.slots[slot] != nil else { return false }
            state.slots[slot] = nil
            state.free.append(slot)
            return true
        }
    }

    /// Counts records as settled and frees the slot with the last one.
    func settle(_ slot: Int, _ delivery: Delivery, _ count: Int, _ failures: [Delivery.Failure]) {
        if delivery.settle(count, failures: failures) { remove(slot) }
    }

    /// Takes out everyone who still waits, at the producer's end.
    func removeAll() -> [Entry] {
        state.withLock { state in
            defer { state = State(isClosed: true) }
            return state.slots.compactMap { $0 }
        }
    }

    /// The word for librdkafka; never zero, so that it is told from "none".
    static func word(slot: Int, index: Int) -> UnsafeMutableRawPointer? {
        unsafe UnsafeMutableRawPointer(bitPattern: UInt(slot + 1) << 32 | UInt(index))
    }

    static func slotAndIndex(_ word: UnsafeMutableRawPointer?) -> (slot: Int, index: Int) {
        let bits = UInt(bitPattern: word)
        return (Int(bits >> 32) - 1, Int(bits & 0xffff_ffff))
    }
}
