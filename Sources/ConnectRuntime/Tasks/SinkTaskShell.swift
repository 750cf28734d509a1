import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Logs
import Metrics
import Synchronization

private let log = Logger("sluice.task.sink")

/// Carries out what ``SinkTaskMachine`` decides: calls the sink on the task's thread, talks to Kafka, tells the outside.
final class SinkTaskShell: Sendable {
    /// What a sink task is made of; tests put fakes in.
    struct Parts: Sendable {
        var id: TaskID
        var task: any SinkTask
        var consumer: any SinkConsumer
        var pipeline: SinkPipeline
        var reporter: ErrorReporter
        var listener: any TaskListener
        var meters: SinkMeters
        var settings: SinkTaskMachine.Settings
        var commitTimeout: Duration = .seconds(5)
        var keepAlive: Duration = .seconds(60)
        var lease = Lease()
    }
    enum Event: Sendable {
        case fetched(SinkFetcher.Event)
        case control(SinkTaskMachine.Event)
    }

    let parts: Parts
    let board: TaskBoard
    private let mailbox = Mailbox<Event>()
    private let fetcher: SinkFetcher
    private let time: TaskTime

    init(_ parts: Parts, _ board: TaskBoard) {
        (self.parts, self.board, time) = (parts, board, board.time)
        let mailbox = mailbox
        fetcher = SinkFetcher(parts.consumer, parts.pipeline, keepAlive: parts.keepAlive) {
            mailbox.post(.fetched($0))
        }
    }

    func requestCommit() { mailbox.post(.control(.commitRequested)) }
    func pause() { mailbox.post(.control(.pause)) }
    func resume() { mailbox.post(.control(.resume)) }

    /// Runs until `stop` opens or the task fails; a cancelled run writes nothing more.
    func run(until stop: Latch, paused: Bool) async -> TaskFailure? {
        do throws(KafkaClientError) { try await parts.consumer.subscribe() } catch {
            await parts.consumer.close(timeout: .seconds(1))
            return error.asTaskFailure(doing: "subscribing to the topics", key: "topics").final("at the start")
        }
        return await withTaskGroup(of: Void.self, returning: TaskFailure?.self) { group in
            let (fetcher, mailbox) = (fetcher, mailbox)
            // Not on the task's thread: the sink may block that.
            group.addTask(name: "\(parts.id).fetch", executorPreference: globalConcurrentExecutor) {
                await fetcher.run()
            }
            group.addTask(name: "\(parts.id).stop", executorPreference: globalConcurrentExecutor) {
                if await stop.wait() { mailbox.post(.control(.stop)) }
            }
            var state = State(
                machine: SinkTaskMachine(parts.settings, paused: paused, seed: UInt64.random(in: 0...(.max)))
            )
            let failure = await loop(&state)
            fetcher.end()
            group.cancelAll()
            await group.waitForAll()
            return failure
        }
    }

    private struct State {
        var machine: SinkTaskMachine
        var batches: [Int: SinkPipeline.Prepared] = [:]
        var nextID = 0
        var topics: Set<String> = []
        var trouble: String?
        var tally = TaskTally()
        var putTimes = WindowStat()
        var publishedAt = Duration.zero
    }

