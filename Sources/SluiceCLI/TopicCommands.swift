import CommandGrammar
import ConnectModel
import KafkaClient

/// `topics list|describe|create|delete|count` and `groups list|describe`, as kafka-topics and kafka-consumer-groups.
struct TopicCommands {
    let environment: CommandEnvironment
    private static let kafka: [any AnyOption] = [Options.bootstrap, Options.commandConfig]
    private static let internals = Option("internal", "Also topics whose names begin with two underscores.")
    private static let partitions = Option("partitions", .int(in: 1...100_000), default: 1, "How many partitions.")
    private static let replicas = Option("replication-factor", .int(in: 1...100), default: 1, "How many replicas.")
    private static let configs = Option(
        "config",
        .list(of: .string.named("key=value")),
        default: [],
        "A topic setting; may be repeated."
    )
    private static let topic = Argument("topic", .many, "Topics.")

    var topics: Command {
        Command(
            "topics",
            aliases: ["topic"],
            "List, describe, create, delete and count topics.",
            options: Self.kafka,
            commands: [list, describe, create, delete, count]
        )
    }

    private struct TopicRow: Encodable {
        var name: String
        var partitions: Int
        var records: Int64
    }
    private var list: Command {
        let environment = environment
        return Command(
            "list",
            "List topics with their partitions and the records they keep.",
            options: [Options.output, Self.internals]
        ) { values in
            let admin = try Admin(try kafkaSettings(values))
            let all = try await admin.listTopics().filter { values[Self.internals] || !$0.name.hasPrefix("__") }
            var rows: [TopicRow] = []
            for topic in all.sorted(by: { $0.name < $1.name }) {
                let kept = try await records(of: topic, admin)
                rows.append(TopicRow(name: topic.name, partitions: topic.partitions.count, records: kept))
            }
            try environment.terminal.show(rows, as: values[Options.output]) {
                var table = TextTable(["TOPIC", "PARTITIONS", "RECORDS"])
                for row in rows { table.add([row.name, "\(row.partitions)", "\(row.records)"]) }
                return table.text
            }
            return 0
        }
    }

    private struct PartitionRow: Encodable {
        var topic: String
        var partition: Int32
        var leader: Int32
        var replicas: [Int32]
        var isr: [Int32]
        var low: Int64
        var high: Int64
    }
    private var describe: Command {
        let environment = environment
        return Command(
            "describe",
            "Show partitions, leaders, replicas and offsets of topics.",
            options: [Options.output],
            arguments: [Self.topic]
        ) { values in
            let admin = try Admin(try kafkaSettings(values))
            var rows: [PartitionRow] = []
            for name in values.arguments {
                let topic = try await existing(name, admin)
                let marks = try await admin.watermarks(topic.partitions.map { TopicPartition(name, $0.id) })
                for one in topic.partitions {
                    let mark = marks[TopicPartition(name, one.id)] ?? (low: 0, high: 0)
                    rows.append(
                        PartitionRow(
                            topic: name,
                            partition: one.id,
                            leader: one.leader,
                            replicas: one.replicas,
                            isr: one.isrs,
                            low: mark.low,
                            high: mark.high
                        )
                    )
                }
            }
            try environment.terminal.show(rows, as: values[Options.output]) {
                var table = TextTable(["TOPIC", "PARTITION", "LEADER", "REPLICAS", "ISR", "LOW", "HIGH"])
                for row in rows {
                    table.add([
                        row.topic, "\(row.partition)", "\(row.leader)",
                        row.replicas.map(String.init).joined(separator: ","),
                        row.isr.map(String.init).joined(separator: ","), "\(row.low)", "\(row.high)",
                    ])
                }
                return table.text
            }
            return 0
        }
    }

