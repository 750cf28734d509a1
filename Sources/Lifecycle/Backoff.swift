/// How long to pause before the next try: grows by `factor` from `initial` to `maximum`, each pause moved by a random part
/// so that many tasks hit by one outage do not come back together.
///
/// ```swift
/// let backoff = Backoff(initial: .milliseconds(300), maximum: .seconds(60))
/// if await stop.wait(for: backoff.delay(attempt: failures)) { return }
/// ```
public struct Backoff: Sendable, Hashable {
    /// The pause after the first failure, before jitter.
    public var initial: Duration
    /// No pause is longer, jitter included.
    public var maximum: Duration
    /// How much longer each pause is than the one before it; at least 1.
    public var factor: Double
    /// The random part, 0...1: with 0.2 a pause lies between 80 % and 120 % of its plain length.
    public var jitter: Double

    /// Traps on a negative pause, a `factor` below 1 and a `jitter` outside 0...1.
    public init(initial: Duration, maximum: Duration, factor: Double = 2, jitter: Double = 0.2) {
        precondition(initial >= .zero && maximum >= .zero, "a pause of \(initial)...\(maximum) is negative")
        precondition(factor >= 1 && factor.isFinite, "a factor of \(factor) would shorten the pauses")
        precondition((0...1).contains(jitter), "a jitter of \(jitter) is not a part")
        (self.initial, self.maximum, self.factor, self.jitter) = (initial, maximum, factor, jitter)
    }

    /// The pause after `attempt` earlier failures (0 for the first); any number is safe.
    public func delay(attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
        let (plain, cap) = (seconds(attempt), maximum / .seconds(1))
        guard jitter > 0 else { return min(.seconds(plain), maximum) }
        let moved = plain * Double.random(in: (1 - jitter)...(1 + jitter), using: &random)
        return min(.seconds(min(moved, cap)), maximum)
    }

    /// The same with the system's random numbers.
    public func delay(attempt: Int) -> Duration {
        var random = SystemRandomNumberGenerator()
        return delay(attempt: attempt, using: &random)
    }

    /// Multiplies step by step and stops at the cap, so that neither `pow` (it is in Glibc) nor infinity is met.
    private func seconds(_ attempt: Int) -> Double {
        var (now, cap) = (initial / .seconds(1), maximum / .seconds(1))
        guard factor > 1, now > 0 else { return min(now, cap) }
        var left = attempt
        while left > 0, now < cap {
            now *= factor
            left -= 1
        }
        cap = min(now, cap)
        return cap
    }
}

/// A small seeded generator: the same seed gives the same numbers, for tests and for machines that must be replayable.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Any seed is good.
    public init(_ seed: UInt64) { state = seed }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
