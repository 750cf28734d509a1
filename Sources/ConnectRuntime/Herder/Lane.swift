import Lifecycle
import Logs
import Synchronization

/// Lets one caller in at a time, in order of arrival; what serialises everything about one connector.
final class Lane: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    /// Runs `body` alone; not reentrant.
    func run<R: Sendable, E: Error>(_ body: () async throws(E) -> R) async throws(E) -> R {
        await enter()
        defer { leave() }
        return try await body()
    }
    private func enter() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let passes = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if passes { continuation.resume() }
        }
    }
    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

/// Child tasks that are started from anywhere and end with their owner: nothing runs that nobody waits for.
final class Nursery: Sendable {
    private struct Job: Sendable {
        var name: String
        var body: @Sendable () async -> Void
    }
    private let jobs = Channel<Job>(elements: 1 << 20)

    /// Starts a child; after ``finish()`` it does nothing.
    func start(_ name: String, _ body: @escaping @Sendable () async -> Void) {
        _ = jobs.trySend(Job(name: name, body: body))
    }
    /// Takes no more children; ``run()`` returns when those there are have ended.
    func finish() { jobs.finish() }

    /// Runs the children; cancelling this task cancels them.
    func run() async {
        await withDiscardingTaskGroup { group in
            while let job = try? await jobs.receive() { group.addTask(name: job.name) { await job.body() } }
        }
    }
}
