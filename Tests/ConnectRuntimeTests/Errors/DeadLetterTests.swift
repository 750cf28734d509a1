import ConnectConfig
import ConnectModel
import Lifecycle
import Testing

@testable import ConnectRuntime

@Suite struct DeadLetterTests {
    private let bad = BadRecord(
        error: RecordError(
            stage: .valueConverter,
            className: "org.apache.kafka.connect.json.JsonConverter",
            exceptionClass: "org.apache.kafka.connect.errors.DataException",
            message: "not JSON"
        ),
        origin: TopicPartition("orders", 3),
        offset: 17,
        timestamp: 1_000,
        key: [1],
        value: [2, 3],
        headers: [.init(name: "own", value: [9])]
    )

    @Test func `context headers are Connect's, in Connect's order, behind the record's own`() {
        var buffer = RecordBuffer()
        DeadLetter(topic: "dlq", id: TaskID("pg", 2), hasContext: true).append(bad, to: &buffer)
        #expect(buffer.topics == ["dlq"])
        #expect(buffer.entries[0].timestamp == 1_000)
        #expect(buffer.bytes == [1, 2, 3])
        let texts = buffer.headers.dropFirst().map { ($0.name, $0.value.map { String(decoding: $0, as: UTF8.self) }) }
        #expect(buffer.headers[0].name == "own")
        #expect(
            texts.map(\.0)
                == [
                    "topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name",
                    "exception.class.name", "exception.message", "exception.stacktrace",
                ].map { "__connect.errors.\($0)" }
        )
        #expect(
            texts.map(\.1).dropLast() == [
                "orders", "3", "17", "pg", "2", "VALUE_CONVERTER", "org.apache.kafka.connect.json.JsonConverter",
                "org.apache.kafka.connect.errors.DataException", "not JSON",
            ]
        )
    }

    @Test func `a source's letter has no place in Kafka, and an empty message is null`() {
        var record = bad
        (record.origin, record.offset, record.error.message) = (nil, nil, "")
        let headers = DeadLetter(topic: "d", id: TaskID("c", 0), hasContext: true).context(of: record)
        #expect(headers.first?.name == "__connect.errors.connector.name")
        #expect(headers.first { $0.name.hasSuffix("exception.message") }?.value == nil)
        var buffer = RecordBuffer()
        DeadLetter(topic: "d", id: TaskID("c", 0), hasContext: false).append(record, withValue: false, to: &buffer)
        #expect(buffer.headers.map(\.name) == ["own"])
        #expect(buffer.entries[0].value == nil)
    }

    @Test func `settings have Connect's defaults and say what is wrong`() throws {
        let plain = try ErrorSettings([:])
        #expect(plain.tolerance == .none && plain.retryTimeout == nil && plain.deadLetterTopic == nil)
        #expect(plain.retryDelayMax == .seconds(60) && plain.deadLetterReplication == 3 && !plain.deadLetterHeaders)
        let set = try ErrorSettings([
            "errors.tolerance": "all", "errors.retry.timeout": "1500", "errors.deadletterqueue.topic.name": "d",
        ])
        #expect(set.tolerance == .all && set.retryTimeout == .milliseconds(1_500) && set.deadLetterTopic == "d")
        #expect(try ErrorSettings(["errors.retry.timeout": "-1"]).retryTimeout == nil)
        #expect(throws: ConfigInvalid.self) { try ErrorSettings(["errors.tolerance": "some"]) }
    }

    @Test func `pauses grow, keep to the limit and never overflow`() {
        let policy = RetryPolicy(delayMax: .seconds(10))
        var random = SplitMix64(1)
        for attempt in [0, 1, 5, 31, 56, 63, 64, 65, 1_000, .max] {
            let pause = policy.delay(attempt: attempt, using: &random)
            #expect(pause >= .milliseconds(240) && pause <= .seconds(10), "attempt \(attempt): \(pause)")
        }
        #expect(policy.delay(attempt: 64, using: &random) >= .seconds(8))
        #expect(RetryPolicy(delayMax: .milliseconds(5)).delay(attempt: 3, using: &random) <= .milliseconds(5))
    }

    @Test func `topics are made by the first matching group`() throws {
        let rules = try TopicRules([
            "topic.creation.groups": "logs, big", "topic.creation.default.replication.factor": "3",
            "topic.creation.default.partitions": "5", "topic.creation.logs.include": "log-.*,audit",
            "topic.creation.logs.exclude": "log-x", "topic.creation.logs.partitions": "1",
            "topic.creation.logs.cleanup.policy": "compact", "topic.creation.big.include": ".*",
            "topic.creation.big.replication.factor": "-1",
        ])
        #expect(
            rules.settings(for: "log-a")
                == TopicSettings(partitions: 1, replicationFactor: 3, configs: ["cleanup.policy": "compact"])
        )
        #expect(rules.settings(for: "log-x") == TopicSettings(partitions: 5, replicationFactor: -1))
        #expect(try TopicRules([:]).settings(for: "any") == nil)
        #expect(throws: ConfigInvalid.self) { try TopicRules(["topic.creation.default.partitions": "0"]) }
    }
}