    private func loop(_ state: inout State) async -> TaskFailure? {
        var isEnded = false
        var failure: TaskFailure?
        while !isEnded, !Task.isCancelled {
            for event in mailbox.drain() { take(event, &state) }
            let step = state.machine.next(now: time.now)
            fetcher.set(state.machine.consumerMode)
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
        await parts.consumer.close(timeout: Task.isCancelled ? .milliseconds(200) : .seconds(5))
        publish(&state)
        return failure
    }

    private func take(_ event: Event, _ state: inout State) {
        let now = time.now
        switch event {
        case .control(let event): state.machine.on(event, now: now)
        case .fetched(.assigned(let partitions)): state.machine.on(.assigned(partitions), now: now)
        case .fetched(.revoked(let partitions, let lost)):
            state.machine.on(.revoked(partitions, lost: lost), now: now)
        case .fetched(.trouble(let text)): state.trouble = text
        case .fetched(.failed(let error)):
            state.machine.on(.consumerFailed(error.asTaskFailure(doing: "consuming", key: "topics")), now: now)
        case .fetched(.prepared(let prepared)):
            let id = state.nextID
            state.nextID += 1
            state.batches[id] = prepared
            parts.meters.read.add(prepared.source.count)
            parts.meters.batchRecords.observe(Double(prepared.source.count))
            parts.meters.bytes.add(prepared.source.byteCount)
            state.tally.batch(prepared.source.count, now: now)
            state.machine.on(.polled(prepared.summary(id)), now: now)
        }
    }

    /// Drops the records of batches that the machine is done with.
    private func forget(_ state: inout State) {
        guard state.batches.count > state.machine.hands.count else { return }
        let kept = Set(state.machine.hands.map(\.batch.id))
        state.batches = state.batches.filter { kept.contains($0.key) }
    }

    private func perform(_ step: SinkTaskMachine.Step, _ state: inout State) async -> SinkTaskMachine.Outcome {
        do throws(TaskFailure) {
            switch step {
            case .start: try await parts.task.start()
            case .open(let partitions): return try await open(partitions, &state)
            case .put(let id): try await put(id, &state)
            case .report(let id, let faults): try await report(id, faults, &state)
            case .tick: try await parts.task.put(.empty)
            case .commit(let offsets, let reason): return try await commit(offsets, reason, &state)
            case .release(let partitions, let opened, let answers):
                await release(partitions, opened, answers, &state)
            case .announce(let task):
                state.tally.became(task, now: time.now)
                board.became(task)
                parts.listener.task(parts.id, became: task, trace: nil)
            case .wait(let deadline): await mailbox.wait(until: time.instant(deadline))
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

    private func open(
        _ partitions: [TopicPartition],
        _ state: inout State
    ) async throws(TaskFailure) -> SinkTaskMachine.Outcome {
        let wanted = partitions.isEmpty ? [:] : try await parts.task.open(partitions)
        let starts = wanted.filter { partitions.contains($0.key) }
        do throws(KafkaClientError) { try await parts.consumer.assign(partitions, starts: starts) } catch {
            throw error.asTaskFailure(doing: "taking over \(partitions.count) partitions")
        }
        fetcher.answered(state.machine.owned.union(partitions))
        for topic in Set(partitions.map(\.topic)).sorted() where state.topics.insert(topic).inserted {
            parts.listener.task(parts.id, usesTopic: topic)
        }
        log.info("Partitions assigned", ["partitions": "\(partitions.map(\.description).joined(separator: ","))"])
        return .opened(starts: starts)
    }

    private func put(_ id: Int, _ state: inout State) async throws(TaskFailure) {
        guard let prepared = state.batches[id] else { return }
        // Without a lease another worker may be writing: this one waits, and is cancelled soon.
        guard await parts.lease.pass() else { throw .retry(doing: "writing a batch", because: "another worker leads") }
        let start = time.now
        try await parts.task.put(prepared.batch)
        let end = time.now
        state.putTimes.add((end - start) / .milliseconds(1), now: end)
        parts.meters.putSeconds.observe(end - start)
        parts.meters.sent.add(prepared.batch.count)
        if let oldest = prepared.batch.origins.first?.timestamp, oldest >= 0 {
            parts.meters.latency.observe(Double(max(0, TaskTime.unix - oldest)) / 1_000)
        }
        if let newest = prepared.batch.origins.last?.timestamp { parts.meters.took(newest) }
    }

    private func report(_ id: Int, _ faults: [RecordFault], _ state: inout State) async throws(TaskFailure) {
        guard var prepared = state.batches[id] else { return }
        try await parts.reporter.report(prepared.bad + prepared.bad(faults, by: parts.pipeline))
        prepared.bad = []
        prepared.drop(Set(faults.map(\.index)))
        state.batches[id] = prepared
    }

    private func release(
        _ partitions: [TopicPartition],
        _ opened: [TopicPartition],
        _ answers: Bool,
        _ state: inout State
    ) async {
        if !opened.isEmpty { await parts.task.close(opened) }
        let gone = Set(partitions)
        for id in state.batches.keys.sorted() {
            guard var prepared = state.batches[id] else { continue }
            prepared.purge(gone)
            state.batches[id] = prepared
            let summary = prepared.summary(id)
            state.machine.purged(id, records: summary.records, bad: summary.bad, poison: summary.poison)
        }
        guard answers else { return }
        do throws(KafkaClientError) { try await parts.consumer.release() } catch {
            log.warn("Giving partitions back failed", ["reason": "\(error)"])
        }
        fetcher.answered(state.machine.owned.subtracting(gone))
        log.info("Partitions given back", ["partitions": "\(partitions.map(\.description).joined(separator: ","))"])
    }

    private func commit(
        _ offsets: [TopicPartition: Int64],
        _ reason: SinkTaskMachine.CommitReason,
        _ state: inout State
    ) async throws(TaskFailure) -> SinkTaskMachine.Outcome {
        let start = time.now
        // A sink may leave its last file open from commit to commit, but not to whoever comes next.
        if reason.isLast { try await parts.task.flush() }
        let wanted = try await parts.task.preCommit(offsets)
        // Not what it was not asked about, and nothing beyond what it has been given.
        let accepted = wanted.filter { partition, offset in offsets[partition].map { offset <= $0 } ?? false }
            .filter { state.machine.committed[$0.key] != $0.value }
        guard !accepted.isEmpty, !Task.isCancelled else {
            parts.meters.commitsSkipped.add()
            return .committed([:])
        }
        do throws(KafkaClientError) {
            try await parts.consumer.commit(accepted, timeout: parts.commitTimeout)
        } catch {
            state.tally.commit(time.now - start, isGood: false, now: time.now)
            log.warn("Commit of offsets failed, will be made again", ["reason": "\(error)", "why": "\(reason)"])
            return .commitRefused(error.asTaskFailure(doing: "committing offsets"))
        }
        state.tally.commit(time.now - start, isGood: true, now: time.now)
        parts.meters.commits.add()
        parts.meters.commitNumber.set(parts.meters.commits.current)
        return .committed(accepted)
    }

    /// Brings metrics and the snapshot up to date; the snapshot each time, what costs more once a second.
    private func publish(_ state: inout State) {
        let now = time.now
        let machine = state.machine
        board.update(
            note: machine.note(now: now) ?? state.trouble,
            bufferedRecords: machine.hands.reduce(0) { $0 + $1.batch.records },
            bufferedBytes: state.batches.values.reduce(0) { $0 + $1.source.byteCount },
            read: parts.meters.read.current,
            total: machine.deliveredRecords,
            failed: parts.reporter.reported,
            isIdle: machine.isIdle,
            delivered: machine.delivered,
            committed: machine.committed,
            partitions: machine.owned,
            lastProgress: machine.lastProgress
        )
        parts.meters.active.set(machine.hands.reduce(0) { $0 + $1.batch.records }, now: now)
        guard now - state.publishedAt >= .seconds(1) else { return }
        state.publishedAt = now
        state.tally.show(board.meters, now: now)
        parts.meters.putAverage.set(state.putTimes.average(now: now))
        parts.meters.putMax.set(state.putTimes.maximum(now: now))
    }
}

extension SinkPipeline.Prepared {
    func summary(_ id: Int) -> SinkTaskMachine.Batch {
        .init(id: id, ends: ends, records: batch.count, bad: bad.count, poison: poison?.failure)
    }
}
