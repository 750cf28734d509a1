import Testing

@testable import ConnectRuntime

/// The machine fed with values: who may start, and who must stop.
@Suite struct ClusterMachineTests {
    private static let me = member(
        "me",
        place: Place(boot: "b", network: "n", port: 1, processes: "p", process: 10, started: 1)
    )
    private static let other = member(
        "other",
        place: Place(boot: "c", network: "n", port: 1, processes: "p", process: 5, started: 1)
    )

    private static func member(_ run: String, place: Place? = nil) -> ClusterMember {
        ClusterMember(workerID: "\(run):8083", url: "http://\(run):8083", run: run, place: place)
    }
    private func lead(of member: ClusterMember?, generation: Int = 4, isConfirmed: Bool = true) -> ClusterRecord {
        ClusterRecord(generation: generation, leader: member, isConfirmed: isConfirmed, epoch: 9)
    }
    private func machine(_ record: ClusterRecord?, dead: Set<String> = []) -> ClusterMachine {
        ClusterMachine(.init(), Self.me, record: record) { dead.contains($0.run) }
    }
    private func seconds(_ number: Double) -> Duration { .seconds(number) }

    /// Has the machine own the partition and ask; then tells who is there.
    private func assigned(
        _ machine: inout ClusterMachine,
        members: [ClusterMember],
        at time: Duration
    ) -> ClusterMachine.Step {
        machine.on(.owns(true), now: time)
        machine.on(.heard(since: time, isSteady: true, isJoining: false), now: time)
        #expect(machine.next(now: time) == .probe)
        machine.on(.members(members, strangers: 0, at: time), now: time)
        return machine.next(now: time)
    }
    /// Makes the machine lead with the group's consent from `time` on.
    private func leading(at time: Duration) -> ClusterMachine {
        var machine = machine(nil)
        guard case .publish(let record) = assigned(&machine, members: [Self.me], at: time) else {
            Issue.record("no claim")
            return machine
        }
        machine.on(.published(record), now: time)
        #expect(machine.next(now: time) == .lead(generation: record.generation))
        return machine
    }

    @Test func `the owner of the partition leads when the last leader has left`() {
        var machine = machine(lead(of: nil))
        let step = assigned(&machine, members: [Self.me, Self.other], at: seconds(1))
        #expect(step == .publish(ClusterRecord(generation: 5, leader: Self.me, isConfirmed: true, epoch: 9)))
        #expect(!machine.leads)
        machine.on(.published(lead(of: Self.me, generation: 5)), now: seconds(1))
        #expect(machine.next(now: seconds(1)) == .lead(generation: 5))
        #expect(machine.leads)
    }
    @Test func `an expelled leader's work is taken over at once`() {
        var machine = machine(lead(of: Self.other))
        guard case .publish = assigned(&machine, members: [Self.me], at: seconds(1)) else {
            Issue.record("no claim")
            return
        }
    }
    @Test func `while the last leader is a member its work is not touched, and the partition is given back`() {
        var machine = machine(lead(of: Self.other))
        let step = assigned(&machine, members: [Self.me, Self.other], at: seconds(1))
        #expect(step == .wait(until: seconds(2)))
        #expect(machine.next(now: seconds(2)) == .rejoin)
        #expect(!machine.leads)
    }
    @Test func `a provisional leader that vanished is waited for a whole session`() {
        var machine = machine(lead(of: Self.other, isConfirmed: false))
        var step = assigned(&machine, members: [Self.me], at: seconds(1))
        var time = seconds(1)
        while time < seconds(10.5) {
            guard case .wait(let until?) = step else {
                Issue.record("\(step) at \(time)")
                return
            }
            time = until
            #expect(machine.next(now: time) == .probe)
            machine.on(.members([Self.me], strangers: 0, at: time), now: time)
            step = machine.next(now: time)
        }
        #expect(time >= seconds(11) || step == .wait(until: seconds(11)))
        while case .wait(let until?) = step {
            time = until
            #expect(machine.next(now: time) == .probe)
            machine.on(.members([Self.me], strangers: 0, at: time), now: time)
            step = machine.next(now: time)
        }
        #expect(time >= seconds(11) && time < seconds(12))
        if case .publish = step {} else { Issue.record("\(step)") }
    }
    @Test func `who is alone need not wait for the group's first round`() {
        var machine = machine(lead(of: Self.other))
        #expect(machine.next(now: seconds(1)) == .probe)
        machine.on(.members([], strangers: 0, at: seconds(1)), now: seconds(1))  // not listed itself yet
        guard case .wait(let again?) = machine.next(now: seconds(1)) else {
            Issue.record("must ask again")
            return
        }
        #expect(machine.next(now: again) == .probe)
        machine.on(.members([Self.me], strangers: 0, at: again), now: again)
        let record = ClusterRecord(generation: 5, leader: Self.me, isConfirmed: false, epoch: 9)
        #expect(machine.next(now: again) == .publish(record))
        machine.on(.published(record), now: again)
        #expect(machine.next(now: again) == .lead(generation: 5))
        // The group's consent is written down.
        machine.on(.owns(true), now: seconds(4))
        machine.on(.heard(since: seconds(4), isSteady: true, isJoining: false), now: seconds(4))
        #expect(machine.next(now: seconds(4)) == .publish(lead(of: Self.me, generation: 5)))
    }
    @Test(arguments: [(1, Set<String>()), (0, Set<String>()), (0, Set(["other"]))])
    func `nobody hurries past somebody who lives`(
        strangers: Int,
        dead: Set<String>
    ) {
        var machine = machine(nil, dead: dead)
        _ = machine.next(now: .zero)
        machine.on(.members([Self.me, Self.other], strangers: strangers, at: .zero), now: .zero)
        let step = machine.next(now: .zero)
        if dead.isEmpty {
            #expect(step == .wait(until: .milliseconds(60)))
        } else if case .publish = step {
            #expect(strangers == 0)
        } else {
            Issue.record("\(step)")
        }
    }
    @Test func `a standby waits for events only`() {
        var machine = machine(lead(of: Self.other))
        machine.on(.heard(since: .zero, isSteady: true, isJoining: false), now: .zero)
        #expect(machine.next(now: .zero) == .wait(until: nil))
        #expect(machine.next(now: seconds(1_000)) == .wait(until: nil))
    }
    @Test func `a claim that came second is taken back`() {
        var machine = machine(lead(of: nil))
        guard case .publish = assigned(&machine, members: [Self.me, Self.other], at: seconds(1)) else {
            Issue.record("no claim")
            return
        }
        machine.on(.record(lead(of: Self.other, generation: 5)), now: seconds(1))
        machine.on(.publishFailed(isFenced: false), now: seconds(1))
        #expect(!machine.leads)
        #expect(machine.next(now: seconds(2)) == .probe)
        machine.on(.members([Self.me, Self.other], strangers: 0, at: seconds(2)), now: seconds(2))
        #expect(machine.next(now: seconds(2)) == .wait(until: seconds(3)))
        #expect(machine.next(now: seconds(3)) == .rejoin)
    }

