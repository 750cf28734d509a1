import Glibc
import Lifecycle
import Synchronization

/// Time since the machine started, time asleep included: a worker that was suspended must know how long.
struct BootClock: Sendable {
    static var now: Duration { time(CLOCK_BOOTTIME) }
    /// librdkafka's clock, which stands still while the machine sleeps.
    static var monotonic: Duration { time(CLOCK_MONOTONIC) }

    private static func time(_ clock: clockid_t) -> Duration {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// How long this worker may write: as long as the group's coordinator surely takes it for alive.
///
/// Tasks look at it before each batch, so that a process that was stopped and goes on does not write first and look later.
public final class Lease: Sendable {
    private struct State {
        var end: Duration?
        var isLimited: Bool
        var renewed = Latch()
    }
    private let state: Mutex<State>

    /// A lease that holds for ever, or one that has not begun.
    public init(isUnlimited: Bool = true) { state = Mutex(State(end: nil, isLimited: !isUnlimited)) }

    /// Whether writing is allowed now.
    public var isValid: Bool {
        state.withLock { state in
            guard state.isLimited else { return true }
            return state.end.map { BootClock.now < $0 } ?? false
        }
    }
    /// Returns true when writing is allowed, at once or once it is again; false when the task was cancelled meanwhile.
    public func pass() async -> Bool {
        while !isValid {
            let renewed = state.withLock { $0.renewed }
            guard await renewed.wait(), !Task.isCancelled else { return false }
        }
        return true
    }
    /// The new end, on ``BootClock``; nil ends it at once.
    func set(_ end: Duration?) {
        let waiters = state.withLock { state -> Latch? in
            let isLonger = end.map { new in state.end.map { $0 < new } ?? true } ?? false
            state.end = end
            guard isLonger else { return nil }
            defer { state.renewed = Latch() }
            return state.renewed
        }
        waiters?.open()
    }
    /// No group limits it any more.
    func unlimit() {
        let waiters = state.withLock { state in
            state.isLimited = false
            return state.renewed
        }
        waiters.open()
    }
}
