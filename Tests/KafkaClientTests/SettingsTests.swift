import Testing

@testable import KafkaClient

@Suite struct SettingsTests {
    @Test func `names of the Java client become librdkafka's`() {
        let (producer, none) = KafkaSettings.translate(
            [
                "bootstrap.servers": "a:1", "acks": "all", "linger.ms": "5", "buffer.memory": "33554432",
                "max.block.ms": "5000", "max.request.size": "2000000", "compression.type": "zstd",
                "compression.zstd.level": "3", "send.buffer.bytes": "-1", "delivery.timeout.ms": "120000",
                "key.serializer": "org.apache.kafka.common.serialization.ByteArraySerializer",
                "partitioner.class": "org.apache.kafka.clients.producer.internals.DefaultPartitioner",
                "client.dns.lookup": "use_all_dns_ips",
            ],
            for: .producer
        )
        #expect(none == [:])
        #expect(
            producer.filter { $0.key != "client.dns.lookup" } == [
                "bootstrap.servers": "a:1", "acks": "all", "linger.ms": "5", "queue.buffering.max.kbytes": "32768",
                "topic.metadata.propagation.max.ms": "5000", "message.max.bytes": "2000000",
                "compression.type": "zstd", "compression.level": "3", "socket.send.buffer.bytes": "0",
                "delivery.timeout.ms": "120000", "partitioner": "murmur2_random",
            ]
        )
        let (consumer, left) = KafkaSettings.translate(
            [
                "group.id": "g", "max.poll.records": "100", "fetch.max.wait.ms": "100", "request.timeout.ms": "30000",
                "auto.offset.reset": "none", "max.partition.fetch.bytes": "2097152",
                "partition.assignment.strategy":
                    "org.apache.kafka.clients.consumer.RangeAssignor, "
                    + "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
            ],
            for: .consumer
        )
        #expect(left == [:])
        #expect(
            consumer == [
                "group.id": "g", "max.poll.records": "100", "fetch.wait.max.ms": "100", "socket.timeout.ms": "30000",
                "auto.offset.reset": "error", "max.partition.fetch.bytes": "2097152",
                "partition.assignment.strategy": "range",
            ]
        )
    }

    @Test func `what has no counterpart is reported with a reason`() {
        let java = [
            "interceptor.classes": "x.Y", "metric.reporters": "x.Y", "ssl.truststore.location": "/a.jks",
            "partitioner.class": "x.RoundRobinPartitioner", "no.such.key": "1",
            "key.serializer": "org.apache.kafka.common.serialization.StringSerializer",
            "sasl.login.callback.handler.class": "x.Y", "sasl.jaas.config": "nonsense",
        ]
        let (settings, unsupported) = KafkaSettings.translate(java, for: .producer)
        #expect(settings == [:])
        #expect(Set(unsupported.keys) == Set(java.keys))
        #expect(unsupported.values.allSatisfy { !$0.isEmpty })
        #expect(unsupported["no.such.key"]?.contains("librdkafka") == true)
    }

    @Test func `security settings are translated`() {
        let (settings, unsupported) = KafkaSettings.translate(
            [
                "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.jaas.config":
                    #"org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p\"; q";"#,
                "ssl.truststore.type": "PEM", "ssl.truststore.location": "/ca.pem", "ssl.truststore.password": "",
                "ssl.keystore.type": "PEM", "ssl.keystore.location": "/client.pem", "ssl.key.password": "k",
                "ssl.endpoint.identification.algorithm": "",
            ],
            for: .admin
        )
        #expect(unsupported == [:])
        #expect(
            settings == [
                "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "u",
                "sasl.password": "p\"; q", "ssl.ca.location": "/ca.pem", "ssl.certificate.location": "/client.pem",
                "ssl.key.location": "/client.pem", "ssl.key.password": "k",
                "ssl.endpoint.identification.algorithm": "none",
            ]
        )
    }

    @Test(arguments: [
        (
            "a.b.PlainLoginModule required username=\"x\" password=\"y\";", "PlainLoginModule",
            ["username": "x", "password": "y"]
        ),
        ("M required a='b';", "M", ["a": "'b'"]), ("M sufficient", "M", [:]),
    ])
    func `JAAS entries are read`(text: String, module: String, options: [String: String]) throws {
        let entry = try #require(JAASEntry(text))
        #expect(entry.module == module && entry.options == options)
    }

    @Test(arguments: ["", "OnlyModule", "M required a", "M required a=\"b"])
    func `broken JAAS entries are refused`(text: String) { #expect(JAASEntry(text) == nil) }

    @Test func `secrets are hidden in every way of printing`() {
        let settings = KafkaSettings(bootstrapServers: "a:1", ["sasl.password": "hush", "ssl.key.pem": "hush2"])
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), dumped] {
            #expect(!text.contains("hush"))
            #expect(text.contains("bootstrap.servers=a:1"))
        }
        #expect(throws: KafkaClientError.self) {
            try Producer(KafkaSettings(bootstrapServers: "a:1", ["ssl.key.pem": "hush", "security.protocol": "ssl"]))
        }
        do throws(KafkaClientError) {
            _ = try Producer(
                KafkaSettings(bootstrapServers: "a:1", ["sasl.oauthbearer.config": "hush", "x.password": "hush"])
            )
        } catch {
            #expect(!error.description.contains("hush"))
        }
    }

    @Test func `defaults are the library's, the caller's win`() throws {
        let plain = KafkaSettings(bootstrapServers: "a:1")
        let producer = try plain.forProducer()
        #expect(producer.settings["enable.idempotence"] == "true" && producer.settings["acks"] == "all")
        #expect(producer.settings["partitioner"] == "murmur2_random")
        #expect(producer.bounds == .init(records: 500_000, bytes: 24 << 20))
        let consumer = try plain.forConsumer()
        #expect(consumer["enable.auto.commit"] == "false" && consumer["auto.offset.reset"] == "earliest")
        #expect(consumer["group.id"] != nil)
        let own = KafkaSettings(
            bootstrapServers: "a:1",
            ["linger.ms": "7", "queue.buffering.max.kbytes": "1024", "max.poll.records": "9", "group.id": "g"]
        )
        #expect(try own.forProducer().settings["linger.ms"] == "7")
        #expect(try own.forProducer().bounds.bytes == 1 << 20)
        #expect(try own.forConsumer()["max.poll.records"] == nil)
        #expect(own.maxPollRecords == 9 && own.merging(["max.poll.records": "8"]).maxPollRecords == 8)
    }
}
