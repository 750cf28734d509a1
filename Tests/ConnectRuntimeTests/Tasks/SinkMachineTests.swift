import ConnectModel
import ConnectSDK
import Lifecycle
import Testing

@testable import ConnectRuntime

@Suite struct SinkMachineTests {
    private var tolerant: SinkTaskMachine.Settings {
        var settings = SinkTaskMachine.Settings()
        settings.tolerance = .all
        settings.flushInterval = .seconds(3)
        return settings
    }

    /// Runs one task over all partitions until everything is there; a failed task is started again.
    private func run(
        _ world: SinkWorld,
        _ settings: SinkTaskMachine.Settings,
        buffers: Bool,
        steps: Int = 20_000
    ) -> Int {
        var restarts = 0
        var actor = SinkActor(world, settings: settings, buffers: buffers)
        actor.machine.on(.assigned(world.partitions), now: world.now)
        for _ in 0..<steps where !(world.isComplete && actor.machine.isIdle) {
            if actor.isEnded {
                restarts += 1
                actor = SinkActor(world, settings: settings, buffers: buffers)
                actor.machine.on(.assigned(world.partitions), now: world.now)
            }
            actor.fetch(Int.random(in: 1...7, using: &world.random))
            actor.advance()
        }
        actor.machine.on(.stop, now: world.now)
        for _ in 0..<100 where !actor.isEnded { actor.advance() }
        return restarts
    }

    @Test(arguments: 1...40) func `nothing is lost when call n fails and passes later`(n: Int) {
        for buffers in [false, true] {
            let world = SinkWorld(unreadable: [3], refused: [7, 8], filtered: [11], seed: UInt64(n))
            world.faults.failCall = n
            #expect(run(world, tolerant, buffers: buffers) == 0, "an outage ends no task")
            #expect(world.isComplete)
            #expect(world.problems.isEmpty, "\(world.problems)")
            #expect(world.letters[world.partitions[0]] == [3, 7, 8])
        }
    }

    @Test(arguments: 1...40) func `nothing is lost when call n fails for good`(n: Int) {
        let world = SinkWorld(unreadable: [3], refused: [7, 8], filtered: [11], seed: UInt64(n))
        (world.faults.failCall, world.faults.verdict) = (n, .fatal)
        _ = run(world, tolerant, buffers: true)
        #expect(world.isComplete)
        #expect(world.problems.isEmpty, "\(world.problems)")
    }

    /// Records in = written + dead letters + filtered, whatever fails, with two tasks that take partitions from each other.
    @Test(arguments: (0 as UInt64)..<30) func `records are conserved under faults and rebalances`(seed: UInt64) {
        let world = SinkWorld(records: 30, unreadable: [2, 20], refused: [5, 6, 25], filtered: [9, 10], seed: seed)
        world.faults.rate = 0.1
        var tasks = (0..<2).map { _ in SinkActor(world, settings: tolerant, buffers: seed % 2 == 0) }
        var owners = world.partitions.map { _ in 0 }
        tasks[0].machine.on(.assigned(world.partitions), now: world.now)
        for _ in 0..<5_000 where !world.isComplete {
            for index in tasks.indices {
                if tasks[index].isEnded {
                    tasks[index] = SinkActor(world, settings: tolerant, buffers: seed % 2 == 0)
                    let own = world.partitions.indices.filter { owners[$0] == index }.map { world.partitions[$0] }
                    if !own.isEmpty { tasks[index].machine.on(.assigned(own), now: world.now) }
                }
                tasks[index].fetch(Int.random(in: 1...5, using: &world.random))
                tasks[index].advance()
            }
            if Int.random(in: 0..<25, using: &world.random) == 0 { move(&tasks, &owners, world) }
            if Int.random(in: 0..<60, using: &world.random) == 0 {
                tasks[Int.random(in: 0..<2, using: &world.random)].machine.on(.stop, now: world.now)
            }
        }
        #expect(world.isComplete, "missing: \(world.partitions.map { world.missing($0, before: 30) })")
        #expect(world.problems.isEmpty, "\(world.problems)")
        for partition in world.partitions {
            #expect(world.letters[partition] == [2, 5, 6, 20, 25])
            let first = (world.durable[partition] ?? []).reduce(into: [Int64]()) {
                if !$0.contains($1) { $0.append($1) }
            }
            #expect(first == first.sorted(), "first arrivals of \(partition) are in order")
        }
    }

    /// One partition changes hands; the new owner gets it when the old one has let go, as the group does it.
    private func move(_ tasks: inout [SinkActor], _ owners: inout [Int], _ world: SinkWorld) {
        let index = Int.random(in: world.partitions.indices, using: &world.random)
        let (old, new) = (owners[index], 1 - owners[index]), partition = world.partitions[index]
        let isLost = Int.random(in: 0..<4, using: &world.random) == 0
        tasks[old].machine.on(.revoked([partition], lost: isLost), now: world.now)
        for _ in 0..<200 where tasks[old].positions[partition] != nil && !tasks[old].isEnded { tasks[old].advance() }
        owners[index] = new
        if !tasks[new].isEnded { tasks[new].machine.on(.assigned([partition]), now: world.now) }
    }

