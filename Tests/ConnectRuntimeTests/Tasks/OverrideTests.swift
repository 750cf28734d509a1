import ConnectModel
import ConnectSDK
import ConnectTestKit
import KafkaClient
import Testing

@testable import ConnectRuntime

/// `topic.creation.*` and client overrides, seen from the broker.
@Suite(.enabled(if: RealKafka.isAvailable, "\(RealKafka.skipReason)"), .serialized, .timeLimit(.minutes(2)))
struct OverrideTests {
    @Test func `topics are made by their group, by clients that the connector moves elsewhere`() async throws {
        let servers = try await RealKafka.shared().bootstrapServers
        let nowhere = "127.0.0.1:1"
        let bench = try TaskBench { environment in
            environment.settings = ClientSettings(bootstrapServers: nowhere)
        }
        var environment = bench.environment
        environment.topics = AdminTopicCreator(try Admin(KafkaSettings(bootstrapServers: nowhere)))
        let plain = RealKafka.uniqueName("plain"), kept = RealKafka.uniqueName("state")
        let config = [
            "producer.override.bootstrap.servers": servers, "admin.override.bootstrap.servers": servers,
            "producer.override.compression.type": "zstd", "producer.override.max.request.size": "500000",
            "topic.creation.groups": "state", "topic.creation.default.partitions": "2",
            "topic.creation.default.replication.factor": "1", "topic.creation.state.include": "state-.*",
            "topic.creation.state.partitions": "3", "topic.creation.state.retention.ms": "7200000",
        ]
        for topic in [plain, kept] {
            let made = Watched(FakeSource?.none)
            let spec = bench.source(config: config) { context in
                let source = FakeSource(context, count: 300, topic: topic)
                made.change { $0 = source }
                return source
            }.spec
            await bench.running(TaskRunner(spec, in: environment)) {
                #expect(await made.becomes { $0 != nil })
                #expect(await made.value?.seen.becomes { $0.committed == 300 } == true)
            }
            bench.offsets.stored.change { $0 = [:] }
        }
        let admin = try Admin(KafkaSettings(bootstrapServers: servers))
        #expect(try await admin.describeTopic(plain)?.partitions.count == 2)
        #expect(try await admin.describeTopic(kept)?.partitions.count == 3)
        #expect(try await admin.describeTopicConfigs(kept)["retention.ms"] == "7200000")
        #expect(try await admin.describeTopicConfigs(plain)["retention.ms"] != "7200000")
    }

    @Test func `a sink consumes as its overrides say`() async throws {
        let servers = try await RealKafka.shared().bootstrapServers
        let topic = RealKafka.uniqueName("in"), group = RealKafka.uniqueName("group")
        let admin = try Admin(KafkaSettings(bootstrapServers: servers))
        _ = try await admin.createTopics([NewTopic(topic, partitions: 1, replicationFactor: 1)])
        let producer = try Producer(KafkaSettings(bootstrapServers: servers))
        _ = try await producer.send(contentsOf: (0..<50).map { ProducerRecord(topic: topic, value: "v\($0)") })
        await producer.close()
        let bench = try TaskBench { $0.settings = ClientSettings(bootstrapServers: servers) }
        let sink = FakeSink()
        let config = [
            "topics": topic, "consumer.override.group.id": group, "consumer.override.max.poll.records": "7",
            "consumer.override.fetch.max.wait.ms": "100",
        ]
        await bench.running(bench.sink(sink, config: config)) {
            #expect(await sink.seen.becomes { $0.rows.count == 50 })
        }
        #expect(sink.seen.value.puts >= 8)
        #expect(try await admin.groupOffsets(group) == [TopicPartition(topic, 0): 50])
    }

    @Test func `what exactly once stands on cannot be overridden`() {
        let clients = TaskClients(
            id: TaskID("c", 3),
            config: [
                "producer.override.transactional.id": "mine", "producer.override.enable.idempotence": "false",
                "producer.override.linger.ms": "9",
            ],
            settings: ClientSettings(bootstrapServers: "b:1")
        )
        let settings = clients.producer(transactionalID: "group-c-3", interval: .seconds(120))
        #expect(settings.transactionalID == "group-c-3")
        #expect(settings["enable.idempotence"] == "true" && settings["linger.ms"] == "9")
        #expect(settings["transaction.timeout.ms"] == "180000")
        #expect(!clients.hasOwnAdmin)
    }
}
