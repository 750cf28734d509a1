import ConnectModel
import Testing

@testable import KafkaClient

@Suite struct HelperTests {
    private func text(_ name: String, _ headers: [RecordBuffer.Header]) -> String? { headers[text: name] }

    @Test func `a dead letter keeps the record and says why`() async throws {
        let cluster = try makeCluster()
        try cluster.createTopic("dlq")
        try await withProducer(KafkaSettings(cluster)) { producer in
            let handler = DeadLetterHandler(producer: producer, topic: "dlq")
            let failed = DeadLetterHandler.FailedRecord(
                partition: TopicPartition("t", 3),
                offset: 17,
                key: [1],
                value: nil,
                headers: [.init(name: "own", value: [9])],
                timestamp: 5
            )
            let context = DeadLetterHandler.Context(
                stage: "VALUE_CONVERTER",
                error: nil,
                errorType: "DataException",
                component: "JsonConverter",
                connector: "orders",
                task: 2
            )
            let written = try await handler.report(failed, context)
            #expect(written.topic == "dlq")
            let consumer = try Consumer(KafkaSettings(cluster))
            try await consumer.assign([TopicPartition("dlq", 0): .beginning])
            guard case .batch(let batch) = try await consumer.poll(timeout: .seconds(10)) else {
                Issue.record("no record")
                return
            }
            let copy = batch.record(at: 0)
            #expect(copy.key == [1] && copy.value == nil && copy.timestamp == 5)
            #expect(
                copy.headers.map(\.name) == [
                    "own", "__connect.errors.topic", "__connect.errors.partition", "__connect.errors.offset",
                    "__connect.errors.connector.name", "__connect.errors.task.id", "__connect.errors.stage",
                    "__connect.errors.class.name", "__connect.errors.exception.class.name",
                    "__connect.errors.exception.message", "__connect.errors.exception.stacktrace",
                ]
            )
            #expect(text("__connect.errors.topic", copy.headers) == "t")
            #expect(text("__connect.errors.partition", copy.headers) == "3")
            #expect(text("__connect.errors.offset", copy.headers) == "17")
            #expect(text("__connect.errors.exception.message", copy.headers) == nil)
            await consumer.close()
        }
    }

    @Test func `without context a dead letter is the bare record`() async throws {
        let cluster = try makeCluster()
        let producer = try Producer(KafkaSettings(cluster))
        let handler = DeadLetterHandler(producer: producer, topic: "t", contextHeaders: false)
        let record = handler.record(for: .init(key: nil, value: [1]), .init(stage: "TASK_PUT", error: "x"))
        #expect(record.headers.isEmpty && record.value == [1])
        await producer.close()
    }

    struct Order: Codable, Sendable, Equatable {
        var id: Int
        var name: String?
    }

    @Test func `typed values, and reasons that do not show the value`() {
        let parser = TypedParser<Order>()
        func parse(_ text: String?) -> Result<Order, TypedParser<Order>.Reason> {
            Result { () throws(TypedParser<Order>.Reason) in try parser.parse(text.map { Array($0.utf8) }) }
        }
        #expect(parse(#"{"id":1,"name":"a"}"#) == .success(Order(id: 1, name: "a")))
        #expect(parse(nil) == .failure(.missing))
        #expect(parse("{") == .failure(.notJSON))
        #expect(parse(#"{"name":"secret"}"#) == .failure(.mismatch("the top level lacks \"id\"")))
        guard case .failure(let reason) = parse(#"{"id":"secret"}"#) else {
            Issue.record("a text is no number")
            return
        }
        #expect(!"\(reason)".contains("secret") && "\(reason)".contains("id"))
    }

    @Test func `several records are sent and summed up`() async throws {
        let cluster = try makeCluster()
        try cluster.createTopic("u")
        try await withProducer(KafkaSettings(cluster, ["message.max.bytes": "2000"])) { producer in
            let summary = try await producer.send(contentsOf: [
                ProducerRecord(topic: "t", key: "k", encoding: Order(id: 1, name: "a/b")),
                ProducerRecord(topic: "u", value: String(repeating: "x", count: 5_000)),
                ProducerRecord(topic: "u", value: "y", headers: ["correlation_id": "7"]),
            ])
            #expect(summary.total == 3 && summary.sent == 2 && summary.failures.map(\.index) == [1])
        }
        try await withConsumer(KafkaSettings(cluster)) { consumer in
            try await consumer.assign([TopicPartition("t", 0): .beginning])
            #expect(try await consumer.receive(1).first?.value == #"{"id":1,"name":"a/b"}"#)
        }
    }

    @Test func `a batch is parsed in order, failures are handed over`() async throws {
        let cluster = try makeCluster()
        try await withProducer(KafkaSettings(cluster)) { producer in
            for value in [#"{"id":1}"#, "nonsense", #"{"id":3}"#] {
                _ = try await producer.send(ProducerRecord(topic: "t", value: value))
            }
        }
        try await withConsumer(KafkaSettings(cluster)) { consumer in
            try await consumer.assign([TopicPartition("t", 0): .beginning])
            var (ids, failed, seen) = ([Int](), [Int64](), 0)
            while seen < 3 {
                guard case .batch(let batch) = try await consumer.poll(timeout: .seconds(10)) else { break }
                seen += batch.count
                ids += TypedParser<Order>().parse(batch) { failed.append($0.offset) }.map(\.payload.id)
            }
            #expect(ids == [1, 3] && failed == [1])
        }
    }

    @Test func `the embedded cluster is found at a fixed port`() async throws {
        let free = try EmbeddedCluster(port: 0)
        let port = free.bootstrapServers.split(separator: ":").last.flatMap { Int($0) } ?? 0
        free.close()
        let cluster = try EmbeddedCluster(port: port)
        #expect(cluster.bootstrapServers == "127.0.0.1:\(port)")
        #expect { try EmbeddedCluster(port: port) } throws: { ($0 as? KafkaClientError)?.code == .configuration }
        try cluster.createTopic("t")
        try await withProducer(KafkaSettings(cluster)) { producer in
            try await producer.checkConnection()
            try await producer.send(texts(0..<10)).wait()
        }
        let admin = try Admin(KafkaSettings(cluster))
        #expect(try await admin.describeTopic("t")?.partitions.count == 1)
        cluster.close()
    }

    @Test func `what the embedded cluster lacks is unsupported`() async throws {
        let cluster = try makeCluster(partitions: 2)
        let admin = try Admin(KafkaSettings(cluster))
        #expect(try await admin.brokers().count == 1)
        #expect(try await admin.listTopics().map(\.name) == ["t"])
        let marks = try await admin.watermarks([TopicPartition("t", 1)])
        #expect(marks[TopicPartition("t", 1)]?.high == 0)
        await #expect { _ = try await admin.createTopics([NewTopic("x")]) } throws: {
            ($0 as? KafkaClientError)?.code == .unsupported
        }
    }

    @Test func `an unreachable broker is named with advice`() async throws {
        let producer = try Producer(KafkaSettings(bootstrapServers: "127.0.0.1:1"))
        await #expect { try await producer.checkConnection(timeout: .milliseconds(200)) } throws: {
            let error = $0 as? KafkaClientError
            return error?.code == .allBrokersDown && error?.reason.contains("127.0.0.1:1") == true
        }
        await producer.close(timeout: .zero)
    }

    @Test func `events tell what librdkafka logs`() async throws {
        let events = Collected<String>()
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let producer = try Producer(KafkaSettings(bootstrapServers: "127.0.0.1:1")) { event in
            switch event {
            case .log(_, let facility, _): events.append("log \(facility)")
            case .brokersDown: events.append("down")
            case .error, .statistics: break
            }
            if Set(events.all).count > 1 { continuation.finish() }
        }
        for await _ in stream {}
        #expect(events.all.contains("down") && events.all.contains("log FAIL"))
        await producer.close(timeout: .zero)
    }

    @Test func `room is given first come, first served`() async throws {
        let budget = SendBudget(.init(records: 10, bytes: 1_000))
        #expect(budget.tryReserve(SendCost(records: 20, bytes: 10)))  // alone, whatever its size
        #expect(!budget.tryReserve(SendCost(records: 1, bytes: 1)))
        budget.release(SendCost(records: 20, bytes: 10))
        #expect(budget.used == .zero)
        #expect(budget.tryReserve(SendCost(records: 10, bytes: 10)))
        let waiting = Task { try await budget.reserve(SendCost(records: 4, bytes: 4)) }
        while budget.waiting == 0 { await Task.yield() }
        let cancelled = Task { try await budget.reserve(SendCost(records: 1, bytes: 1)) }
        while budget.waiting == 1 { await Task.yield() }
        #expect(!budget.tryReserve(SendCost(records: 1, bytes: 1)))
        cancelled.cancel()
        await #expect(throws: KafkaClientError.self) { try await cancelled.value }
        budget.release(SendCost(records: 5, bytes: 5))
        try await waiting.value
        #expect(budget.used == SendCost(records: 9, bytes: 9))
        budget.close()
        await #expect { try await budget.reserve(SendCost(records: 1, bytes: 1)) } throws: {
            ($0 as? KafkaClientError)?.code == .closed
        }
    }

    @Test func `errors say what to expect`() {
        let retriable = KafkaClientError(code: .timedOut, reason: "x", isRetriable: true)
        #expect("\(retriable)" == "x (_TIMED_OUT)")
        #expect("\(KafkaClientError(code: .configuration, reason: "y"))" == "y (CONFIGURATION)")
        #expect(Duration.milliseconds(1_500).milliseconds == 1_500)
        #expect(Duration.seconds(1 << 40).milliseconds == 2_000_000_000)
        #expect(Duration.seconds(-1).milliseconds == 0)
    }
}
