import ConnectConfig
import Lifecycle

/// Decides whether a failed task starts again by itself: pure, without clock.
struct RestartMachine: Sendable {
    /// What to do about a failure.
    enum Decision: Sendable, Hashable {
        /// It stays FAILED; the text says why.
        case stay(String)
        /// It starts again after this pause; the text says so.
        case restart(after: Duration, String)
    }
    private(set) var attempts = 0

    /// A task failed after it had run for some time.
    mutating func failed(
        _ rules: WorkerConfig.RestartRules,
        ranFor time: Duration,
        configKey: String?,
        using random: inout some RandomNumberGenerator
    ) -> Decision {
        if let configKey { return .stay("It is not restarted by itself: only a change of \(configKey) helps.") }
        guard rules.mode == .onFailure else { return .stay("") }
        if time >= rules.reset { attempts = 0 }
        if let most = rules.attempts, attempts >= most {
            return .stay(
                "It failed again after \(attempts) automatic restarts and stays down. Restart it when the cause is gone."
            )
        }
        let pause = Backoff(initial: rules.backoff, maximum: rules.backoffMax, jitter: 0.1)
            .delay(attempt: attempts, using: &random)
        attempts += 1
        let count = rules.attempts.map { " of \($0)" } ?? ""
        let seconds = max(1, Int((pause / .seconds(1)).rounded()))
        return .restart(after: pause, "It is restarted by itself in \(seconds) s (attempt \(attempts)\(count)).")
    }
    /// A person or a new config started it: a new chance.
    mutating func reset() { attempts = 0 }
}

extension WorkerConfig.RestartRules {
    /// A connector's own `errors.restart.*` keys over the worker's; values that do not parse were refused before.
    func overridden(by raw: [String: String]) -> Self {
        var rules = self
        func read<V>(_ key: ConfigKey<V>) -> V? { raw[key.name] == nil ? nil : try? key.value(in: raw) }
        if let mode = read(WorkerKeys.restartPolicy) { rules.mode = mode }
        if let pause = read(WorkerKeys.restartBackoff) { rules.backoff = pause }
        if let pause = read(WorkerKeys.restartBackoffMax) { rules.backoffMax = pause }
        if let most = read(WorkerKeys.restartAttempts) { rules.attempts = most < 0 ? nil : most }
        if let time = read(WorkerKeys.restartReset) { rules.reset = time }
        rules.backoffMax = max(rules.backoff, rules.backoffMax)
        return rules
    }
}
