import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Metrics
import Synchronization
import Testing

@testable import ConnectRuntime

/// A consumer whose polls are answered from a list; an empty list is idle.
private final class FakeConsumer: SinkConsumer {
    struct Seen: Sendable {
        var polls = 0
        var records = 0
        var isPaused = false
        var pauses = 0
        var waits: [Duration] = []
    }
    let seen = Watched(Seen())
    private let script = Mutex<[Result<ConsumerEvent, KafkaClientError>]>([])
    private let wake = Mutex<Latch?>(nil)

    func answer(_ results: Result<ConsumerEvent, KafkaClientError>...) { script.withLock { $0 += results } }
    func subscribe() async throws(KafkaClientError) {}
    func poll(timeout: Duration) async throws(KafkaClientError) -> ConsumerEvent {
        seen.change {
            $0.polls += 1
            $0.waits.append(timeout)
        }
        let next = script.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        guard let next else {
            let latch = Latch()
            wake.withLock { $0 = latch }
            _ = await latch.wait(for: min(timeout, .milliseconds(20)))
            return .idle
        }
        return try next.get()
    }
    func wakeup() { wake.withLock { $0 }?.open() }
    func assign(_ partitions: [TopicPartition], starts: [TopicPartition: Int64]) async throws(KafkaClientError) {}
    func release() async throws(KafkaClientError) {}
    func pause(_ partitions: [TopicPartition]) async throws(KafkaClientError) {
        seen.change {
            $0.isPaused = true
            $0.pauses += 1
        }
    }
    func resume(_ partitions: [TopicPartition]) async throws(KafkaClientError) { seen.change { $0.isPaused = false } }
    func commit(_ offsets: [TopicPartition: Int64], timeout: Duration) async throws(KafkaClientError) {}
    func progress(_ partitions: [TopicPartition]) async -> [TopicPartition: (position: Int64?, end: Int64)] { [:] }
    func close(timeout: Duration) async {}
}

@Suite struct SinkFetcherTests {
    private let partition = TopicPartition("a", 0)

    /// Runs a fetcher with the events it tells while `body` looks on.
    private func fetching(
        keepAlive: Duration = .seconds(60),
        _ body: (SinkFetcher, FakeConsumer, Watched<[String]>) async -> Void
    ) async {
        let (consumer, told) = (FakeConsumer(), Watched([String]()))
        let converters = ConverterSet(
            key: FakeConverter(rawFormat: .utf8),
            value: FakeConverter(rawFormat: .utf8),
            header: FakeHeaders()
        )
        let pipeline = SinkPipeline(converters: converters, tolerance: .none)
        let fetcher = SinkFetcher(consumer, pipeline, keepAlive: keepAlive) { event in
            let word =
                switch event {
                case .prepared(let batch): "batch \(batch.batch.count)"
                case .assigned: "assigned"
                case .revoked(_, let lost): lost ? "lost" : "revoked"
                case .trouble(let text): text == nil ? "well" : "trouble"
                case .failed: "failed"
                }
            told.change { $0.append(word) }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await fetcher.run() }
            await body(fetcher, consumer, told)
            fetcher.end()
        }
    }
    private func records(_ count: Int) -> Result<ConsumerEvent, KafkaClientError> {
        .success(.records(ArrayRecords(Array(repeating: "x", count: count))))
    }

    @Test func `one permission fetches one batch, so that nothing piles up`() async {
        await fetching { fetcher, consumer, told in
            consumer.answer(records(1), records(2), records(3))
            fetcher.set(.fetch)
            #expect(await told.becomes { $0 == ["batch 1"] })
            fetcher.set(.fetch)
            #expect(await told.becomes { $0 == ["batch 1", "batch 2"] })
            #expect(consumer.seen.value.polls == 2)
        }
    }

    @Test func `holding pauses the partitions and keeps polling, fetching resumes them`() async {
        await fetching { fetcher, consumer, told in
            consumer.answer(.success(.assigned([partition])))
            fetcher.set(.fetch)
            #expect(await told.becomes { $0 == ["assigned"] })
            fetcher.answered([partition])
            fetcher.set(.hold)
            #expect(await consumer.seen.becomes { $0.isPaused && $0.polls > 4 })
            fetcher.set(.fetch)
            #expect(await consumer.seen.becomes { !$0.isPaused })
        }
    }

    @Test func `nothing is polled while a rebalance is unanswered`() async {
        await fetching { fetcher, consumer, told in
            consumer.answer(.success(.revoked([partition], lost: false)), records(5))
            fetcher.set(.fetch)
            #expect(await told.becomes { $0 == ["revoked"] })
            fetcher.set(.hold)
            fetcher.set(.fetch)
            #expect(consumer.seen.value.polls == 1)
            fetcher.answered([])
            #expect(await told.becomes { $0.last == "batch 5" })
        }
    }

    @Test func `a long rest is interrupted to stay in the group, with the partitions paused`() async {
        await fetching(keepAlive: .milliseconds(20)) { fetcher, consumer, told in
            consumer.answer(.success(.assigned([partition])))
            fetcher.set(.fetch)
            #expect(await told.becomes { $0 == ["assigned"] })
            fetcher.answered([partition])
            fetcher.set(.rest)
            #expect(await consumer.seen.becomes { $0.isPaused && $0.polls > 3 })
            fetcher.set(.fetch)
            #expect(await consumer.seen.becomes { !$0.isPaused })
        }
    }

    @Test func `passing failures are told once they begin and once they are over, lasting ones end it`() async {
        await fetching { fetcher, consumer, told in
            let away = KafkaClientError(code: .transport, reason: "away", isRetriable: true)
            consumer.answer(
                .failure(away),
                .success(.idle),
                .failure(KafkaClientError(code: .authorization, reason: "no"))
            )
            fetcher.set(.fetch)
            #expect(await told.becomes { $0 == ["trouble", "well", "failed"] })
        }
    }
}

