import Lifecycle
import Logs
import Synchronization

/// Lets one caller in at a time, in order of arrival; what serialises everything about one connector.
final class Lane: Sendable {
    /// What goes on inside.
    struct Work: Sendable {
        /// What a person would call it: `stopping tasks`.
        var stage: String
        var began: ContinuousClock.Instant
        /// Milliseconds since 1970.
        var beganAt: Int64
    }
    private struct State {
        var isTaken = false
        var work: Work?
        var nextTicket = 0
        /// In order of arrival; true lets in, false sends away.
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }
    private let state = Mutex(State())

    /// What goes on inside now; nil when nobody is in.
    var work: Work? { state.withLock { $0.work } }

    /// Runs `body` alone; not reentrant.
    func run<R: Sendable, E: Error>(
        _ stage: String = "bringing tasks in line with the config topic",
        _ body: () async throws(E) -> R
    ) async throws(E) -> R {
        await enter()
        defer { leave() }
        note(stage)
        return try await body()
    }
    /// The same for somebody who does not wait for ever: cancelled while others are in, it throws what they are doing.
    func run<R: Sendable>(
        asking stage: String,
        _ body: () async throws(HerderError) -> R
    ) async throws(HerderError) -> R {
        guard await enterUnlessCancelled() else {
            let work = work
            throw .timeout(
                stage: work?.stage ?? "waiting for its turn",
                since: ISOTime.text(work?.beganAt ?? milliseconds())
            )
        }
        defer { leave() }
        note(stage)
        return try await body()
    }

    private func note(_ stage: String) {
        let work = Work(stage: stage, began: .now, beganAt: milliseconds())
        state.withLock { $0.work = work }
    }
    private func enter() async {
        _ = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            join(nil, continuation)
        }
    }
    private func enterUnlessCancelled() async -> Bool {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                join(ticket, continuation)
            }
        } onCancel: {
            let gone = state.withLock { state in
                state.waiting.firstIndex { $0.ticket == ticket }.map { state.waiting.remove(at: $0).continuation }
            }
            gone?.resume(returning: false)
        }
    }
    /// A ticket is for somebody who may be cancelled; who is already, is sent away before he stands in line.
    private func join(_ ticket: Int?, _ continuation: CheckedContinuation<Bool, Never>) {
        let answer = state.withLock { state -> Bool? in
            if ticket != nil, Task.isCancelled { return false }
            if state.isTaken {
                state.waiting.append((ticket ?? 0, continuation))
                return nil
            }
            state.isTaken = true
            return true
        }
        if let answer { continuation.resume(returning: answer) }
    }
    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            state.work = nil
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: true)
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
