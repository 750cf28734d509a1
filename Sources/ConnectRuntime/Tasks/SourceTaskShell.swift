import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Logs
import Metrics

private let log = Logger("sluice.task.source")

/// A producer with transactions.
protocol TransactionalOutput: RecordOutput {
    func initialize() async throws(KafkaClientError)
    func begin() async throws(KafkaClientError)
    func commit() async throws(KafkaClientError)
    func abort() async throws(KafkaClientError)
}

/// Carries out what ``SourceTaskMachine`` decides: calls the source on the task's thread, sends, stores positions.
final class SourceTaskShell: Sendable {
    /// What a source task is made of; tests put fakes in.
    struct Parts: Sendable {
        var id: TaskID
        var task: any SourceTask
        var output: any RecordOutput
        var pipeline: SourcePipeline
        var rules: TopicRules?
        var reporter: ErrorReporter
        var offsets: any OffsetStorage
        var topics: any TopicCreator
        var listener: any TaskListener
        var meters: SourceMeters
        var settings: SourceTaskMachine.Settings
        var lease = Lease()
        /// Throws when a newer generation of tasks is due; asked with transactions only.
        var confirmGeneration: (@Sendable () async throws(TaskFailure) -> Void)?
    }
    private enum Event: Sendable {
        case settled(Int, [(index: Int, error: KafkaClientError)])
        case control(SourceTaskMachine.Event)
    }
    private struct Flight: Sendable {
        var id: Int
        var ticket: any RecordTicket
    }

    let parts: Parts
    let board: TaskBoard
    private let mailbox = Mailbox<Event>()
    private let flights: Channel<Flight>
    private let time: TaskTime

    init(_ parts: Parts, _ board: TaskBoard) {
        (self.parts, self.board, time) = (parts, board, board.time)
        flights = Channel(elements: parts.settings.batchesMax * 2 + 2)
    }

    func wake() { mailbox.post(.control(.wake)) }
    func pause() { mailbox.post(.control(.pause)) }
    func resume() { mailbox.post(.control(.resume)) }

    /// Runs until `stop` opens or the task fails; a cancelled run writes nothing more.
    func run(until stop: Latch, paused: Bool) async -> TaskFailure? {
        await withTaskGroup(of: Void.self, returning: TaskFailure?.self) { group in
            let (flights, mailbox) = (flights, mailbox)
            group.addTask(name: "\(parts.id).acks", executorPreference: globalConcurrentExecutor) {
                while let flight = try? await flights.receive() {
                    mailbox.post(.settled(flight.id, await flight.ticket.settled()))
                }
            }
            group.addTask(name: "\(parts.id).stop", executorPreference: globalConcurrentExecutor) {
                if await stop.wait() { mailbox.post(.control(.stop)) }
            }
            let seed = UInt64.random(in: 0...(.max))
            var state = State(machine: SourceTaskMachine(parts.settings, paused: paused, seed: seed))
            let failure = await loop(&state)
            group.cancelAll()
            await group.waitForAll()
            return failure
        }
    }

    private struct State {
        var machine: SourceTaskMachine
        /// The batch that is polled but not sent.
        var polled: SourceBatch?
        /// What of each batch in flight was sent last.
        var sent: [Int: RecordBuffer] = [:]
        /// Records that the brokers refused, to be reported.
        var refused: [Int: [BadRecord]] = [:]
        var nextID = 0
        var topics: Set<String> = []
        var isInitialized = false
        var inTransaction = 0
        /// The positions are in the open transaction: a commit that is tried again does not send them again.
        var arePositionsSent = false
        var tally = TaskTally()
        var pollTimes = WindowStat()
        var transactions = WindowStat()
        var publishedAt = Duration.zero
    }

