import Synchronization

/// Lets one line through per period and tells how many it held back.
///
/// ```swift
/// private let brokerDown = LogLimiter(every: .seconds(10))
/// brokerDown { held in log.warn("Broker unreachable", ["suppressed": held]) }
/// ```
public final class LogLimiter: Sendable {
    private let state = Mutex<(next: ContinuousClock.Instant?, held: Int)>((nil, 0))
    private let period: Duration

    /// At most one line per `period`.
    public init(every period: Duration) { self.period = period }

    /// Runs `body` when a line is due; it gets the number of lines held back since the last one.
    public func callAsFunction(now: ContinuousClock.Instant = .now, _ body: (_ held: LogValue) -> Void) {
        let held: Int? = state.withLock { state in
            if let next = state.next, now < next {
                state.held += 1
                return nil
            }
            defer { state = (now + period, 0) }
            return state.held
        }
        if let held { body(.int(held)) }
    }
}
