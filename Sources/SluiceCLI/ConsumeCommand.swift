import CommandGrammar
import ConnectModel
import FoundationEssentials
import KafkaClient

/// `consume TOPIC`: prints records, as kcat and kafka-console-consumer do.
struct ConsumeCommand {
    let environment: CommandEnvironment

    private static let beginning = Option(
        "from-beginning",
        "From the first record kept; otherwise only what comes now."
    )
    private static let most = Option("max", short: "n", .int(in: 1...Int.max), "Leave after so many records.")
    private static let exit = Option("exit", short: "e", "Leave at the end of the topic.")
    private static let partition = Option("partition", short: "p", .int(in: 0...100_000), "Only this partition.")
    private enum Form: String, CaseIterable { case value, json }
    private static let form = Option(
        "output",
        short: "o",
        Kind<Form>.choice,
        default: .value,
        "value: one value a line; json: one object a line with topic, partition, offset, timestamp, key, value, headers."
    )

    var command: Command {
        let environment = environment
        return Command(
            "consume",
            "Print the records of a topic.",
            options: [
                Options.bootstrap, Options.commandConfig, Self.beginning, Self.most, Self.exit, Self.partition,
                Self.form,
            ],
            arguments: [Argument("topic", .one, "The topic.")]
        ) { values in
            let topic = values.arguments[0]
            let settings = try kafkaSettings(values)
            let admin = try Admin(settings)
            guard let found = try await admin.describeTopic(topic) else {
                throw CLIError(.notFound, "topic \(topic) does not exist; \"sluice topics list\" shows what there is")
            }
            let wanted = found.partitions.map { TopicPartition(topic, $0.id) }.filter { one in
                values[Self.partition].map { one.partition == Int32($0) } ?? true
            }
            guard !wanted.isEmpty else {
                throw CLIError(.notFound, "topic \(topic) has \(found.partitions.count) partitions, from 0")
            }
            var reading = Reading(
                ends: values[Self.exit] ? try await admin.watermarks(wanted).mapValues(\.high) : nil,
                left: values[Self.most] ?? Int.max
            )
            let consumer = try Consumer(settings)
            try await consumer.assign(
                Dictionary(
                    uniqueKeysWithValues: wanted.map { ($0, values[Self.beginning] ? StartPosition.beginning : .end) }
                )
            )
            try await reading.run(consumer) { batch, index in
                environment.terminal.out(
                    values[Self.form] == .json ? try Self.json(batch, index) : Self.line(batch, index)
                )
            }
            await consumer.close()
            return 0
        }
    }

    /// How far a reading goes.
    private struct Reading {
        /// Where each partition ended when the command started; nil without `--exit`.
        var ends: [TopicPartition: Int64]?
        var left: Int

        mutating func run(
            _ consumer: Consumer,
            _ show: (MessageBatch, Int) throws -> Void
        ) async throws {
            ends = ends?.filter { $0.value > 0 }
            while left > 0, ends.map({ !$0.isEmpty }) ?? true {
                let polled = try await consumer.poll(
                    maxRecords: min(left, 500),
                    maxBytes: 4 << 20,
                    timeout: .seconds(1)
                )
                guard case .batch(let batch) = polled else {
                    // Transaction markers take offsets too: a position at the end counts, though no record came.
                    if let open = ends {
                        let positions = try await consumer.position(Array(open.keys))
                        ends = open.filter { (positions[$0.key] ?? 0) < $0.value }
                    }
                    continue
                }
                for index in 0..<batch.count {
                    try show(batch, index)
                    let place = batch.topicPartition(at: index)
                    if let end = ends?[place], batch.offset(at: index) + 1 >= end { ends?[place] = nil }
                }
                left -= batch.count
            }
        }
    }

    private static func line(_ batch: MessageBatch, _ index: Int) -> String {
        String(decoding: batch.value(at: index) ?? Array("null".utf8), as: UTF8.self) + "\n"
    }
    private struct Record: Encodable {
        var topic: String
        var partition: Int32
        var offset: Int64
        var timestamp: Int64
        var key: String?
        var value: JSONTree
        var headers: [[String: String?]]
    }
    /// The value as JSON where it is JSON, else as text.
    private static func json(_ batch: MessageBatch, _ index: Int) throws -> String {
        let place = batch.topicPartition(at: index)
        let value = batch.value(at: index)
        let tree = value.map { bytes in (try? JSONTree.read(bytes)) ?? .text(String(decoding: bytes, as: UTF8.self)) }
        let record = Record(
            topic: place.topic,
            partition: place.partition,
            offset: batch.offset(at: index),
            timestamp: batch.timestamp(at: index),
            key: batch.key(at: index).map { String(decoding: $0, as: UTF8.self) },
            value: tree ?? .null,
            headers: batch.headers(at: index).map { [$0.name: $0.value.map { String(decoding: $0, as: UTF8.self) }] }
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(record), as: UTF8.self) + "\n"
    }
}
