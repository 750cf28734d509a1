import ConnectSDK
import Lifecycle

/// Decides what a source task does next; it has no clock, no I/O and no lock, and times are durations on the caller's clock.
///
/// Batches are acknowledged in the order in which they were polled: a position becomes committable when all records of
/// its batch and of all batches before it are acknowledged, left out, or in the dead letter queue.
struct SourceTaskMachine: Sendable {
    /// When a transaction ends (`transaction.boundary`).
    enum Boundary: Sendable, Hashable { case poll, interval(Duration), connector }
    struct Settings: Sendable {
        var flushInterval: Duration = .seconds(60)
        var grace: Duration = .seconds(5)
        var retry = RetryPolicy()
        var tolerance: ErrorTolerance = .none
        /// How much may be sent without being acknowledged.
        var batchesMax = 64
        var recordsMax = 100_000
        var bytesMax = 16 << 20
        /// Exactly once: records and positions are written in transactions that end here; nil for at least once.
        var boundary: Boundary?
    }
    /// A polled batch as far as decisions go; the shell keeps its records under the same id.
    struct Batch: Sendable {
        var id: Int
        var positions: [SourcePosition]
        var endsTransaction = false
    }
    enum Step: Sendable, Equatable {
        case start, poll
        /// Transform, convert and send a batch.
        case send(Int)
        /// Send again the records of a batch that Kafka did not take.
        case resend(Int)
        /// Bring a batch's refused records to log and dead letter queue.
        case report(Int)
        case store([SourcePosition])
        /// Tell the source that these are stored.
        case tell([SourcePosition])
        case begin
        case commitTransaction([SourcePosition])
        case abort
        case announce(TaskState)
        case wait(until: Duration?)
        case end(TaskFailure?)
    }
    /// What became of a batch at the brokers.
    enum Settlement: Sendable {
        case acknowledged
        /// Some records can never be written; errors are tolerated.
        case refused
        /// Some records may be written later.
        case unreached(TaskFailure)
        case failed(TaskFailure)
    }
    enum Event: Sendable {
        case settled(Int, Settlement)
        case wake, pause, resume, stop
    }
    enum Outcome: Sendable {
        case done
        case polled(Batch)
        case idle(Duration)
        case finished
        /// How many records and bytes of the batch are on their way.
        case sent(records: Int, bytes: Int)
        case failed(TaskFailure)
    }
    enum Phase: Sendable, Equatable { case new, starting, running, closing, ended }
    enum Status: Sendable, Equatable { case flying, acknowledged, refused, unreached, failed }
    struct Entry: Sendable {
        var batch: Batch
        var records: Int
        var bytes: Int
        var status = Status.flying
    }

    let settings: Settings
    var random: SplitMix64
    var phase = Phase.new
    var inFlight: [Entry] = []
    var polled: Batch?
    /// Positions that may be stored, the last of each partition, in order of first appearance.
    var committable = PositionList()
    var untold: [SourcePosition] = []
    var retry: Retry?
    var retrying: Step?
    var current: Step?
    var nextFlush = Duration.zero
    var idleUntil = Duration.zero
    var isFinished = false
    var wantsPause = false
    var isPaused = false
    var isAnnounced = false
    var stopBy: Duration?
    var failure: TaskFailure?
    var hasTriedStore = false
    var transactionSince: Duration?
    var transactionMustEnd = false
    var lastProgress = Duration.zero
    var deliveredRecords = 0

    init(_ settings: Settings, paused: Bool = false, seed: UInt64 = 0) {
        (self.settings, wantsPause, random) = (settings, paused, SplitMix64(seed))
    }

