import ConnectSDK

/// How steps ended.
extension SourceTaskMachine {
    mutating func on(_ outcome: Outcome, now: Duration) {
        guard let step = current else { return }
        current = nil
        if case .failed(let failure) = outcome {
            failed(step, failure, now)
            return
        }
        switch step {
        case .wait, .announce, .end: return
        case .resend(let id): resent(id)
        default:
            // A report may come between: it is no sign that Kafka takes the other batch again.
            if case .resend = retrying {} else { (retry, retrying) = (nil, nil) }
        }
        switch step {
        case .start: phase = phase == .starting ? .running : phase
        case .poll: didPoll(outcome, now)
        case .send(let id): sent(id, outcome, now)
        case .report(let id): reported(id, now)
        case .store(let positions), .commitTransaction(let positions): stored(step, positions)
        case .tell: untold = []
        case .begin: transactionSince = now
        case .abort: (transactionSince, transactionMustEnd) = (nil, false)
        default: break
        }
    }

    private mutating func didPoll(_ outcome: Outcome, _ now: Duration) {
        switch outcome {
        case .polled(let batch): polled = batch
        case .idle(let time): idleUntil = now + time
        case .finished: isFinished = true
        default: break
        }
    }

    private mutating func sent(_ id: Int, _ outcome: Outcome, _ now: Duration) {
        guard let batch = polled, batch.id == id, case .sent(let records, let bytes) = outcome else { return }
        polled = nil
        if inFlight.isEmpty { lastProgress = now }
        let status = records == 0 ? Status.acknowledged : .flying
        inFlight.append(Entry(batch: batch, records: records, bytes: bytes, status: status))
        switch settings.boundary {
        case .poll?: transactionMustEnd = true
        case .connector?: if batch.endsTransaction { transactionMustEnd = true }
        case .interval?, nil: break
        }
    }

    /// More batches may wait to be sent again: they follow without a new pause.
    private mutating func resent(_ id: Int) {
        if let index = inFlight.firstIndex(where: { $0.batch.id == id }) { inFlight[index].status = .flying }
        if let next = inFlight.first(where: { $0.status == .unreached }) {
            retrying = .resend(next.batch.id)
        } else {
            (retry, retrying) = (nil, nil)
        }
    }

    private mutating func reported(_ id: Int, _ now: Duration) {
        guard let index = inFlight.firstIndex(where: { $0.batch.id == id }) else { return }
        inFlight[index].status = .acknowledged
        lastProgress = now
    }

    private mutating func stored(_ step: Step, _ positions: [SourcePosition]) {
        committable.remove(positions)
        untold += positions
        if case .commitTransaction = step { (transactionSince, transactionMustEnd) = (nil, false) }
    }

    private mutating func failed(_ step: Step, _ failure: TaskFailure, _ now: Duration) {
        switch (failure.verdict, step) {
        case (_, .abort): (transactionSince, transactionMustEnd) = (nil, false)
        case (.retry, .store) where phase == .running:
            // Reading and sending go on meanwhile; the positions only grow.
            nextFlush = min(nextFlush, now + .seconds(5))
        case (.retry, .tell) where phase == .closing: untold = []
        case (.retry(let pause), _): plan(step, failure, pause, now)
        case (_, .store) where phase == .closing, (_, .tell) where phase == .closing:
            if self.failure == nil { self.failure = failure }
            (retry, retrying, untold) = (nil, nil, [])
        default: close(because: failure, now: now)
        }
    }
}
