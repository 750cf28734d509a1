import Synchronization

/// A door that opens once and stays open; anyone may wait for it or look whether it is open.
///
/// ```swift
/// let stop = Latch()
/// if await stop.wait(for: .seconds(3)) { return }   // asked to stop during the pause
/// ```
public final class Latch: Sendable {
    private typealias Waiter = CheckedContinuation<Void, Never>
    private struct State {
        var isOpen = false
        var waiters: [Int: Waiter] = [:]
        var nextID = 0
    }
    private let state = Mutex(State())

    /// A closed latch.
    public init() {}

    /// Whether ``open()`` has been called.
    public var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Wakes all who wait, for good; further calls do nothing.
    public func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns true when the latch is open, false when the waiting task was cancelled first.
    @discardableResult
    public func wait() async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let passes = state.withLock { state in
                    if state.isOpen || Task.isCancelled { return true }
                    state.waiters[id] = waiter
                    return false
                }
                if passes { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
        return isOpen
    }

    /// A pause that ends early when the latch opens: true when it is open, false when `time` is over or the task was
    /// cancelled.
    public func wait(for time: Duration, clock: some Clock<Duration> = ContinuousClock()) async -> Bool {
        if isOpen || time <= .zero { return isOpen }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await clock.sleep(for: time) }
            await group.next()
            group.cancelAll()
        }
        return isOpen
    }

    /// For tests that must know that someone waits.
    var waiting: Int { state.withLock { $0.waiters.count } }
}

/// Runs `body` and cancels it when `latch` opens; returns or throws what `body` does, after it has ended.
public func withCancellation<R: Sendable>(
    by latch: Latch,
    _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    try await withThrowingTaskGroup(of: Outcome<R>.self) { group in
        group.addTask { .done(try await body()) }
        group.addTask { await latch.wait() ? .opened : .idle }
        while let outcome = try await group.next() {
            switch outcome {
            case .opened: group.cancelAll()
            case .idle: continue
            case .done(let result):
                group.cancelAll()
                return result
            }
        }
        throw CancellationError()
    }
}

private enum Outcome<R: Sendable>: Sendable {
    case done(R)
    case opened
    case idle
}