    private func loop(_ state: inout State) async -> TaskFailure? {
        var isEnded = false
        var failure: TaskFailure?
        while !isEnded, !Task.isCancelled {
            for event in mailbox.drain() { take(event, &state) }
            let step = state.machine.next(now: time.now)
            publish(&state)
            if case .end(let reason) = step {
                (isEnded, failure) = (true, reason)
            } else {
                let outcome = await perform(step, &state)
                state.machine.on(outcome, now: time.now)
                forget(&state)
            }
        }
        await parts.task.stop()
        // Acknowledged or given up by now: what is still inside belongs to positions that were not stored.
        await parts.output.close(timeout: .zero)
        publish(&state)
        return failure
    }

    private func forget(_ state: inout State) {
        guard state.sent.count > state.machine.inFlight.count else { return }
        let kept = Set(state.machine.inFlight.map(\.batch.id))
        state.sent = state.sent.filter { kept.contains($0.key) }
        state.refused = state.refused.filter { kept.contains($0.key) }
    }

    // MARK: Events

    private func take(_ event: Event, _ state: inout State) {
        switch event {
        case .control(let event): state.machine.on(event, now: time.now)
        case .settled(let id, let failures):
            let settlement = judge(id, failures, &state)
            state.machine.on(.settled(id, settlement), now: time.now)
        }
    }

    /// Sorts the failures of a batch: records that never fit, an outage, or the end.
    private func judge(
        _ id: Int,
        _ failures: [(index: Int, error: KafkaClientError)],
        _ state: inout State
    ) -> SourceTaskMachine.Settlement {
        guard let buffer = state.sent[id] else { return .acknowledged }
        parts.meters.written.add(buffer.count - failures.count)
        if failures.isEmpty { parts.meters.bytes.add(buffer.bytes.count) }
        var again: [Int] = []
        var outage: TaskFailure?
        for (index, error) in failures {
            guard error.code == .messageTooLarge || error.number == Self.invalidRecord else {
                let doing = "writing records to topic \"\(buffer.topics[buffer.entries[index].topic])\""
                let failure = error.asTaskFailure(doing: doing)
                guard case .retry = failure.verdict else { return .failed(failure) }
                outage = outage ?? failure
                again.append(index)
                continue
            }
            let cause = RecordError(
                stage: .kafkaProduce,
                className: "org.apache.kafka.clients.producer.KafkaProducer",
                exceptionClass: "org.apache.kafka.common.errors.RecordTooLargeException",
                message: error.reason
            )
            let bad = SourcePipeline.badRecord(cause, buffer, index)
            guard parts.settings.tolerance == .all else {
                parts.reporter.failed(bad)
                return .failed(bad.failure)
            }
            state.refused[id, default: []].append(bad)
        }
        if let outage {
            state.sent[id] = buffer.selecting(again)
            return .unreached(outage)
        }
        return state.refused[id] == nil ? .acknowledged : .refused
    }
    /// INVALID_RECORD: the broker's own check of the record failed.
    private static let invalidRecord: Int32 = 87

    // MARK: Steps

    private func perform(_ step: SourceTaskMachine.Step, _ state: inout State) async -> SourceTaskMachine.Outcome {
        do throws(TaskFailure) {
            switch step {
            case .start: try await start(&state)
            case .poll: return try await poll(&state)
            case .send(let id): return try await send(id, &state)
            case .resend(let id): try await resend(id, &state)
            case .report(let id): try await parts.reporter.report(state.refused[id] ?? [])
            case .store(let positions): try await store(positions, &state)
            case .tell(let positions): try await parts.task.committed(positions)
            case .begin, .abort, .commitTransaction: try await transact(step, &state)
            case .announce(let task):
                state.tally.became(task, now: time.now)
                board.became(task)
                parts.listener.task(parts.id, became: task, trace: nil)
            case .wait(let deadline): await mailbox.wait(until: deadline.map(time.instant))
            case .end: break
            }
            return .done
        } catch {
            if case .retry = error.verdict {
                parts.reporter.retried()
                log.warn("Call failed, will be made again", ["reason": "\(error)"])
            }
            return .failed(error)
        }
    }

