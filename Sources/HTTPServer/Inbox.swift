internal import Synchronization

/// Complete requests on their way to the one loop that starts their handlers, at most `limit` of which run at a time.
///
/// A channel would do, but a generic type of another module costs a good part of the time of a small request.
final class Inbox: Sendable {
    private typealias Waiter = CheckedContinuation<Exchange?, Never>
    private struct State {
        var queue: [Exchange] = []
        var running = 0
        var isClosed = false
        var waiter: Waiter?

        /// The next request, if its handler may run now.
        mutating func start(limit: Int) -> Exchange? {
            guard !queue.isEmpty, running < limit else { return nil }
            running += 1
            return queue.removeFirst()
        }
        /// Whoever waits, with what there is for it.
        mutating func delivery(limit: Int) -> (waiter: Waiter, exchange: Exchange?)? {
            guard let waiter else { return nil }
            let exchange = start(limit: limit)
            guard exchange != nil || (isClosed && queue.isEmpty) else { return nil }
            self.waiter = nil
            return (waiter, exchange)
        }
    }
    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) {
        precondition(limit > 0, "no handler may run")
        self.limit = limit
    }

    /// False when the inbox is closed; never waits, for libmicrohttpd's thread calls it.
    func put(_ exchange: Exchange) -> Bool {
        let (isTaken, delivery) = state.withLock { state in
            if state.isClosed { return (false, (waiter: Waiter, exchange: Exchange?)?.none) }
            state.queue.append(exchange)
            return (true, state.delivery(limit: limit))
        }
        delivery?.waiter.resume(returning: delivery?.exchange)
        return isTaken
    }
    /// The next request, when one is there and a handler may run; nil once closed and empty, and when cancelled.
    func next() async -> Exchange? {
        if let exchange = state.withLock({ $0.start(limit: limit) }) { return exchange }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let isOver = Task.isCancelled
                let delivery = state.withLock { state in
                    state.waiter = waiter
                    return state.delivery(limit: limit)
                }
                delivery?.waiter.resume(returning: delivery?.exchange)
                if isOver { giveUp() }
            }
        } onCancel: {
            giveUp()
        }
    }
    /// A handler has ended.
    func done() {
        let delivery = state.withLock { state in
            state.running -= 1
            return state.delivery(limit: limit)
        }
        delivery?.waiter.resume(returning: delivery?.exchange)
    }
    /// Takes no more; what is there goes on.
    func close() {
        let delivery = state.withLock { state in
            state.isClosed = true
            return state.delivery(limit: limit)
        }
        delivery?.waiter.resume(returning: delivery?.exchange)
    }
    /// What nobody will handle any more.
    func takeLeft() -> [Exchange] {
        state.withLock { state in
            defer { state.queue = [] }
            return state.queue
        }
    }

    private func giveUp() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}
