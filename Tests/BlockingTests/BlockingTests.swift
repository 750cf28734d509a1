import Blocking
import Dispatch
import Testing

@Suite struct TaskThreadTests {
    @Test func `nonisolated work of a task runs on its preferred thread, in order`() async {
        let thread = TaskThread(label: "test")
        let sum = await withTaskExecutorPreference(thread) {
            thread.checkIsolated()
            var sum = 0
            for n in 1...3 { sum += await twice(n, on: thread) }
            return sum
        }
        #expect(sum == 12)
    }

    @Test func `a blocking call elsewhere hands its result or error back`() async throws {
        struct Refused: Error {}
        let thread = TaskThread(label: "test")
        #expect(await thread.run { 7 } == 7)
        await #expect(throws: Refused.self) { try await thread.run { () throws(Refused) -> Int in throw Refused() } }
    }

    private func twice(_ n: Int, on thread: TaskThread) async -> Int {
        thread.checkIsolated()
        await Task.yield()
        thread.checkIsolated()
        return n * 2
    }
}
