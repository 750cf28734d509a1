import Lifecycle
import Testing

@testable import ConnectRuntime

/// Many workers, a coordinator and a topic as values, driven by a seed: never do two write at once.
@Suite struct ClusterSimulationTests {
    @Test(arguments: (0 as UInt64)..<60) func `two never write at once`(seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<4_000 {
            world.step()
            let writers = world.workers.indices.filter { world.writes($0) }
            #expect(writers.count <= 1, "seed \(seed) at \(world.now): \(writers)")
            if writers.count > 1 { return }
        }
        #expect(world.leads > 0, "seed \(seed): nobody ever led")
    }
}

/// One machine with what its shell would hold.
private struct Actor {
    var machine: ClusterMachine
    var isAlive = true
    /// A stopped process does nothing until then.
    var asleepUntil = Duration.zero
    var wasAsleep: Bool { asleepUntil > .zero && lastBeat < asleepUntil }
    /// Its work goes on until it is stopped or its lease is over.
    var isWorking = false
    /// Cancelled tasks may finish a write.
    var lingersUntil = Duration.zero
    var inbox: [ClusterMachine.Event] = []
    /// Steps under way, done when due.
    var pending: (due: Duration, step: ClusterMachine.Step, expecting: ClusterRecord?)?
    var lastBeat = Duration.zero
    var isMember = false
}

private struct World {
    var random: SplitMix64
    var now = Duration.zero
    var workers: [Actor] = []
    var topic: ClusterRecord?
    /// The coordinator: members with the time of their last sign, the owner, and when a round ends.
    var members: [Int: (member: ClusterMember, heard: Duration)] = [:]
    var owner: Int?
    var roundEnds: Duration?
    /// A round has ended: what it decided outlives the coordinator.
    var isDecided = false
    var transactions = 0
    var holder: Int?
    var leads = 0
    private let session = Duration.seconds(10)

    init(seed: UInt64) {
        random = SplitMix64(seed)
        for index in 0..<3 {
            workers.append(Actor(machine: ClusterMachine(.init(), Self.member(index, 0), record: nil) { _ in false }))
        }
    }
    static func member(_ index: Int, _ run: Int) -> ClusterMember {
        ClusterMember(workerID: "w\(index)", url: "http://w\(index)", run: "\(index)-\(run)", place: nil)
    }
    private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
    private mutating func delay(_ most: Int) -> Duration { .milliseconds(Int.random(in: 1...most, using: &random)) }

    /// Whether a worker may have a write under way: tasks are cancelled within the margin.
    func writes(_ index: Int) -> Bool {
        let worker = workers[index]
        guard worker.isAlive, now >= worker.asleepUntil else { return false }
        if now < worker.lingersUntil { return true }
        return worker.isWorking && worker.machine.leaseEnd.map { now < $0 } ?? false
    }

    mutating func step() {
        now += .milliseconds(Int.random(in: 5...60, using: &random))
        for (index, entry) in members where roundEnds == nil && now - entry.heard > session { drop(index) }
        if let end = roundEnds, now >= end { finishRound() }
        for index in workers.indices where workers[index].isAlive && now >= workers[index].asleepUntil {
            beat(index)
            act(index)
        }
        if chance(400) { disturb(Int.random(in: 0..<workers.count, using: &random)) }
    }
    private mutating func disturb(_ index: Int) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: workers[index].asleepUntil = now + .seconds(Int.random(in: 1...15, using: &random))
        case 1:  // killed, and started again at once
            let run = Int.random(in: 100...1_000_000, using: &random)
            workers[index] = Actor(
                machine: ClusterMachine(.init(), Self.member(index, run), record: topic) { _ in false }
            )
        default:  // another broker takes the group over, and knows only what was decided
            guard !isDecided else { return }
            members = [:]
            (owner, roundEnds) = (nil, nil)
            for other in workers.indices {
                workers[other].isMember = false
                workers[other].inbox.append(.heard(since: nil, isSteady: false, isJoining: false))
            }
        }
    }
    private mutating func drop(_ index: Int) {
        members[index] = nil
        if owner == index { owner = nil }
        if members.isEmpty { isDecided = false }
        startRound()
    }
    private mutating func startRound() { roundEnds = roundEnds ?? now + .seconds(3) }
    private mutating func finishRound() {
        roundEnds = nil
        isDecided = !members.isEmpty
        let before = owner
        if owner == nil || members[owner ?? -1] == nil { owner = members.keys.sorted().randomElement(using: &random) }
        for (index, entry) in members {
            members[index]?.heard = now
            guard workers[index].machine.me.run == entry.member.run else { continue }
            workers[index].lastBeat = now
            if owner == index, before != index { workers[index].inbox.append(.owns(true)) }
            workers[index].inbox.append(.heard(since: now, isSteady: true, isJoining: false))
        }
    }
    /// Heartbeats every second outside rounds; an unknown member learns it and joins again.
    private mutating func beat(_ index: Int) {
        let me = workers[index].machine.me
        guard workers[index].isMember else {
            guard case .following = workers[index].machine.phase else { return join(index, if: false) }
            return join(index, if: true)
        }
        guard roundEnds == nil, now - workers[index].lastBeat > .seconds(1) else { return }
        workers[index].lastBeat = now
        if members[index]?.member.run == me.run {
            members[index]?.heard = now
            workers[index].inbox.append(.heard(since: now - .milliseconds(20), isSteady: true, isJoining: false))
        } else {
            workers[index].isMember = false
            workers[index].inbox.append(.lost)
        }
    }
    private mutating func join(_ index: Int, if wanted: Bool) {
        guard wanted || workers[index].machine.leads else { return }
        members[index] = (workers[index].machine.me, now)
        workers[index].isMember = true
        startRound()
    }
    private mutating func act(_ index: Int) {
        if let pending = workers[index].pending, now >= pending.due {
            workers[index].pending = nil
            finish(index, pending.step, expecting: pending.expecting)
        }
        if workers[index].machine.record != topic { workers[index].inbox.append(.record(topic)) }
        for event in workers[index].inbox { workers[index].machine.on(event, now: now) }
        workers[index].inbox = []
        let expecting = workers[index].machine.record
        switch workers[index].machine.next(now: now) {
        case .wait: break
        case .probe: workers[index].pending = (now + delay(80), .probe, nil)
        case .publish(let record):
            holder = index  // registering the transactional id fences all others
            workers[index].pending = (now + delay(300), .publish(record), expecting)
        case .lead:
            leads += 1
            workers[index].isWorking = true
        case .standDown(let why):
            // One that ran out of time in its sleep finds its lease over before it writes.
            if workers[index].isWorking, why.hasPrefix("no heartbeat"), !workers[index].wasAsleep {
                workers[index].lingersUntil = now + .milliseconds(1_500)
            }
            workers[index].isWorking = false
        case .rejoin:
            if members[index]?.member.run == workers[index].machine.me.run { drop(index) }
            workers[index].isMember = false
            let run = Int.random(in: 100...1_000_000, using: &random)
            workers[index].machine.on(.joined(Self.member(index, run)), now: now)
        }
    }
    private mutating func finish(_ index: Int, _ step: ClusterMachine.Step, expecting: ClusterRecord?) {
        switch step {
        case .probe:
            let list = members.values.map(\.member)
            workers[index].inbox.append(.members(list, strangers: 0, at: now))
        case .publish(let record):
            guard holder == index else { return workers[index].inbox.append(.publishFailed(isFenced: true)) }
            guard topic == expecting else { return workers[index].inbox.append(.publishFailed(isFenced: false)) }
            topic = record
            workers[index].inbox.append(.published(record))
        default: break
        }
    }
}
