import Dispatch

/// A thread that one owner's blocking calls live on, usable as an actor's executor and as a task's preferred executor.
///
/// It is a serial dispatch queue of its own, never a global one: a blocked call holds up only what runs on this thread.
/// As an actor's executor: `nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }`.
/// As a task's: `withTaskExecutorPreference(thread) { … }`, after which nonisolated async functions run here.
public final class TaskThread: SerialExecutor, TaskExecutor {
    private let queue: DispatchQueue

    /// `label` shows in debuggers: `sluice.task.orders-0`.
    public init(label: String) { queue = DispatchQueue(label: label) }

    /// Runs a job of an actor or a task; called by the concurrency runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let serial = unsafe asUnownedSerialExecutor()
        let preferred = unsafe asUnownedTaskExecutor()
        queue.async { unsafe job.runSynchronously(isolatedTo: serial, taskExecutor: preferred) }
    }

    /// Traps when the caller is not on this thread.
    public func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }

    /// Runs `body`, which may block, on this thread later; nobody waits for it.
    public func submit(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }

    /// Runs `body`, which may block, on this thread and waits for it without blocking the caller's thread.
    public func run<R: Sendable, E: Error>(_ body: @escaping @Sendable () throws(E) -> R) async throws(E) -> R {
        let result: Result<R, E> = await withCheckedContinuation { continuation in
            queue.async {
                let result: Result<R, E>
                do throws(E) { result = .success(try body()) } catch { result = .failure(error) }
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }
}
