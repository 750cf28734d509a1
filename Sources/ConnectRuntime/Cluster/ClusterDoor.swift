import Lifecycle
import Synchronization

/// Between a worker and its membership, which begins only when the topics have been read.
final class ClusterDoor: Sendable {
    private struct State {
        var membership: ClusterMembership?
        /// Records that came before there was a membership; only the newest counts.
        var early: LogRecord?
        var term: Latch?
        var isClosed = false
    }
    /// How long the worker may write.
    let lease = Lease(isUnlimited: false)
    private let state = Mutex(State())
    private let opened = Latch()
    private let ended = Latch()
    private let changed = Channel<Void>(elements: 1)

    /// Takes a record of the cluster topic.
    func take(_ record: LogRecord) {
        let membership = state.withLock { state -> ClusterMembership? in
            if state.membership == nil { state.early = record }
            return state.membership
        }
        membership?.take(record)
    }
    /// The worker takes part from now on.
    func open(_ membership: ClusterMembership) {
        let early = state.withLock { state in
            state.membership = membership
            return state.early
        }
        if let early { membership.take(early) }
        opened.open()
    }
    /// Takes part until ``close()``.
    func run() async {
        defer { ended.open() }
        guard await opened.wait(), let membership = state.withLock({ $0.membership }) else { return }
        await membership.run()
    }
    /// Leaves the group, after the work has ended.
    func close() async {
        let membership = state.withLock { $0.membership }
        membership?.leave()
        opened.open()
        await ended.wait()
    }

    // Terms of the lead

    /// The worker leads.
    func lead() {
        state.withLock { state in if state.term == nil { state.term = Latch() } }
        _ = changed.trySend(())
    }
    /// The worker leads no longer.
    func endTerm() {
        let term = state.withLock { state in
            defer { state.term = nil }
            return state.term
        }
        term?.open()
    }
    /// Waits until the worker leads; nil when `stop` is open.
    ///
    /// The latch opens at ``endTerm()``.
    func nextTerm(until stop: Latch) async -> Latch? {
        while !stop.isOpen {
            if let term = state.withLock({ $0.term }), !term.isOpen { return term }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await stop.wait() }
                group.addTask { [changed] in _ = try? await changed.receive() }
                await group.next()
                group.cancelAll()
            }
        }
        return nil
    }
}
