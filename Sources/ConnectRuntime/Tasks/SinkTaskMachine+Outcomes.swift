import ConnectModel
import ConnectSDK

/// How steps ended.
extension SinkTaskMachine {
    mutating func on(_ outcome: Outcome, now: Duration) {
        guard let step = current else { return }
        current = nil
        if case .failed(let failure) = outcome {
            failed(step, failure, now)
            return
        }
        switch step {
        case .wait, .announce, .release, .end: break
        default: (retry, retrying) = (nil, nil)
        }
        switch step {
        case .start: phase = .running
        case .open(let partitions):
            hasJoined = true
            owned.formUnion(partitions)
            opened.formUnion(partitions)
            if case .opened(let starts) = outcome { delivered.merge(starts) { $1 } }
            rebalances.removeFirst()
            lastProgress = now
        case .put(let id):
            nextTick = now + settings.tickInterval
            if let index = hands.firstIndex(where: { $0.batch.id == id }) { hands[index].restIsWritten = true }
        case .report(let id, let faults): reported(id, faults)
        case .tick: nextTick = now + settings.tickInterval
        case .commit(let offsets, let reason): didCommit(outcome, offsets, reason, now)
        case .release(let partitions, _, let answers): released(partitions, answers)
        case .announce, .wait, .end: break
        }
    }

    /// The first batch in hand is where it belongs.
    mutating func arrived(_ now: Duration) {
        let batch = hands.removeFirst().batch
        for (partition, end) in batch.ends where owned.contains(partition) { delivered[partition] = end }
        deliveredRecords += batch.records
        lastProgress = now
    }

    private mutating func reported(_ id: Int, _ faults: [RecordFault]) {
        guard let index = hands.firstIndex(where: { $0.batch.id == id }) else { return }
        hands[index].batch.bad = 0
        hands[index].batch.records -= faults.count
        hands[index].faults = []
    }

    private mutating func didCommit(
        _ outcome: Outcome,
        _ offsets: [TopicPartition: Int64],
        _ reason: CommitReason,
        _ now: Duration
    ) {
        switch outcome {
        case .committed(let accepted):
            for (partition, offset) in accepted where offsets[partition] != nil { committed[partition] = offset }
        case .commitRefused(let failure) where reason == .stopping || reason == .failing:
            // Worth more tries until the deadline; a refusal for good ends them at once.
            if case .retry = failure.verdict { plan(.commit(offsets, reason), failure, nil, now) }
        case .commitRefused: nextCommit = min(nextCommit, now + settings.tickInterval * 5)
        default: break
        }
    }

    private mutating func released(_ partitions: [TopicPartition], _ answers: Bool) {
        let gone = Set(partitions)
        owned.subtract(gone)
        opened.subtract(gone)
        for partition in partitions {
            delivered[partition] = nil
            committed[partition] = nil
        }
        for index in hands.indices {
            hands[index].batch.ends = hands[index].batch.ends.filter { !gone.contains($0.key) }
            // Indexes of faults point into the batch as it was: put again, the sink names them anew.
            if !hands[index].faults.isEmpty { (hands[index].faults, hands[index].restIsWritten) = ([], false) }
        }
        hands.removeAll { $0.batch.ends.isEmpty }
        if let id = retriedBatch, !hands.contains(where: { $0.batch.id == id }) { (retry, retrying) = (nil, nil) }
        if case .report = retrying { (retry, retrying) = (nil, nil) }
        hasTriedCommit = false
        if answers, let index = rebalances.firstIndex(where: { if case .revoked = $0 { true } else { false } }) {
            rebalances.remove(at: index)
        }
    }

    private var retriedBatch: Int? {
        switch retrying {
        case .put(let id)?, .report(let id, _)?: id
        default: nil
        }
    }

    /// The shell has taken the records of partitions that are gone out of a batch.
    mutating func purged(_ id: Int, records: Int, bad: Int, poison: TaskFailure?) {
        guard let index = hands.firstIndex(where: { $0.batch.id == id }) else { return }
        hands[index].batch.records = records
        (hands[index].batch.bad, hands[index].batch.poison) = (bad, poison)
    }

    // MARK: Failures

    private mutating func failed(_ step: Step, _ failure: TaskFailure, _ now: Duration) {
        switch (failure.verdict, step) {
        case (.retry, .commit(_, .revoked)), (.retry, .commit(_, .paused)):
            break  // one try: the partitions must go, the next owner reads again what is not committed
        case (.retry(let pause), _): plan(step, failure, pause, now)
        case (.badRecords(let faults, let restIsWritten), .put(let id)):
            bad(id, faults, restIsWritten, failure, now)
        case (_, .commit(_, .failing)), (_, .commit(_, .stopping)):
            if self.failure == nil { self.failure = failure }
            (retry, retrying) = (nil, nil)
        default: close(because: failure, now: now)
        }
    }

    private mutating func plan(_ step: Step, _ failure: TaskFailure, _ pause: Duration?, _ now: Duration) {
        let after = Retry.after(retry, failure, asked: pause, policy: settings.retry, now: now, using: &random)
        guard let after else { return close(because: Retry.exhausted(failure, policy: settings.retry), now: now) }
        (retry, retrying) = (after, step)
    }

    private mutating func bad(
        _ id: Int,
        _ faults: [RecordFault],
        _ restIsWritten: Bool,
        _ failure: TaskFailure,
        _ now: Duration
    ) {
        (retry, retrying) = (nil, nil)
        guard let index = hands.firstIndex(where: { $0.batch.id == id }) else { return }
        guard settings.tolerance == .all, !faults.isEmpty else {
            let first = faults.first.map { "\($0.kind): \($0.reason)" } ?? failure.because
            close(
                because: .fatal(
                    doing: failure.doing,
                    because: "\(faults.count) record(s) refused, the first: \(first). Set errors.tolerance=all, with "
                        + "errors.deadletterqueue.topic.name to keep such records, or correct the data, then restart the task"
                ),
                now: now
            )
            return
        }
        hands[index].faults = faults
        hands[index].restIsWritten = restIsWritten
    }
}
