import ConnectAPI
import Testing

@testable import SluiceCLI

@Suite struct GoalMachineTests {
    private func seen(
        _ state: String = "RUNNING",
        written: Int = 0,
        lag: Int? = nil,
        idle: Bool = true,
        topicsAge: Int? = nil,
        trace: String? = nil
    ) -> GoalMachine.Seen {
        var task = TaskSnapshotBody(id: .init(connector: "a", task: 0), type: "sink", state: state, note: nil)
        (task.recordsWritten, task.lag, task.isIdle, task.topicsAge) = (written, lag, idle, topicsAge)
        let status = ConnectorStatusBody(
            name: "a",
            connector: .init(state: "RUNNING", workerID: "h:1", trace: nil, version: nil),
            tasks: [.init(id: 0, state: state, workerID: "h:1", trace: trace, version: nil)],
            type: "sink"
        )
        return .worker(["a": .init(status: status, info: nil)], [task])
    }

    @Test func `running is reached when every task runs`() {
        var machine = GoalMachine(goal: .running, only: [])
        #expect(machine.on(.nothing("refused"), at: .now) == .wait(nil))
        #expect(machine.on(seen("UNASSIGNED"), at: .now) == .wait("a 0"))
        #expect(machine.on(seen(), at: .now) == .reached)
    }
    @Test func `a failed task ends the wait with its reason`() {
        var machine = GoalMachine(goal: .delivered, only: [])
        #expect(machine.on(seen("FAILED", trace: "no table"), at: .now) == .failed("task a-0 is FAILED: no table"))
    }
    @Test func `delivered needs no lag and two looks without movement`() {
        var machine = GoalMachine(goal: .delivered, only: ["a"])
        #expect(machine.on(seen(written: 5, lag: 3), at: .now) == .wait("a 5, 3 behind"))
        #expect(machine.on(seen(written: 8, lag: 0), at: .now) == .wait("a 8"))
        #expect(machine.on(seen(written: 8, lag: 0), at: .now) == .wait("a 8"))
        #expect(machine.on(seen(written: 8, lag: 0), at: .now) == .reached)
    }
    @Test func `delivered needs a look for topics after all was quiet`() {
        var machine = GoalMachine(goal: .delivered, only: [])
        let start = ContinuousClock.now
        for (time, age) in [(0, 900), (500, 1_400), (1_000, 1_900)] {
            let step = machine.on(seen(written: 8, lag: 0, topicsAge: age), at: start + .milliseconds(time))
            #expect(step == .wait("a 8"))
        }
        let last = machine.on(seen(written: 8, lag: 0, topicsAge: 200), at: start + .milliseconds(1_500))
        #expect(last == .reached)
    }
    @Test func `a connector that is not there yet is waited for`() {
        var machine = GoalMachine(goal: .running, only: ["b"])
        #expect(machine.on(seen(), at: .now) == .wait(""))
    }
}