    private var create: Command {
        let environment = environment
        return Command(
            "create",
            "Create topics.",
            options: [Self.partitions, Self.replicas, Self.configs],
            arguments: [Self.topic]
        ) { values in
            var configs: [String: String] = [:]
            for pair in values[Self.configs] {
                let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
                guard sides.count == 2 else { throw UsageError("sluice: --config expects key=value, got \"\(pair)\"") }
                configs[sides[0]] = sides[1]
            }
            let admin = try Admin(try kafkaSettings(values))
            let wanted = values.arguments.map {
                NewTopic(
                    $0,
                    partitions: values[Self.partitions],
                    replicationFactor: values[Self.replicas],
                    configs: configs
                )
            }
            return try report(try await admin.createTopics(wanted), "created", environment.terminal)
        }
    }
    private var delete: Command {
        let environment = environment
        return Command("delete", "Delete topics with all their records.", arguments: [Self.topic]) { values in
            let admin = try Admin(try kafkaSettings(values))
            return try report(try await admin.deleteTopics(values.arguments), "deleted", environment.terminal)
        }
    }
    private var count: Command {
        let environment = environment
        return Command("count", "Count the records that topics keep.", arguments: [Self.topic]) { values in
            let admin = try Admin(try kafkaSettings(values))
            for name in values.arguments {
                let kept = try await records(of: try await existing(name, admin), admin)
                environment.terminal.out("\(name) \(kept)\n")
            }
            return 0
        }
    }

    // MARK: groups

    private struct GroupRow: Encodable {
        var group: String
        var topic: String
        var partition: Int32
        var committed: Int64
        var end: Int64
        var lag: Int64
    }
    var groups: Command {
        let environment = environment
        return Command(
            "groups",
            aliases: ["group"],
            "List consumer groups and their lag.",
            options: Self.kafka,
            commands: [
                Command("list", "List consumer groups.", options: [Options.output]) { values in
                    let names = try await Admin(try kafkaSettings(values)).listGroups().map(\.id).sorted()
                    try environment.terminal.show(names, as: values[Options.output]) {
                        names.map { $0 + "\n" }.joined()
                    }
                    return 0
                },
                Command(
                    "describe",
                    "Show committed offsets and lag of groups.",
                    options: [Options.output],
                    arguments: [Argument("group", .many, "Groups; a sink connector's is connect-NAME.")]
                ) { values in
                    let admin = try Admin(try kafkaSettings(values))
                    var rows: [GroupRow] = []
                    for group in values.arguments { rows += try await lag(of: group, admin) }
                    try environment.terminal.show(rows, as: values[Options.output]) {
                        var table = TextTable(["GROUP", "TOPIC", "PARTITION", "COMMITTED", "END", "LAG"])
                        for row in rows {
                            table.add([
                                row.group, row.topic, "\(row.partition)", "\(row.committed)", "\(row.end)",
                                "\(row.lag)",
                            ])
                        }
                        return table.text
                    }
                    return 0
                },
            ]
        )
    }
    private func lag(of group: String, _ admin: Admin) async throws -> [GroupRow] {
        let committed = try await admin.groupOffsets(group)
        guard !committed.isEmpty else {
            throw CLIError(
                .notFound,
                "group \(group) has no committed offsets; \"sluice groups list\" shows the groups"
            )
        }
        let marks = try await admin.watermarks(Array(committed.keys))
        return committed.sorted { $0.key < $1.key }.map { place, offset in
            let end = marks[place]?.high ?? offset
            return GroupRow(
                group: group,
                topic: place.topic,
                partition: place.partition,
                committed: offset,
                end: end,
                lag: max(0, end - offset)
            )
        }
    }
}

private func existing(_ name: String, _ admin: Admin) async throws -> TopicDescription {
    guard let topic = try await admin.describeTopic(name) else {
        throw CLIError(.notFound, "topic \(name) does not exist; \"sluice topics list\" shows what there is")
    }
    return topic
}

private func records(of topic: TopicDescription, _ admin: Admin) async throws -> Int64 {
    let marks = try await admin.watermarks(topic.partitions.map { TopicPartition(topic.name, $0.id) })
    return marks.values.reduce(0) { $0 + $1.high - $1.low }
}

/// Says what became of each topic; 1 when one was refused.
private func report(
    _ results: [String: KafkaClientError?],
    _ done: String,
    _ terminal: Terminal
) throws -> Int32 {
    var failed = false
    for (name, error) in results.sorted(by: { $0.key < $1.key }) {
        failed = failed || error != nil
        terminal.tell("topic \(name) " + (error.map { "not \(done): \($0)" } ?? done))
    }
    return failed ? CLIError.Status.failed.rawValue : 0
}