    /// A transactional producer is fenced off from its predecessor before the stored positions are read.
    private func start(_ state: inout State) async throws(TaskFailure) {
        if let output = parts.output as? any TransactionalOutput, !state.isInitialized {
            try await parts.confirmGeneration?()
            do throws(KafkaClientError) { try await output.initialize() } catch {
                throw error.asTaskFailure(doing: "starting the transactional producer")
            }
            try await parts.confirmGeneration?()
            state.isInitialized = true
        }
        try await parts.task.start()
    }

    private func poll(_ state: inout State) async throws(TaskFailure) -> SourceTaskMachine.Outcome {
        let start = time.now
        switch try await parts.task.poll() {
        case .idle(let pause): return .idle(pause)
        case .finished: return .finished
        case .batch(let batch):
            let now = time.now
            state.pollTimes.add((now - start) / .milliseconds(1), now: now)
            parts.meters.pollSeconds.observe(now - start)
            state.tally.batch(batch.count, now: now)
            parts.meters.polled.add(batch.count)
            parts.meters.batchRecords.observe(Double(batch.count))
            state.nextID += 1
            state.polled = batch
            let ends = batch.endsTransaction
            return .polled(.init(id: state.nextID, positions: batch.positions, endsTransaction: ends))
        }
    }

    private func send(_ id: Int, _ state: inout State) async throws(TaskFailure) -> SourceTaskMachine.Outcome {
        guard let batch = state.polled else { return .sent(records: 0, bytes: 0) }
        let prepared = parts.pipeline.prepare(batch)
        if let poison = prepared.poison {
            parts.reporter.failed(poison)
            throw poison.failure
        }
        try await parts.reporter.report(prepared.bad)
        let buffer = prepared.buffer
        try await prepareTopics(buffer, &state)
        if !buffer.isEmpty { try await fly(id, buffer) }
        state.polled = nil
        state.sent[id] = buffer
        state.inTransaction += buffer.count
        return .sent(records: buffer.count, bytes: buffer.bytes.count)
    }

    private func resend(_ id: Int, _ state: inout State) async throws(TaskFailure) {
        guard let buffer = state.sent[id] else { return }
        try await fly(id, buffer)
    }

    private func fly(_ id: Int, _ buffer: RecordBuffer) async throws(TaskFailure) {
        // Without a lease another worker may be writing: this one waits, and is cancelled soon.
        guard await parts.lease.pass() else { throw .retry(doing: "sending records", because: "another worker leads") }
        do throws(KafkaClientError) {
            let ticket = try await parts.output.send(buffer)
            // Never full: the machine has fewer batches in flight. Closed or cancelled: nobody acts on it any more.
            try? await flights.send(Flight(id: id, ticket: ticket))
        } catch { throw error.asTaskFailure(doing: "sending \(buffer.count) records") }
    }

    /// Makes topics that the task uses for the first time, by the connector's rules.
    private func prepareTopics(_ buffer: RecordBuffer, _ state: inout State) async throws(TaskFailure) {
        // A batch that only brings a position forward names its topic, but puts nothing into it.
        guard !buffer.isEmpty else { return }
        for topic in buffer.topics where !state.topics.contains(topic) {
            if parts.settings.boundary != nil, topic == (parts.offsets as? any TransactionalOffsetStorage)?.topic {
                throw .fatal(
                    doing: "writing to topic \"\(topic)\"",
                    because: "it keeps this source's offsets. Let the source write to another topic, or name another "
                        + "offsets.storage.topic"
                )
            }
            if let settings = parts.rules?.settings(for: topic) ?? parts.topics.unruled {
                do { try await parts.topics.ensureTopic(topic, settings: settings) } catch {
                    let doing = "making topic \"\(topic)\""
                    if let error = error as? KafkaClientError { throw error.asTaskFailure(doing: doing) }
                    throw .retry(doing: doing, because: "\(error)")
                }
            }
            state.topics.insert(topic)
            parts.listener.task(parts.id, usesTopic: topic)
        }
    }

