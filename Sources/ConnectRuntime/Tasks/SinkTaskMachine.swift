import ConnectModel
import ConnectSDK
import Lifecycle

/// Decides what a sink task does next; it has no clock, no I/O and no lock, and times are durations on the caller's clock.
///
/// The shell asks for the ``next(now:)`` step, carries it out, and tells how it ended (``on(_:now:)``); events from
/// outside (batches, rebalances, stop) may be told at any time between steps.
struct SinkTaskMachine: Sendable {
    struct Settings: Sendable {
        var flushInterval: Duration = .seconds(60)
        var tickInterval: Duration = .seconds(1)
        var grace: Duration = .seconds(5)
        var retry = RetryPolicy()
        var tolerance: ErrorTolerance = .none
        /// Batches waiting behind the one in hand.
        var prefetch = 1
    }
    /// A batch as far as decisions go; the shell keeps its records under the same id.
    struct Batch: Sendable, Equatable {
        var id: Int
        /// Per partition the offset of the record after its last one, also when that was left out.
        var ends: [TopicPartition: Int64]
        /// Records for the sink.
        var records: Int
        /// Records that could not be converted and wait to be reported.
        var bad = 0
        /// The failure that ends the task once the records before it are delivered.
        var poison: TaskFailure?
    }
    /// What the consumer does meanwhile.
    enum ConsumerMode: Sendable, Equatable {
        /// Fetch the next batch.
        case fetch
        /// Enough is fetched; nothing for a while.
        case rest
        /// Deliver nothing but stay in the group and tell rebalances: partitions paused, polled all the time.
        case hold
    }
    enum CommitReason: Sendable, Hashable {
        case interval, paused, revoked, stopping, failing
        /// Nothing is put after it for a while or for good.
        var isLast: Bool { self != .interval }
    }
    enum Step: Sendable, Equatable {
        case start
        /// Open these partitions in the sink, then answer the assignment.
        case open([TopicPartition])
        case put(Int)
        /// Bring the bad records of a batch to log and dead letter queue, those of conversion and the sink's `faults`.
        case report(Int, faults: [RecordFault])
        case tick
        /// Ask the sink what of this may be committed, and commit that.
        case commit([TopicPartition: Int64], CommitReason)
        /// Forget these partitions' records, close the opened ones in the sink, answer the group if it asked for them.
        case release([TopicPartition], close: [TopicPartition], answers: Bool)
        case announce(TaskState)
        /// Nothing to do until then, unless an event comes.
        case wait(until: Duration)
        case end(TaskFailure?)
    }
    enum Event: Sendable {
        case polled(Batch)
        case assigned([TopicPartition])
        case revoked([TopicPartition], lost: Bool)
        case commitRequested, pause, resume, stop
        /// The consumer failed for good.
        case consumerFailed(TaskFailure)
    }
    enum Outcome: Sendable {
        case done
        /// Where the sink wants to read on.
        case opened(starts: [TopicPartition: Int64])
        case committed([TopicPartition: Int64])
        /// The sink was ready but Kafka did not take the offsets.
        case commitRefused(TaskFailure)
        case failed(TaskFailure)
    }
    enum Phase: Sendable, Equatable { case new, starting, running, closing, ended }
    struct Hand: Sendable {
        var batch: Batch
        var faults: [RecordFault] = []
        var restIsWritten = false
        var isReported: Bool { batch.bad == 0 && faults.isEmpty }
    }
    enum Rebalance: Sendable {
        case assigned([TopicPartition])
        case revoked([TopicPartition], lost: Bool)
    }