    // The end of a lead

    @Test func `a leader whose heartbeats are not answered stops before its session is over`() {
        var machine = leading(at: seconds(5))
        #expect(machine.next(now: seconds(12.9)) == .wait(until: seconds(13)))
        guard case .standDown = machine.next(now: seconds(13)) else {
            Issue.record("must stop")
            return
        }
        #expect(!machine.leads)
        #expect(machine.farewell == nil)
        #expect(machine.next(now: seconds(14)) == .rejoin)
        machine.on(.joined(Self.member("me again")), now: seconds(14))
        #expect(machine.next(now: seconds(14)) == .probe)
    }
    @Test func `answered heartbeats keep the lead, and what was heard long ago does not`() {
        var machine = leading(at: seconds(5))
        machine.on(.heard(since: seconds(9), isSteady: true, isJoining: false), now: seconds(10))
        machine.on(.heard(since: seconds(7), isSteady: true, isJoining: false), now: seconds(10))
        #expect(machine.leaseEnd == seconds(17))
        machine.on(.heard(since: seconds(16), isSteady: false, isJoining: true), now: seconds(16))
        #expect(machine.leaseEnd == seconds(17))
    }
    @Test func `a round of joining that takes long does not end the lead of one who is listed`() {
        var machine = leading(at: seconds(5))
        machine.on(.heard(since: seconds(5), isSteady: false, isJoining: true), now: seconds(6))
        var time = seconds(6)
        while time < seconds(30) {
            switch machine.next(now: time) {
            case .probe: machine.on(.members([Self.me], strangers: 0, at: time), now: time)
            case .wait(let until?): time = until
            case let step:
                Issue.record("\(step) at \(time)")
                return
            }
        }
        _ = machine.next(now: time)
        machine.on(.members([], strangers: 0, at: time), now: time)
        if case .standDown = machine.next(now: time) {} else { Issue.record("not listed, must stop") }
    }
    @Test(arguments: [
        ClusterMachine.Event.lost, .record(ClusterRecord(generation: 9, leader: other, isConfirmed: true, epoch: 0)),
        .refused("why"),
    ]) func `what ends a lead stops all work`(event: ClusterMachine.Event) {
        var machine = leading(at: seconds(5))
        machine.on(event, now: seconds(6))
        #expect(!machine.leads)
        if case .standDown = machine.next(now: seconds(6)) {} else { Issue.record("must stop") }
        #expect(machine.next(now: seconds(6)) == .wait(until: seconds(7)))
    }
    @Test func `late words of its own do not confuse a leader`() {
        var machine = leading(at: seconds(5))
        let record = machine.record
        machine.on(.record(lead(of: Self.other, generation: 0)), now: seconds(6))
        machine.on(
            .record(ClusterRecord(generation: 1, leader: Self.me, isConfirmed: false, epoch: 0)),
            now: seconds(6)
        )
        #expect(machine.leads && machine.record == record)
        #expect(machine.farewell?.leader == nil && machine.farewell?.generation == record?.generation)
    }
    @Test func `a refused member says why and tries again`() {
        var machine = machine(nil)
        machine.on(.refused("another protocol"), now: seconds(1))
        #expect(machine.trouble == "another protocol")
        #expect(machine.next(now: seconds(1)) == .wait(until: seconds(6)))
        #expect(machine.next(now: seconds(6)) == .rejoin)
        machine.on(.joined(Self.me), now: seconds(6))
        machine.on(.heard(since: seconds(7), isSteady: true, isJoining: false), now: seconds(7))
        #expect(machine.trouble == nil)
    }
}
