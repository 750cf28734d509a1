import CommandGrammar
import KafkaClient
import Testing

@testable import SluiceCLI

/// Runs words against an embedded cluster that has topic `prices` with three records.
private func ask(_ words: String) async throws -> Ran {
    let cluster = try EmbeddedCluster()
    defer { cluster.close() }
    try cluster.createTopic("prices", partitions: 1)
    let producer = try Producer(KafkaSettings(bootstrapServers: cluster.bootstrapServers))
    for (key, value) in [("a", #"{"price":1.50}"#), ("b", "no json"), ("c", nil as String?)] {
        _ = try await producer.send(
            ProducerRecord(topic: "prices", key: Array(key.utf8), value: value.map { Array($0.utf8) }, timestamp: 1_000)
        )
    }
    await producer.close()
    let screen = Screen(), transport = FakeTransport([:])
    let admin = AdminCommands(terminal: screen.terminal(), transport: transport)
    let status = await AdminCommands.run(
        Command("sluice", "Test.", options: AdminCommands.sharedOptions, commands: admin.kafkaCommands),
        words.split(separator: " ").map(String.init),
        environment: ["KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrapServers],
        terminal: screen.terminal()
    )
    return Ran(status: status, out: screen.out, told: screen.told, asked: [])
}

@Suite(.timeLimit(.minutes(1))) struct KafkaCommandTests {
    @Test func `topics are listed with what they keep`() async throws {
        let ran = try await ask("topics list")
        #expect(ran.out == "TOPIC    PARTITIONS   RECORDS\nprices   1            3\n", "\(ran.told)")
        #expect(try await ask("topics count prices").out == "prices 3\n")
    }
    @Test func `a topic is described by partition`() async throws {
        let ran = try await ask("topics describe prices -o json")
        #expect(ran.out.contains(#""high" : 3"#) && ran.out.contains(#""partition" : 0"#), "\(ran.out)\(ran.told)")
    }
    @Test func `an unknown topic is status 2 and says what helps`() async throws {
        let ran = try await ask("topics describe nope")
        #expect(ran.status == 2)
        #expect(ran.told == "sluice: topic nope does not exist; \"sluice topics list\" shows what there is\n")
    }
    @Test func `consume prints values and leaves at the end`() async throws {
        let ran = try await ask("consume prices --from-beginning --exit")
        #expect(ran.status == 0 && ran.out == "{\"price\":1.50}\nno json\nnull\n", "\(ran.told)")
        #expect(try await ask("consume prices --from-beginning -n 1").out == "{\"price\":1.50}\n")
    }
    @Test func `consume tells the whole record as JSON`() async throws {
        let ran = try await ask("consume prices --from-beginning -e -o json")
        #expect(
            ran.out.split(separator: "\n").last
                == #"{"headers":[],"key":"c","offset":2,"partition":0,"timestamp":1000,"topic":"prices","value":null}"#
        )
    }
}