    func note(now: Duration) -> String? { retry?.note(now: now) }
    var recordsInFlight: Int { inFlight.reduce(0) { $0 + $1.records } }
    var bytesInFlight: Int { inFlight.reduce(0) { $0 + $1.bytes } }
    /// The source has nothing now and everything read is acknowledged and stored, or at least waits for nothing else.
    var isIdle: Bool { inFlight.isEmpty && polled == nil && (isFinished || idleUntil > .zero) && retry == nil }
    private var isFull: Bool {
        inFlight.count >= settings.batchesMax || recordsInFlight >= settings.recordsMax
            || bytesInFlight >= settings.bytesMax
    }

    // MARK: Events

    mutating func on(_ event: Event, now: Duration) {
        switch event {
        case .settled(let id, let settlement): settled(id, settlement, now)
        case .wake: idleUntil = now
        case .pause: wantsPause = true
        case .resume: wantsPause = false
        case .stop: if stopBy == nil { stopBy = now + settings.grace }
        }
    }

    private mutating func settled(_ id: Int, _ settlement: Settlement, _ now: Duration) {
        guard let index = inFlight.firstIndex(where: { $0.batch.id == id }) else { return }
        switch settlement {
        case .acknowledged:
            inFlight[index].status = .acknowledged
            lastProgress = now
        case .refused: inFlight[index].status = .refused
        case .unreached(let failure):
            inFlight[index].status = .unreached
            if retry == nil { plan(.resend(id), failure, nil, now) }
        case .failed(let failure):
            inFlight[index].status = .failed
            close(because: failure, now: now)
        }
    }

    mutating func close(because failure: TaskFailure, now: Duration) {
        if self.failure == nil { self.failure = failure }
        if stopBy == nil { stopBy = now + settings.grace }
        if phase != .ended { phase = .closing }
        (retry, retrying) = (nil, nil)
    }

