import ConnectSDK
import Lifecycle
import Testing

@testable import ConnectRuntime

/// A finite source, a topic and an offset store in memory, and faults.
private final class SourceWorld {
    let records: Int
    let tooLarge: Set<Int>
    let filtered: Set<Int>
    var failCall = 0
    var rate = 0.0
    var verdict: TaskFailure.Verdict = .retry(after: nil)
    var random: SplitMix64
    var calls = 0
    var now = Duration.zero
    var topic: [Int] = []
    var letters: Set<Int> = []
    var stored = 0
    var told = 0
    var problems: [String] = []

    init(records: Int = 60, tooLarge: Set<Int> = [], filtered: Set<Int> = [], seed: UInt64 = 1) {
        (self.records, self.tooLarge, self.filtered, random) = (records, tooLarge, filtered, SplitMix64(seed))
    }
    func tick() throws(TaskFailure) {
        calls += 1
        guard calls == failCall || Double.random(in: 0..<1, using: &random) < rate else { return }
        throw TaskFailure(verdict, doing: "call \(calls)", because: "injected")
    }
    func missing(before end: Int) -> [Int] {
        guard end > stored else { return [] }  // looked at when that was stored
        let there = Set(topic)
        return (0..<end).filter { !there.contains($0) && !letters.contains($0) && !filtered.contains($0) }
    }
    func store(_ position: Int) {
        let lost = missing(before: position)
        if !lost.isEmpty { problems.append("stored \(position) while \(lost.prefix(5)) are missing") }
        if position < stored { problems.append("position went back from \(stored) to \(position)") }
        stored = position
    }
}

private final class SourceActor {
    var machine: SourceTaskMachine
    let world: SourceWorld
    var position: Int
    var polled: Range<Int> = 0..<0
    var flying: [(id: Int, records: [Int])] = []
    var refused: [Int: [Int]] = [:]
    /// Written in the open transaction, not visible yet.
    var transaction: [Int]?
    var isEnded = false
    var failure: TaskFailure?
    var states: [TaskState] = []
    var maxInFlight = 0
    private var nextID = 0

    init(_ world: SourceWorld, _ settings: SourceTaskMachine.Settings) {
        (self.world, position) = (world, world.stored)
        machine = SourceTaskMachine(settings, seed: world.random.next())
    }

    /// The broker answers for one of the batches, in any order.
    func acknowledge() {
        guard !flying.isEmpty else { return }
        let flight = flying.remove(at: Int.random(in: flying.indices, using: &world.random))
        let large = flight.records.filter(world.tooLarge.contains)
        do throws(TaskFailure) {
            try world.tick()
            write(flight.records.filter { !world.tooLarge.contains($0) })
            if !large.isEmpty { refused[flight.id] = large }
            machine.on(.settled(flight.id, large.isEmpty ? .acknowledged : .refused), now: world.now)
        } catch {
            resendable[flight.id] = flight.records
            if case .retry = error.verdict {
                machine.on(.settled(flight.id, .unreached(error)), now: world.now)
            } else {
                machine.on(.settled(flight.id, .failed(error)), now: world.now)
            }
        }
    }
    var resendable: [Int: [Int]] = [:]
    private func write(_ records: [Int]) {
        if transaction != nil { transaction? += records } else { world.topic += records }
    }

    func advance() {
        guard !isEnded else { return }
        let step = machine.next(now: world.now)
        maxInFlight = max(maxInFlight, machine.inFlight.count)
        do throws(TaskFailure) { machine.on(try perform(step), now: world.now) } catch {
            machine.on(.failed(error), now: world.now)
        }
    }

    private func perform(_ step: SourceTaskMachine.Step) throws(TaskFailure) -> SourceTaskMachine.Outcome {
        switch step {
        case .start: try world.tick()
        case .poll:
            try world.tick()
            guard position < world.records else { return .finished }
            if Int.random(in: 0..<6, using: &world.random) == 0 { return .idle(.milliseconds(50)) }
            let end = min(world.records, position + Int.random(in: 1...5, using: &world.random))
            polled = position..<end
            position = end
            nextID += 1
            let place = SourcePosition(partition: ["f": .string("x")], offset: ["n": .int(Int64(end))])
            return .polled(.init(id: nextID, positions: [place], endsTransaction: Bool.random(using: &world.random)))
        case .send(let id):
            try world.tick()
            let kept = polled.filter { !world.filtered.contains($0) }
            if !kept.isEmpty { flying.append((id, kept)) }
            return .sent(records: kept.count, bytes: kept.count * 10)
        case .resend(let id):
            try world.tick()
            flying.append((id, resendable[id] ?? []))
        case .report(let id):
            try world.tick()
            world.letters.formUnion(refused[id] ?? [])
        case .store(let positions):
            try world.tick()
            world.store(Int(positions[0].offset?["n"]?.int ?? -1))
        case .tell(let positions): world.told = Int(positions.last?.offset?["n"]?.int ?? -1)
        case .begin:
            try world.tick()
            transaction = []
        case .commitTransaction(let positions):
            try world.tick()
            world.topic += transaction ?? []
            transaction = nil
            if let last = positions.last { world.store(Int(last.offset?["n"]?.int ?? -1)) }
        case .abort: transaction = nil
        case .announce(let state): states.append(state)
        case .wait(let deadline):
            if flying.isEmpty { world.now = max(world.now, deadline ?? world.now) } else { acknowledge() }
        case .end(let failure): (isEnded, self.failure) = (true, failure)
        }
        return .done
    }
}

