import Synchronization

/// Counts up; made once per task, added to once per batch.
public final class Counter: Sendable {
    private let value = Atomic(0)
    init() {}
    /// Adds `n`, which is not negative.
    public func add(_ n: Int = 1) { value.wrappingAdd(n, ordering: .relaxed) }
    /// The sum so far.
    public var current: Int { value.load(ordering: .relaxed) }
}

/// Goes up and down.
public final class Gauge: Sendable {
    private let bits = Atomic(UInt64(0))
    init() {}
    /// Replaces the value.
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    /// Replaces the value.
    public func set(_ value: Int) { set(Double(value)) }
    /// Moves the value by `difference`, safe against others who move it.
    public func add(_ difference: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + difference).bitPattern
            let (done, seen) = bits.compareExchange(expected: old, desired: new, ordering: .relaxed)
            if done { return }
            old = seen
        }
    }
    /// The value now; 0 at first.
    public var current: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// Sorts observations into buckets.
public final class Histogram: Sendable {
    struct State: Sendable {
        var counts: [Int]
        var sum = 0.0
    }
    let bounds: [Double]
    private let state: Mutex<State>
    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }
    /// Counts one observation in the unit that the metric's name ends in.
    public func observe(_ value: Double) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[index] += 1
            $0.sum += value
        }
    }
    /// Counts a time in seconds.
    public func observe(_ duration: Duration) { observe(duration / .seconds(1)) }
    /// How many observations there were.
    public var count: Int { current.counts.reduce(0, +) }
    /// The sum of all observations.
    public var sum: Double { current.sum }
    var current: State { state.withLock { $0 } }
}
