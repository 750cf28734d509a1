import Glibc

/// The time on a task's own clock, and the time of day.
struct TaskTime: Sendable {
    private let start = ContinuousClock.now

    /// Since the task began.
    var now: Duration { ContinuousClock.now - start }
    func instant(_ time: Duration) -> ContinuousClock.Instant { start + time }

    /// Milliseconds since 1970.
    static var unix: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
