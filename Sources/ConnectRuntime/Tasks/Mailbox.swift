import Lifecycle
import Synchronization

/// Events for one reader, who may wait for the next one until a deadline.
///
/// It has no bound of its own: each writer has at most a few events in it, by the protocol between writer and reader.
final class Mailbox<Event: Sendable>: Sendable {
    private struct State {
        var events: [Event] = []
        var wake: Latch?
    }
    private let state = Mutex(State())

    /// From any thread.
    func post(_ event: Event) {
        let wake = state.withLock { state in
            state.events.append(event)
            defer { state.wake = nil }
            return state.wake
        }
        wake?.open()
    }

    /// All events so far, in order.
    func drain() -> [Event] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    /// Returns when there is an event, the deadline has come, or the task is cancelled.
    func wait(until deadline: ContinuousClock.Instant?) async {
        let latch = state.withLock { state -> Latch? in
            guard state.events.isEmpty else { return nil }
            let latch = Latch()
            state.wake = latch
            return latch
        }
        guard let latch else { return }
        guard let deadline else {
            _ = await latch.wait()
            return
        }
        _ = await latch.wait(for: deadline - .now)
    }
}
