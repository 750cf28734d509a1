import ConnectModel
import ConnectSDK
import Lifecycle

@testable import ConnectRuntime

/// A topic, a group and a target in memory, and faults: what the sink machine is run against, in virtual time.
final class SinkWorld {
    struct Faults {
        /// The number of the call that fails, once; 0 for none.
        var failCall = 0
        /// Each call fails with this probability.
        var rate = 0.0
        var verdict: TaskFailure.Verdict = .retry(after: nil)
        /// Every call fails before this time: an outage.
        var outageUntil = Duration.zero
    }
    let partitions: [TopicPartition]
    let recordsPerPartition: Int64
    /// Offsets that cannot be converted, and that the sink refuses, in every partition.
    let unreadable: Set<Int64>
    let refused: Set<Int64>
    let filtered: Set<Int64>
    var faults = Faults()
    var random: SplitMix64
    var calls = 0
    var now = Duration.zero

    var committed: [TopicPartition: Int64] = [:]
    /// What the target has for good, in order of arrival.
    var durable: [TopicPartition: [Int64]] = [:]
    var letters: [TopicPartition: Set<Int64>] = [:]
    var problems: [String] = []
    private var there: [TopicPartition: Set<Int64>] = [:]
    /// Known to be complete up to here.
    private var floor: [TopicPartition: Int64] = [:]
    private var left: Int

    init(
        partitions: Int = 3,
        records: Int64 = 40,
        unreadable: Set<Int64> = [],
        refused: Set<Int64> = [],
        filtered: Set<Int64> = [],
        seed: UInt64 = 1
    ) {
        self.partitions = (0..<Int32(partitions)).map { TopicPartition("t", $0) }
        (recordsPerPartition, self.unreadable, self.refused) = (records, unreadable, refused)
        (self.filtered, random) = (filtered, SplitMix64(seed))
        left = partitions * (Int(records) - filtered.count { $0 < records })
    }

    /// Every record is written, a dead letter, or filtered.
    var isComplete: Bool { left == 0 }

    func missing(_ partition: TopicPartition, before end: Int64) -> [Int64] {
        (floor[partition, default: 0]..<max(end, floor[partition, default: 0])).filter {
            !(there[partition]?.contains($0) ?? false) && !filtered.contains($0)
        }
    }
    func write(_ partition: TopicPartition, _ offset: Int64) {
        durable[partition, default: []].append(offset)
        arrived(partition, offset)
    }
    func letter(_ partition: TopicPartition, _ offset: Int64) {
        letters[partition, default: []].insert(offset)
        arrived(partition, offset)
    }
    private func arrived(_ partition: TopicPartition, _ offset: Int64) {
        if there[partition, default: []].insert(offset).inserted { left -= 1 }
    }

    func tick() throws(TaskFailure) {
        calls += 1
        let fails =
            calls == faults.failCall || now < faults.outageUntil
            || Double.random(in: 0..<1, using: &random) < faults.rate
        if fails { throw TaskFailure(faults.verdict, doing: "call \(calls)", because: "injected") }
    }

    /// The rule that must always hold: nothing before a committed offset is missing.
    func commit(_ offsets: [TopicPartition: Int64]) {
        for (partition, offset) in offsets {
            let lost = missing(partition, before: offset)
            if !lost.isEmpty {
                problems.append("committed \(offset) of \(partition) while \(lost.prefix(5)) are missing")
            }
            committed[partition] = offset
            if lost.isEmpty { floor[partition] = max(floor[partition, default: 0], offset) }
        }
    }
}

/// One task over the world: interprets the machine's steps without threads.
final class SinkActor {
    struct Held {
        var records: [(TopicPartition, Int64)]
        var bad: [(TopicPartition, Int64)]
    }
    var machine: SinkTaskMachine
    let world: SinkWorld
    var positions: [TopicPartition: Int64] = [:]
    var held: [Int: Held] = [:]
    /// Put but not flushed.
    var buffer: [(TopicPartition, Int64)] = []
    let buffers: Bool
    var nextID = 0
    var isEnded = false
    var failure: TaskFailure?
    var states: [TaskState] = []
    var ticks = 0
    var holds = 0
    var lastNote: String?

    init(_ world: SinkWorld, settings: SinkTaskMachine.Settings, buffers: Bool = false, paused: Bool = false) {
        (self.world, self.buffers) = (world, buffers)
        machine = SinkTaskMachine(settings, paused: paused, seed: world.random.next())
    }