    @Test func `an outage is waited out with partitions paused and the reason told`() {
        let world = SinkWorld(records: 400, seed: 4)
        let actor = SinkActor(world, settings: tolerant)
        actor.machine.on(.assigned(world.partitions), now: .zero)
        for _ in 0..<20 {
            actor.fetch(5)
            actor.advance()
        }
        world.faults.outageUntil = world.now + .seconds(5)
        let before = world.calls
        for _ in 0..<2_000 where !world.isComplete {
            actor.fetch(5)
            actor.advance()
        }
        #expect(world.isComplete)
        #expect(!actor.isEnded)
        #expect(actor.holds > 0, "partitions are paused meanwhile")
        #expect(actor.lastNote?.contains("retrying: call") == true)
        #expect(world.letters.isEmpty, "an outage sends nothing to the dead letter queue")
        #expect(world.calls - before < 120, "back-off: \(world.calls - before) calls")
    }

    @Test func `a limit on retries fails the task`() {
        var settings = tolerant
        settings.retry = RetryPolicy(timeout: .seconds(10))
        let world = SinkWorld()
        world.faults.outageUntil = .seconds(3_600)
        let actor = SinkActor(world, settings: settings)
        for _ in 0..<1_000 where !actor.isEnded { actor.advance() }
        #expect(actor.failure?.verdict == .fatal)
        #expect(actor.failure?.because.contains("errors.retry.timeout") == true)
        #expect(world.now >= .seconds(10) && world.now < .seconds(30))
    }

    @Test func `a refused record fails the task unless errors are tolerated`() {
        var settings = tolerant
        settings.tolerance = .none
        let world = SinkWorld(refused: [7])
        let actor = SinkActor(world, settings: settings)
        actor.machine.on(.assigned(world.partitions), now: .zero)
        for _ in 0..<200 where !actor.isEnded {
            actor.fetch(2)
            actor.advance()
        }
        #expect(actor.failure?.because.contains("errors.tolerance=all") == true)
        #expect(world.problems.isEmpty)
        #expect(
            world.committed.values.allSatisfy { $0 <= 7 },
            "what was delivered before is committed: \(world.committed)"
        )
        #expect(world.committed.values.contains { $0 > 0 })
    }

    @Test func `pause commits, holds and resumes`() {
        let world = SinkWorld(records: 300)
        let actor = SinkActor(world, settings: tolerant)
        actor.machine.on(.assigned(world.partitions), now: .zero)
        for _ in 0..<30 {
            actor.fetch(3)
            actor.advance()
        }
        actor.machine.on(.pause, now: world.now)
        for _ in 0..<50 { actor.advance() }
        #expect(actor.states == [.running, .paused])
        #expect(actor.machine.consumerMode == .hold)
        #expect(world.committed.count == 3)
        let ticks = actor.ticks
        for _ in 0..<50 { actor.advance() }
        #expect(actor.ticks == ticks)
        actor.machine.on(.resume, now: world.now)
        for _ in 0..<2_000 where !world.isComplete {
            actor.fetch(3)
            actor.advance()
        }
        #expect(world.isComplete)
        #expect(actor.states == [.running, .paused, .running])
    }

    @Test func `an idle sink is ticked every second`() {
        let world = SinkWorld(records: 0)
        let actor = SinkActor(world, settings: tolerant)
        actor.machine.on(.assigned(world.partitions), now: .zero)
        while world.now < .seconds(30) { actor.advance() }
        #expect(actor.ticks >= 29 && actor.ticks <= 32)
    }

    @Test func `a stop during an outage ends at the deadline`() {
        let world = SinkWorld()
        let actor = SinkActor(world, settings: tolerant, buffers: true)
        actor.machine.on(.assigned(world.partitions), now: .zero)
        for _ in 0..<12 {
            actor.fetch(3)
            actor.advance()
        }
        world.faults.outageUntil = .seconds(3_600)
        actor.machine.on(.stop, now: world.now)
        let asked = world.now
        for _ in 0..<500 where !actor.isEnded { actor.advance() }
        #expect(actor.isEnded)
        #expect(actor.failure == nil)
        #expect(world.now - asked <= .seconds(6))
        #expect(world.problems.isEmpty)
    }

    @Test func `a revoked partition's records are not put again`() {
        let world = SinkWorld(partitions: 2, records: 10)
        let actor = SinkActor(world, settings: tolerant)
        actor.machine.on(.assigned(world.partitions), now: .zero)
        for _ in 0..<4 { actor.advance() }
        actor.fetch(4)
        actor.fetch(4)
        actor.machine.on(.revoked([world.partitions[0]], lost: false), now: world.now)
        for _ in 0..<40 { actor.advance() }
        #expect(world.durable[world.partitions[0]] == nil)
        #expect(world.durable[world.partitions[1]]?.count == 8)
        #expect(actor.machine.owned == [world.partitions[1]])
    }
}
