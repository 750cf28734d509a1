internal import Synchronization

/// What one reservation costs.
struct SendCost: Equatable {
    var records: Int
    var bytes: Int

    /// librdkafka's own memory for a record, added to its bytes so that the bound is one of real memory.
    static let perRecord = 256

    static let zero = SendCost(records: 0, bytes: 0)
    static func += (a: inout Self, b: Self) {
        a.records += b.records
        a.bytes += b.bytes
    }
}

/// Bounds the records and bytes inside the producer; a sender that finds no room suspends, first come, first served.
final class SendBudget: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Void, KafkaClientError>, Never>
    private struct State {
        var used = SendCost.zero
        var waiters: [(id: Int, cost: SendCost, continuation: Waiter)] = []
        var nextID = 0
        var isClosed = false
    }
    private let state = Mutex(State())
    private let bounds: KafkaSettings.ProducerBounds

    init(_ bounds: KafkaSettings.ProducerBounds) { self.bounds = bounds }

    var used: SendCost { state.withLock { $0.used } }
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Takes room now, or says that there is none.
    ///
    /// Whatever the bounds, one reservation passes when nothing is inside.
    func tryReserve(_ cost: SendCost) -> Bool {
        state.withLock { $0.waiters.isEmpty && take(cost, &$0) }
    }

    func reserve(_ cost: SendCost) async throws(KafkaClientError) {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let settled = state.withLock { state -> Result<Void, KafkaClientError>? in
                    if state.isClosed { return .failure(.closed("sending records")) }
                    if Task.isCancelled { return .failure(.cancelled("sending records")) }
                    if state.waiters.isEmpty, take(cost, &state) { return .success(()) }
                    state.waiters.append((id, cost, waiter))
                    return nil
                }
                if let settled { waiter.resume(returning: settled) }
            }
        } onCancel: {
            let (waiter, woken) = state.withLock { state -> (Waiter?, [Waiter]) in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return (nil, []) }
                let waiter = state.waiters.remove(at: index).continuation
                return (waiter, admit(&state))
            }
            waiter?.resume(returning: .failure(.cancelled("sending records")))
            for next in woken { next.resume(returning: .success(())) }
        }
        try result.get()
    }

    func release(_ cost: SendCost) {
        let woken = state.withLock { state in
            state.used.records -= cost.records
            state.used.bytes -= cost.bytes
            return admit(&state)
        }
        for waiter in woken { waiter.resume(returning: .success(())) }
    }

    /// Nobody gets in any more; waiting senders get `closed`.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: .failure(.closed("sending records"))) }
    }

    private func take(_ cost: SendCost, _ state: inout State) -> Bool {
        let isEmpty = state.used.records == 0
        guard
            !state.isClosed,
            isEmpty
                || (state.used.records + cost.records <= bounds.records
                    && state.used.bytes + cost.bytes <= bounds.bytes)
        else { return false }
        state.used += cost
        return true
    }

    private func admit(_ state: inout State) -> [Waiter] {
        var woken: [Waiter] = []
        while let first = state.waiters.first, take(first.cost, &state) {
            woken.append(state.waiters.removeFirst().continuation)
        }
        return woken
    }
}