    let settings: Settings
    var random: SplitMix64
    var phase = Phase.new
    var hands: [Hand] = []
    var rebalances: [Rebalance] = []
    var owned: Set<TopicPartition> = []
    var opened: Set<TopicPartition> = []
    var delivered: [TopicPartition: Int64] = [:]
    var committed: [TopicPartition: Int64] = [:]
    var retry: Retry?
    var retrying: Step?
    var current: Step?
    var nextCommit = Duration.zero
    var nextTick = Duration.zero
    /// The group has answered once, be it with nothing.
    var hasJoined = false
    var wantsPause = false
    var isPaused = false
    var isAnnounced = false
    var wantsCommit = false
    /// The commit before the present pause or revocation has been tried.
    var hasTriedCommit = false
    var stopBy: Duration?
    var failure: TaskFailure?
    var lastProgress = Duration.zero
    var deliveredRecords = 0

    init(_ settings: Settings, paused: Bool = false, seed: UInt64 = 0) {
        (self.settings, wantsPause, random) = (settings, paused, SplitMix64(seed))
    }

    /// The group has said what is ours, and all that was read is delivered and committed.
    var isIdle: Bool {
        hasJoined && rebalances.isEmpty && hands.isEmpty && retry == nil
            && delivered.allSatisfy { committed[$0.key] == $0.value }
    }
    var consumerMode: ConsumerMode {
        guard phase == .running else { return .rest }
        if isPaused || retry != nil { return .hold }
        return hands.count <= settings.prefetch ? .fetch : .rest
    }
    /// Why there is no progress at present.
    func note(now: Duration) -> String? { retry?.note(now: now) }

    // MARK: Events

    mutating func on(_ event: Event, now: Duration) {
        switch event {
        case .polled(let batch): hands.append(Hand(batch: batch))
        case .assigned(let partitions): rebalances.append(.assigned(partitions))
        case .revoked(let partitions, let lost): revoked(partitions, lost: lost)
        case .commitRequested: wantsCommit = true
        case .pause: wantsPause = true
        case .resume: wantsPause = false
        case .stop: if stopBy == nil { stopBy = now + settings.grace }
        case .consumerFailed(let failure): close(because: failure, now: now)
        }
    }

    /// Goes before all that waits; assignments that were not carried out yet lose these partitions.
    private mutating func revoked(_ partitions: [TopicPartition], lost: Bool) {
        let gone = Set(partitions)
        rebalances = rebalances.compactMap { rebalance in
            guard case .assigned(let waiting) = rebalance else { return rebalance }
            let left = waiting.filter { !gone.contains($0) }
            return left.isEmpty ? nil : .assigned(left)
        }
        let firstAssigned = rebalances.firstIndex { if case .assigned = $0 { true } else { false } }
        rebalances.insert(.revoked(partitions, lost: lost), at: firstAssigned ?? rebalances.endIndex)
        hasTriedCommit = false
        if case .open = retrying { (retry, retrying) = (nil, nil) }
    }

    mutating func close(because failure: TaskFailure, now: Duration) {
        if self.failure == nil { self.failure = failure }
        if stopBy == nil { stopBy = now + settings.grace }
        if phase == .new || phase == .starting || phase == .running { phase = .closing }
        (retry, retrying, hasTriedCommit) = (nil, nil, false)
    }

    // MARK: Steps

    mutating func next(now: Duration) -> Step {
        let step = decide(now)
        current = step
        return step
    }

    private mutating func decide(_ now: Duration) -> Step {
        if stopBy != nil, phase == .new || phase == .starting || phase == .running {
            phase = phase == .new ? .ended : .closing
            (retry, retrying, hasTriedCommit) = (nil, nil, false)
        }
        switch phase {
        case .new:
            phase = .starting
            (nextCommit, nextTick, lastProgress) = (now + settings.flushInterval, now, now)
            return .start
        case .starting: return announceOutage() ?? again(now) ?? .start
        case .running: return work(now)
        case .closing: return finish(now)
        case .ended: return .end(failure)
        }
    }

    /// The step being retried: a wait until it is due, then the step itself.
    private func again(_ now: Duration) -> Step? {
        guard let retry else { return nil }
        guard now >= retry.due else { return .wait(until: retry.due) }
        if case .commit(_, let reason) = retrying { return commit(reason) ?? .tick }
        return retrying
    }