    private func store(_ positions: [SourcePosition], _ state: inout State) async throws(TaskFailure) {
        guard await parts.lease.pass(), !Task.isCancelled else { return }
        let start = time.now
        do { try await parts.offsets.store(positions, of: parts.id.connector) } catch {
            state.tally.commit(time.now - start, isGood: false, now: time.now)
            throw .retry(doing: "storing \(positions.count) source offsets", because: "\(error)")
        }
        state.tally.commit(time.now - start, isGood: true, now: time.now)
    }

    // MARK: Transactions

    private func transact(_ step: SourceTaskMachine.Step, _ state: inout State) async throws(TaskFailure) {
        guard let output = parts.output as? any TransactionalOutput,
            let offsets = parts.offsets as? any TransactionalOffsetStorage
        else {
            throw .fatal(doing: "writing in transactions", because: "the worker keeps offsets without transactions")
        }
        let start = time.now
        do throws(KafkaClientError) {
            switch step {
            case .begin:
                (state.inTransaction, state.arePositionsSent) = (0, false)
                try await output.begin()
            case .abort: try await output.abort()
            case .commitTransaction(let positions):
                guard !Task.isCancelled else { return }
                if !state.arePositionsSent { try await send(positions, in: output, offsets) }
                state.arePositionsSent = true
                try await output.commit()
                await offsets.committed(positions, of: parts.id.connector)
                state.transactions.add(Double(state.inTransaction), now: time.now)
                state.tally.commit(time.now - start, isGood: true, now: time.now)
            default: break
            }
        } catch {
            state.tally.commit(time.now - start, isGood: false, now: time.now)
            // All is sent and only the broker's word is missing: the same commit is asked for again.
            if state.arePositionsSent, error.isRetriable, !error.isFatal, !error.requiresAbort {
                throw error.asTaskFailure(doing: "committing a transaction")
            }
            // Once part of a transaction may be lost, only reading again from the stored positions is sure.
            throw .fatal(
                doing: "writing a transaction",
                because: "\(error). Restart the task: it goes on where the last "
                    + "complete transaction ended"
            )
        }
    }

    /// The positions, in the transaction of the records that they stand behind.
    private func send(
        _ positions: [SourcePosition],
        in output: any TransactionalOutput,
        _ offsets: any TransactionalOffsetStorage
    ) async throws(KafkaClientError) {
        guard !positions.isEmpty else { return }
        let buffer: RecordBuffer
        do { buffer = try await offsets.encoded(positions, of: parts.id.connector) } catch {
            throw KafkaClientError(code: .invalidState, reason: "encoding offsets: \(error)")
        }
        if let failure = await (try output.send(buffer)).settled().first { throw failure.error }
    }

    private func publish(_ state: inout State) {
        let now = time.now, machine = state.machine
        let outage = (parts.output as? KafkaOutput)?.outage.map { "producing: \($0)" }
        board.update(
            note: machine.note(now: now) ?? (machine.inFlight.isEmpty ? nil : outage),
            bufferedRecords: machine.recordsInFlight,
            bufferedBytes: machine.bytesInFlight,
            read: parts.meters.polled.current,
            total: machine.deliveredRecords,
            failed: parts.reporter.reported,
            isIdle: machine.isIdle,
            lastProgress: machine.lastProgress
        )
        parts.meters.active.set(machine.recordsInFlight, now: now)
        guard now - state.publishedAt >= .seconds(1) else { return }
        state.publishedAt = now
        state.tally.show(board.meters, now: now)
        parts.meters.pollAverage.set(state.pollTimes.average(now: now))
        parts.meters.pollMax.set(state.pollTimes.maximum(now: now))
        parts.meters.transactionAverage.set(state.transactions.average(now: now))
        parts.meters.transactionMax.set(state.transactions.maximum(now: now))
        parts.meters.transactionMin.set(state.transactions.minimum(now: now))
    }
}