@Suite struct TaskBoardTests {
    private func board(stallAfter: Duration) -> (TaskBoard, FakeListener) {
        let listener = FakeListener()
        let meters = TaskMeters(TaskID("c", 0), .init())
        return (TaskBoard(TaskID("c", 0), .sink, meters, listener, stallAfter: stallAfter), listener)
    }
    private func update(_ board: TaskBoard, note: String? = nil, buffered: Int = 0) {
        let partitions: Set = [TopicPartition("t", 0)]
        board.update(
            note: note,
            bufferedRecords: buffered,
            bufferedBytes: 0,
            read: 0,
            total: 0,
            failed: 0,
            isIdle: false,
            delivered: [TopicPartition("t", 0): 10],
            partitions: partitions,
            lastProgress: .zero
        )
    }

    @Test func `lag without progress is a stall, lag alone or rest is none`() {
        let (board, listener) = board(stallAfter: .zero)
        board.became(.running)
        update(board)
        #expect(board.show([TopicPartition("t", 0): (nil, 10)]) == [TopicPartition("t", 0): 0])
        #expect(!board.snapshot.isStalled)
        board.show([TopicPartition("t", 0): (nil, 25)])
        #expect(board.snapshot.isStalled && board.snapshot.lag == [TopicPartition("t", 0): 15])
        board.checkStall()
        #expect(listener.seen.value.notes.last??.hasPrefix("STALLED: nothing delivered for") == true)
        #expect(board.meters.stalled.current == 1)
        board.became(.paused)
        #expect(!board.snapshot.isStalled)
        let (patient, _) = self.board(stallAfter: .seconds(60))
        patient.became(.running)
        update(patient, buffered: 5)
        #expect(!patient.snapshot.isStalled && patient.snapshot.withoutProgress > .zero)
    }

    @Test func `a reason is told when it comes, changes and goes, not for each second in it`() {
        let (board, listener) = board(stallAfter: .seconds(60))
        board.became(.running)
        for second in 1...5 { update(board, note: "retrying: writing: away (attempt \(second))") }
        update(board, note: "retrying: writing: full (attempt 6)")
        update(board)
        #expect(
            listener.seen.value.notes.map { $0 ?? "-" }.map { String($0.prefix(23)) } == [
                "retrying: writing: away", "retrying: writing: full", "-",
            ]
        )
    }
}