    /// An outage at the start is shown as one: RUNNING with its reason, not a task that nobody runs.
    private mutating func announceOutage() -> Step? {
        guard retry != nil, !isAnnounced else { return nil }
        isAnnounced = true
        return .announce(.running)
    }

    private mutating func work(_ now: Duration) -> Step {
        if !isAnnounced {
            isAnnounced = true
            isPaused = wantsPause
            return .announce(isPaused ? .paused : .running)
        }
        settle(now)
        guard phase == .running else { return decide(now) }
        if case .revoked(let partitions, let lost) = rebalances.first { return giveUp(partitions, lost: lost) }
        if wantsPause != isPaused { return changePause() }
        if !isPaused, let step = again(now) { return step }
        if case .assigned(let partitions) = rebalances.first, let step = open(partitions, now) { return step }
        if wantsCommit || now >= nextCommit {
            (wantsCommit, nextCommit) = (false, now + settings.flushInterval)
            if let step = commit(.interval) { return step }
        }
        if isPaused { return .wait(until: nextCommit) }
        if let hand = hands.first {
            return hand.isReported ? .put(hand.batch.id) : .report(hand.batch.id, faults: hand.faults)
        }
        return now >= nextTick ? .tick : .wait(until: min(nextTick, nextCommit))
    }

    /// While the task is paused a failing open waits for its time without holding up the rest.
    private func open(_ partitions: [TopicPartition], _ now: Duration) -> Step? {
        if case .open = retrying, let retry, now < retry.due { return nil }
        return .open(partitions)
    }

    /// Batches at the front that are where they belong.
    private mutating func settle(_ now: Duration) {
        while let hand = hands.first, hand.isReported, hand.restIsWritten || hand.batch.records == 0 {
            arrived(now)
            if let poison = hand.batch.poison {
                close(because: poison, now: now)
                return
            }
        }
    }

    private mutating func changePause() -> Step {
        if wantsPause, !hasTriedCommit, retry == nil {
            hasTriedCommit = true
            if let step = commit(.paused) { return step }
        }
        hasTriedCommit = false
        isPaused = wantsPause
        return .announce(isPaused ? .paused : .running)
    }

    private mutating func giveUp(_ partitions: [TopicPartition], lost: Bool) -> Step {
        if !lost, !hasTriedCommit {
            hasTriedCommit = true
            if let step = commit(.revoked, only: Set(partitions)) { return step }
        }
        return .release(partitions, close: partitions.filter(opened.contains), answers: true)
    }

    /// Commit, close, end; what cannot be committed before the deadline is read again by the next owner.
    private mutating func finish(_ now: Duration) -> Step {
        settle(now)
        let isInTime = stopBy.map { now < $0 } ?? true
        if case .revoked(let partitions, true) = rebalances.first {
            return .release(partitions, close: partitions.filter(opened.contains), answers: true)
        }
        if isInTime, let retry {
            guard now >= retry.due else { return .wait(until: min(retry.due, stopBy ?? retry.due)) }
            if let step = commit(failure == nil ? .stopping : .failing) { return step }
        }
        if isInTime, !hasTriedCommit {
            hasTriedCommit = true
            if let step = commit(failure == nil ? .stopping : .failing) { return step }
        }
        (retry, retrying) = (nil, nil)
        let left = owned.union(opened).sorted()
        if !left.isEmpty { return .release(left, close: left.filter(opened.contains), answers: false) }
        phase = .ended
        return .end(failure)
    }

    /// What has been delivered since the last commit; nil when that is nothing.
    private func commit(_ reason: CommitReason, only: Set<TopicPartition>? = nil) -> Step? {
        let due = delivered.filter { partition, offset in
            committed[partition] != offset && only?.contains(partition) ?? true
        }
        return due.isEmpty ? nil : .commit(due, reason)
    }
}
