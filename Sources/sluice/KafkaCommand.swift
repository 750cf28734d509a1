import CommandGrammar
import KafkaClient
import Lifecycle
import SluiceCLI

/// `sluice kafka`: an embedded cluster as a process of its own, which outlives the workers that use it.
struct KafkaCommand {
    let terminal: Terminal

    private static let topics = Option(
        "topic",
        .list(of: .string.named("name:partitions")),
        default: [],
        "A topic to make at the start; may be repeated. Others are made with one partition when they are first used."
    )
    private static let port = Option(
        "port",
        short: "p",
        .int(in: 0...65_535),
        default: 9092,
        "Port on 127.0.0.1 for bootstrap.servers; 0 takes a free one."
    )

    var command: Command {
        let terminal = terminal
        return Command(
            "kafka",
            "Run embedded Kafka as a process of its own, for a first try and for tests.",
            details: """
                  In memory, about 5 MB per partition (older records are dropped), no compaction, no admin API, no filter for
                  aborted transactions. Prints its bootstrap.servers on standard output and runs until Ctrl-C.
                """,
            options: [Self.port, Self.topics]
        ) { values in
            let signals = SignalStream()
            let cluster = try EmbeddedCluster(port: values[Self.port])
            defer { cluster.close() }
            for text in values[Self.topics] {
                let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
                guard let partitions = parts.count == 1 ? 1 : Int(parts[1]), partitions > 0 else {
                    throw UsageError("sluice kafka: --topic expects name or name:partitions, got \"\(text)\"")
                }
                try cluster.createTopic(parts[0], partitions: partitions)
            }
            terminal.out(cluster.bootstrapServers + "\n")
            terminal.tell("Embedded Kafka keeps everything in memory; it is not for data that matters. Ctrl-C ends it.")
            _ = await signals.next()
            return 0
        }
    }
}