    mutating func plan(_ step: Step, _ failure: TaskFailure, _ pause: Duration?, _ now: Duration) {
        let after = Retry.after(retry, failure, asked: pause, policy: settings.retry, now: now, using: &random)
        guard let after else { return close(because: Retry.exhausted(failure, policy: settings.retry), now: now) }
        (retry, retrying) = (after, step)
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
            if case .resend = retrying {} else { (retry, retrying) = (nil, nil) }
        }
        switch phase {
        case .new:
            phase = .starting
            (nextFlush, lastProgress) = (now + settings.flushInterval, now)
            return .start
        case .starting: return announceOutage() ?? again(now) ?? .start
        case .running: return work(now)
        case .closing: return finish(now)
        case .ended: return .end(failure)
        }
    }

    private func again(_ now: Duration) -> Step? {
        if let retry, now < retry.due { return .wait(until: retry.due) }
        if let step = resend() { return step }
        return retry == nil ? nil : retrying
    }

    /// Sends again, in order, once nothing is flying any more; otherwise later records would overtake more often.
    private func resend() -> Step? {
        guard let first = inFlight.first(where: { $0.status == .unreached }) else { return nil }
        return inFlight.contains { $0.status == .flying } ? .wait(until: nil) : .resend(first.batch.id)
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
        acknowledge()
        if let refused = inFlight.first(where: { $0.status == .refused }), retry.map({ now >= $0.due }) ?? true {
            return .report(refused.batch.id)
        }
        if let step = again(now) { return step }
        if !untold.isEmpty { return .tell(untold) }
        if wantsPause != isPaused, !wantsPause || polled == nil { return changePause(now) }
        if settings.boundary == nil, !committable.isEmpty, now >= nextFlush || (isFinished && inFlight.isEmpty) {
            nextFlush = now + settings.flushInterval
            return .store(committable.all)
        }
        if let step = transaction(now) { return step }
        if isPaused { return .wait(until: inFlight.isEmpty && committable.isEmpty ? nil : nextFlush) }
        if let polled { return settings.boundary != nil && transactionSince == nil ? .begin : .send(polled.id) }
        if isFull { return .wait(until: committable.isEmpty ? nil : nextFlush) }
        if isFinished || now < idleUntil { return .wait(until: nextWait(now)) }
        return .poll
    }

    private func nextWait(_ now: Duration) -> Duration? {
        var times: [Duration] = isFinished ? [] : [idleUntil]
        if settings.boundary == nil, !committable.isEmpty || !inFlight.isEmpty { times.append(nextFlush) }
        if case .interval(let interval)? = settings.boundary, let since = transactionSince {
            times.append(since + interval)
        }
        return times.min()
    }

    private mutating func changePause(_ now: Duration) -> Step {
        if wantsPause, transactionSince != nil, settings.boundary != .connector {
            transactionMustEnd = true
            if let step = transaction(now) { return step }
        }
        isPaused = wantsPause
        return .announce(isPaused ? .paused : .running)
    }

    /// Moves the acknowledged prefix to what may be stored.
    private mutating func acknowledge() {
        while let first = inFlight.first, first.status == .acknowledged {
            committable.merge(first.batch.positions)
            deliveredRecords += first.records
            inFlight.removeFirst()
        }
    }

    /// The end of a transaction, when it is due; everything in it must have arrived.
    private mutating func transaction(_ now: Duration) -> Step? {
        guard let boundary = settings.boundary, let since = transactionSince else { return nil }
        if case .interval(let interval) = boundary, now >= since + interval { transactionMustEnd = true }
        guard transactionMustEnd else { return nil }
        return inFlight.isEmpty ? .commitTransaction(committable.all) : .wait(until: nil)
    }

    /// Wait for what is on its way, store what is acknowledged, end.
    private mutating func finish(_ now: Duration) -> Step {
        polled = nil
        acknowledge()
        let isInTime = stopBy.map { now < $0 } ?? true
        if isInTime {
            if let refused = inFlight.first(where: { $0.status == .refused }) {
                if let retry, now < retry.due { return .wait(until: min(retry.due, stopBy ?? retry.due)) }
                return .report(refused.batch.id)
            }
            if let step = resend() {
                if let retry, now < retry.due { return .wait(until: min(retry.due, stopBy ?? retry.due)) }
                if case .wait = step { return .wait(until: stopBy) }
                return step
            }
            if inFlight.contains(where: { $0.status == .flying }) { return .wait(until: stopBy) }
        }
        if let step = finishStoring(now, isInTime) { return step }
        phase = .ended
        return .end(failure)
    }

    private mutating func finishStoring(_ now: Duration, _ isInTime: Bool) -> Step? {
        if transactionSince != nil {
            // A transaction holds all or nothing: what is not complete is read again after the next start.
            let isWhole = inFlight.isEmpty && settings.boundary != .connector
            guard failure == nil, isInTime, isWhole || (transactionMustEnd && inFlight.isEmpty) else { return .abort }
            if let retry, now < retry.due { return .wait(until: min(retry.due, stopBy ?? retry.due)) }
            return .commitTransaction(committable.all)
        }
        guard isInTime else { return nil }
        if !committable.isEmpty, settings.boundary == nil {
            if let retry, now < retry.due { return .wait(until: min(retry.due, stopBy ?? retry.due)) }
            if retry != nil || !hasTriedStore {
                hasTriedStore = true
                return .store(committable.all)
            }
        }
        return untold.isEmpty ? nil : .tell(untold)
    }
}

/// The last position of each source partition, in order of first appearance.
struct PositionList: Sendable {
    private(set) var all: [SourcePosition] = []
    private var index: [OffsetMap: Int] = [:]

    var isEmpty: Bool { all.isEmpty }

    mutating func merge(_ positions: [SourcePosition]) {
        for position in positions {
            if let known = index[position.partition] {
                all[known] = position
            } else {
                index[position.partition] = all.count
                all.append(position)
            }
        }
    }

    /// Takes out what has been stored, unless it has moved on since.
    mutating func remove(_ stored: [SourcePosition]) {
        let gone = Set(stored)
        let left = all.filter { !gone.contains($0) }
        self = PositionList()
        merge(left)
    }
}
