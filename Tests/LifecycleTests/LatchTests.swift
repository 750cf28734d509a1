import Testing

@testable import Lifecycle

@Suite struct LatchTests {
    @Test func opensForAllAndStaysOpen() async {
        let latch = Latch()
        #expect(!latch.isOpen)
        async let first = latch.wait()
        async let second = latch.wait()
        await ChannelTests.until { latch.waiting == 2 }
        latch.open()
        latch.open()
        #expect(await first)
        #expect(await second)
        #expect(await latch.wait())
        #expect(latch.isOpen && latch.waiting == 0)
    }

    @Test func cancelledWaitReturnsFalse() async {
        let latch = Latch()
        let waiter = Task { await latch.wait() }
        await ChannelTests.until { latch.waiting == 1 }
        waiter.cancel()
        #expect(await waiter.value == false)
        #expect(latch.waiting == 0)
    }

    @Test func pauseEndsEarlyOrOnTime() async {
        let latch = Latch()
        #expect(await latch.wait(for: .milliseconds(1)) == false)
        #expect(await latch.wait(for: .zero) == false)
        async let long = latch.wait(for: .seconds(3_600))
        await ChannelTests.until { latch.waiting == 1 }
        latch.open()
        #expect(await long)
        #expect(await latch.wait(for: .seconds(3_600)))
    }

    @Test func cancellationByLatch() async throws {
        let latch = Latch()
        #expect(try await withCancellation(by: latch) { 7 } == 7)
        #expect(latch.waiting == 0)
        struct Broken: Error {}
        await #expect(throws: Broken.self) { try await withCancellation(by: latch) { throw Broken() } }
        let (started, inner) = (Latch(), Latch())
        let task = Task {
            try await withCancellation(by: latch) {
                started.open()
                return await inner.wait()
            }
        }
        await started.wait()
        latch.open()
        #expect(try await task.value == false)
    }
}

@Suite struct BackoffTests {
    @Test func growsToTheCapWithoutJitter() {
        let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1), jitter: 0)
        #expect(
            (0..<6).map { backoff.delay(attempt: $0) } == [100, 200, 400, 800, 1_000, 1_000].map { .milliseconds($0) }
        )
    }
    @Test func anyAttemptIsSafe() {
        let backoff = Backoff(initial: .seconds(1), maximum: .seconds(60))
        for attempt in [-1, 0, 1, 100, 5_000, Int.max] {
            let delay = backoff.delay(attempt: attempt)
            #expect(delay > .zero && delay <= .seconds(60))
        }
        #expect(Backoff(initial: .zero, maximum: .seconds(1)).delay(attempt: .max) == .zero)
        let flat = Backoff(initial: .seconds(2), maximum: .seconds(9), factor: 1, jitter: 0)
        #expect(flat.delay(attempt: .max) == .seconds(2))
        #expect(Backoff(initial: .seconds(9), maximum: .seconds(2), jitter: 0).delay(attempt: 0) == .seconds(2))
    }
    @Test(arguments: (0 as UInt64)..<50) func jitterStaysInItsBand(seed: UInt64) {
        let backoff = Backoff(initial: .seconds(10), maximum: .seconds(1_000), jitter: 0.2)
        var (first, second) = (SplitMix64(seed), SplitMix64(seed))
        let delay = backoff.delay(attempt: 1, using: &first)
        #expect(delay >= .seconds(16) && delay <= .seconds(24))
        #expect(delay == backoff.delay(attempt: 1, using: &second), "the same seed gives the same pause")
    }
}