@Suite struct SourceMachineTests {
    private var tolerant: SourceTaskMachine.Settings {
        var settings = SourceTaskMachine.Settings()
        (settings.tolerance, settings.flushInterval, settings.batchesMax) = (.all, .milliseconds(200), 4)
        return settings
    }

    private func run(
        _ world: SourceWorld,
        _ settings: SourceTaskMachine.Settings
    ) -> (actor: SourceActor, restarts: Int) {
        var restarts = 0
        var actor = SourceActor(world, settings)
        for _ in 0..<20_000 where world.stored < world.records || !actor.machine.isIdle {
            if actor.isEnded {
                restarts += 1
                actor = SourceActor(world, settings)
            }
            if Bool.random(using: &world.random) { actor.acknowledge() }
            actor.advance()
        }
        actor.machine.on(.stop, now: world.now)
        for _ in 0..<200 where !actor.isEnded { actor.advance() }
        return (actor, restarts)
    }

    @Test(arguments: 1...50) func `nothing is lost when call n fails and passes later`(n: Int) {
        let world = SourceWorld(tooLarge: [4, 30], filtered: [7, 8, 9, 10, 59], seed: UInt64(n))
        world.failCall = n
        let (actor, restarts) = run(world, tolerant)
        #expect(restarts == 0)
        #expect(world.problems.isEmpty, "\(world.problems)")
        #expect(world.stored == 60 && world.told == 60, "filtered records count: \(world.stored), \(world.told)")
        #expect(world.letters == [4, 30])
        #expect(actor.maxInFlight <= 4)
    }

    @Test(arguments: (0 as UInt64)..<30) func `records are conserved under faults and restarts`(seed: UInt64) {
        let world = SourceWorld(tooLarge: [5], filtered: [20, 21], seed: seed)
        (world.rate, world.verdict) = (0.04, seed % 2 == 0 ? .fatal : .retry(after: nil))
        _ = run(world, tolerant)
        #expect(world.problems.isEmpty, "\(world.problems)")
        #expect(world.stored == 60)
    }

    @Test(
        arguments: [
            SourceTaskMachine.Boundary.poll, .interval(.milliseconds(300)), .connector,
        ],
        (0 as UInt64)..<10
    )
    func `transactions write each record exactly once`(boundary: SourceTaskMachine.Boundary, seed: UInt64) {
        let world = SourceWorld(filtered: [20, 21], seed: seed)
        (world.rate, world.verdict) = (0.03, .fatal)
        var settings = tolerant
        settings.boundary = boundary
        var actor = SourceActor(world, settings)
        for _ in 0..<20_000 where world.stored < 60 {
            // A connector that never says "end" after its last batch leaves a transaction open: run it again.
            let isStuck = boundary == .connector && actor.machine.isFinished && actor.flying.isEmpty
            if isStuck { actor.machine.on(.stop, now: world.now) }
            if actor.isEnded { actor = SourceActor(world, settings) }
            if Bool.random(using: &world.random) { actor.acknowledge() }
            actor.advance()
        }
        #expect(world.topic.sorted() == (0..<60).filter { !world.filtered.contains($0) })
        #expect(world.problems.isEmpty, "\(world.problems)")
    }

    @Test func `a paused source polls nothing and goes on where it was`() {
        let world = SourceWorld()
        let actor = SourceActor(world, tolerant)
        for _ in 0..<20 { actor.advance() }
        actor.machine.on(.pause, now: world.now)
        for _ in 0..<100 {
            actor.acknowledge()
            actor.advance()
        }
        #expect(actor.states == [.running, .paused])
        let position = actor.position
        for _ in 0..<50 { actor.advance() }
        #expect(actor.position == position)
        #expect(world.stored == position)
        actor.machine.on(.resume, now: world.now)
        for _ in 0..<2_000 where world.stored < 60 { actor.advance() }
        #expect(world.stored == 60)
    }

    @Test func `a stop waits for what is on its way, then stores it`() {
        let world = SourceWorld()
        let actor = SourceActor(world, tolerant)
        for _ in 0..<15 { actor.advance() }
        actor.machine.on(.stop, now: world.now)
        for _ in 0..<100 where !actor.isEnded { actor.advance() }
        #expect(actor.isEnded && actor.failure == nil)
        #expect(world.stored > 0 && world.missing(before: world.stored).isEmpty)
        #expect(world.told == world.stored)
    }

    @Test func `a stop while Kafka is away ends at the deadline and stores only what arrived`() {
        let world = SourceWorld()
        let actor = SourceActor(world, tolerant)
        for _ in 0..<6 { actor.advance() }
        world.rate = 1
        actor.machine.on(.stop, now: world.now)
        let asked = world.now
        for _ in 0..<1_000 where !actor.isEnded { actor.advance() }
        #expect(actor.isEnded)
        #expect(world.now - asked <= .seconds(6))
        #expect(world.problems.isEmpty)
    }

    @Test func `a position that moved on while it was stored stays to be stored`() {
        var list = PositionList()
        let a = SourcePosition(partition: ["f": .string("a")], offset: ["n": .int(1)])
        let b = SourcePosition(partition: ["f": .string("b")], offset: ["n": .int(1)])
        let later = SourcePosition(partition: ["f": .string("a")], offset: ["n": .int(2)])
        list.merge([a, b])
        let stored = list.all
        list.merge([later])
        list.remove(stored)
        #expect(list.all == [later])
    }
}