    func fetch(_ most: Int) {
        guard machine.consumerMode == .fetch, !positions.isEmpty else { return }
        var records: [(TopicPartition, Int64)] = [], bad: [(TopicPartition, Int64)] = []
        var ends: [TopicPartition: Int64] = [:]
        for partition in positions.keys.sorted() {
            let start = positions[partition] ?? 0
            let end = min(world.recordsPerPartition, start + Int64(most))
            guard start < end else { continue }
            for offset in start..<end where !world.filtered.contains(offset) {
                if world.unreadable.contains(offset) {
                    bad.append((partition, offset))
                } else {
                    records.append((partition, offset))
                }
            }
            (ends[partition], positions[partition]) = (end, end)
        }
        guard !ends.isEmpty else { return }
        nextID += 1
        held[nextID] = Held(records: records, bad: bad)
        machine.on(
            .polled(.init(id: nextID, ends: ends, records: records.count, bad: bad.count)),
            now: world.now
        )
    }

    /// One step; time moves on when there is nothing else to do.
    func advance() {
        guard !isEnded else { return }
        let step = machine.next(now: world.now)
        lastNote = machine.note(now: world.now) ?? lastNote
        if machine.consumerMode == .hold { holds += 1 }
        do throws(TaskFailure) { machine.on(try perform(step), now: world.now) } catch {
            machine.on(.failed(error), now: world.now)
        }
        held = held.filter { id, _ in machine.hands.contains { $0.batch.id == id } }
    }

    private func perform(_ step: SinkTaskMachine.Step) throws(TaskFailure) -> SinkTaskMachine.Outcome {
        switch step {
        case .start: try world.tick()
        case .open(let partitions):
            try world.tick()
            for partition in partitions { positions[partition] = world.committed[partition] ?? 0 }
        case .put(let id): try put(id)
        case .report(let id, let faults): try report(id, faults)
        case .tick:
            try world.tick()
            ticks += 1
        case .commit(let offsets, _): return try commit(offsets)
        case .release(let partitions, _, _): release(Set(partitions))
        case .announce(let state): states.append(state)
        case .wait(let deadline): world.now = max(world.now, deadline)
        case .end(let failure): (isEnded, self.failure) = (true, failure)
        }
        return .done
    }

    private func put(_ id: Int) throws(TaskFailure) {
        try world.tick()
        let records = held[id]?.records ?? []
        let faults = records.indices.filter { world.refused.contains(records[$0].1) }
            .map { RecordFault(index: $0, kind: "refused", reason: "never") }
        let restIsWritten = Bool.random(using: &world.random)
        if faults.isEmpty || restIsWritten {
            write(records.filter { !world.refused.contains($0.1) })
        }
        if !faults.isEmpty {
            throw TaskFailure(.badRecords(faults, restIsWritten: restIsWritten), doing: "writing", because: "bad")
        }
    }

    private func write(_ records: [(TopicPartition, Int64)]) {
        if buffers { return buffer += records }
        for (partition, offset) in records { world.write(partition, offset) }
    }

    private func report(_ id: Int, _ faults: [RecordFault]) throws(TaskFailure) {
        try world.tick()
        let bad = (held[id]?.bad ?? []) + faults.compactMap { held[id]?.records[$0.index] }
        for (partition, offset) in bad { world.letter(partition, offset) }
        held[id]?.bad = []
        let gone = Set(faults.map(\.index))
        let kept = (held[id]?.records ?? []).enumerated().filter { !gone.contains($0.offset) }.map(\.element)
        held[id]?.records = kept
    }

    private func commit(_ offsets: [TopicPartition: Int64]) throws(TaskFailure) -> SinkTaskMachine.Outcome {
        try world.tick()  // the flush
        for (partition, offset) in buffer { world.write(partition, offset) }
        buffer = []
        world.calls += 1
        if world.calls == world.faults.failCall {
            return .commitRefused(.retry(doing: "committing", because: "injected"))
        }
        world.commit(offsets)
        return .committed(offsets)
    }

    private func release(_ gone: Set<TopicPartition>) {
        positions = positions.filter { !gone.contains($0.key) }
        buffer.removeAll { gone.contains($0.0) }
        for id in held.keys.sorted() {
            guard var batch = held[id] else { continue }
            batch.records.removeAll { gone.contains($0.0) }
            batch.bad.removeAll { gone.contains($0.0) }
            held[id] = batch
            machine.purged(id, records: batch.records.count, bad: batch.bad.count, poison: nil)
        }
    }
}
