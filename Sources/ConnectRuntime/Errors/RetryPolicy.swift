import ConnectSDK
import Lifecycle

/// How long to pause after a failure that passes by itself, and when to stop hoping.
struct RetryPolicy: Sendable, Hashable {
    private let backoff: Backoff
    /// How long the tries may go on; nil for as long as it takes.
    let timeout: Duration?

    init(delayMax: Duration = .seconds(60), timeout: Duration? = nil, jitter: Double = 0.2) {
        let first = min(.milliseconds(300), delayMax)
        backoff = Backoff(initial: first, maximum: delayMax, factor: 2, jitter: jitter)
        self.timeout = timeout
    }
    init(_ errors: ErrorSettings) { self.init(delayMax: errors.retryDelayMax, timeout: errors.retryTimeout) }

    func delay(attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
        backoff.delay(attempt: attempt, using: &random)
    }
}

/// One call that is being tried again.
struct Retry: Sendable, Hashable {
    /// Failures so far.
    var attempts: Int
    /// Time of the first failure.
    var since: Duration
    /// Time of the next try.
    var due: Duration
    var failure: TaskFailure

    /// The state after one more failure; nil when the policy's time is over.
    static func after(
        _ previous: Retry?,
        _ failure: TaskFailure,
        asked: Duration?,
        policy: RetryPolicy,
        now: Duration,
        using random: inout some RandomNumberGenerator
    ) -> Retry? {
        let since = previous?.since ?? now
        let attempts = (previous?.attempts ?? 0) + 1
        let pause = max(asked ?? policy.delay(attempt: attempts - 1, using: &random), .milliseconds(1))
        if let timeout = policy.timeout {
            guard now - since < timeout else { return nil }
            return Retry(attempts: attempts, since: since, due: min(now + pause, since + timeout), failure: failure)
        }
        return Retry(attempts: attempts, since: since, due: now + pause, failure: failure)
    }

    /// What a task ends with when the policy's time is over.
    static func exhausted(_ failure: TaskFailure, policy: RetryPolicy) -> TaskFailure {
        let time = policy.timeout.map { "\($0 / .seconds(1)) s of errors.retry.timeout" } ?? "time"
        return failure.final("gave up after \(time)")
    }

    /// For status answers: what is failing, how often and for how long.
    func note(now: Duration) -> String {
        let failing = seconds(now - since), next = seconds(max(due - now, .zero))
        return "retrying: \(failure) (attempt \(attempts), failing for \(failing) s, next try in \(next) s)"
    }
    private func seconds(_ time: Duration) -> String {
        let tenths = Int64((time / .milliseconds(100)).rounded())
        return tenths % 10 == 0 || tenths >= 100 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

extension TaskFailure {
    /// The same failure that the runtime will not try again.
    func final(_ why: String) -> TaskFailure {
        TaskFailure(.fatal, doing: doing, because: "\(because) (\(why))")
    }
}
