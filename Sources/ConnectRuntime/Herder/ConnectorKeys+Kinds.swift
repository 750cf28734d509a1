import ConnectConfig
import ConnectSDK
import Patterns

/// Whether a source must be exactly once (KIP-618).
enum ExactlyOnceDemand: String, CaseIterable, Sendable {
    case required
    case requested
}

/// Where a source's transactions end (KIP-618).
enum BoundaryWord: String, CaseIterable, Sendable {
    case interval
    case poll
    case connector
}

/// Keys of sinks (Kafka Connect 4.3, `SinkConnectorConfig`).
enum SinkConnectorKeys {
    static let topics = ConfigKey<[String]>.list(
        "topics",
        default: [],
        importance: .high,
        "Topics to consume, separated by commas."
    ).refusingNull(.whole("Configuration 'topics' values must not be null.")).shown(
        in: ConnectorKeys.common,
        as: "Topics",
        width: .long
    )
    static let topicsRegex = ConfigKey<String>(
        "topics.regex",
        type: .string,
        default: "",
        defaultText: "",
        importance: .high,
        valid: "valid regex",
        "Regular expression that topics to consume match; either this or topics."
    ) { text throws(ConfigIssue.Reason) in
        let pattern = text.trimmingBlanks
        do throws(PatternError) { _ = try Pattern(pattern) } catch {
            throw ConfigIssue.Reason("Invalid regex: \(error.description)").showing(pattern)
        }
        return pattern
    }.refusingNull(.nullPattern).shown(in: ConnectorKeys.common, as: "Topics regex", width: .long)
    static let deadLetterTopic = ConfigKey<String>.string(
        "errors.deadletterqueue.topic.name",
        default: "",
        "Topic for records that this connector cannot deliver, with errors.tolerance=all; empty for none."
    ).shown(in: ConnectorKeys.errors, as: "Dead Letter Queue Topic Name")
    static let deadLetterReplication = ConfigKey<Int>.int(
        "errors.deadletterqueue.topic.replication.factor",
        type: .short,
        default: 3,
        "Copies of the dead letter topic when it is created."
    ).shown(in: ConnectorKeys.errors, as: "Dead Letter Queue Topic Replication Factor")
    static let deadLetterHeaders = ConfigKey<Bool>.boolean(
        "errors.deadletterqueue.context.headers.enable",
        default: false,
        "Whether dead letters carry headers that tell where they came from and why they failed; their names begin with "
            + "`__connect.errors.`."
    ).shown(in: ConnectorKeys.errors, as: "Enable Error Context Headers")

    static let deadLetter: [any AnyConfigKey] = [deadLetterTopic, deadLetterReplication, deadLetterHeaders]
    static let all: [ConfigDefinition] = {
        // Kafka Connect gives both topic keys the fourth place of "Common".
        let topicKeys = ConnectorKeys.placed([topics], from: 4) + ConnectorKeys.placed([topicsRegex], from: 4)
        return ConnectorKeys.all + topicKeys
            + ConnectorKeys.placed(deadLetter, from: 6)
    }()
}

/// Keys of sources (Kafka Connect 4.3, `SourceConnectorConfig`).
enum SourceConnectorKeys {
    static let once = "Exactly Once Support"
    static let topicCreationGroups = ConfigKey<[String]>.aliases(
        "topic.creation.groups",
        "Names of groups of topics that are created with settings of their own, under `topic.creation.NAME.`."
    ).shown(in: "Topic Creation", as: "Topic Creation Groups", width: .long)
    static let exactlyOnce = ConfigKey<ExactlyOnceDemand>.choice(
        "exactly.once.support",
        default: .requested,
        "required refuses the connector unless the worker runs with exactly.once.source.support=enabled."
    ).shown(in: once, as: "Exactly once support", width: .short)
    static let boundary = ConfigKey<BoundaryWord>.choice(
        "transaction.boundary",
        default: .poll,
        "Where a transaction ends: after every poll, after an interval, or where the connector says."
    ).shown(in: once, as: "Transaction Boundary", width: .short)
    static let boundaryInterval = ConfigKey<Duration?>(
        "transaction.boundary.interval.ms",
        type: .long,
        default: .some(nil),
        defaultText: nil,
        importance: .low,
        valid: "[0,...]",
        "Length of a transaction with transaction.boundary=interval; absent for offset.flush.interval.ms."
    ) { text throws(ConfigIssue.Reason) in
        let number = try ConfigKey<Int>.number(text, .long)
        guard number >= 0 else { throw ConfigIssue.Reason("Value must be at least 0").showing("\(number)") }
        return .milliseconds(number)
    }.shown(in: once, as: "Transaction boundary interval", width: .short)
    static let offsetsTopic = ConfigKey<String?>(
        "offsets.storage.topic",
        type: .string,
        default: .some(nil),
        defaultText: nil,
        importance: .low,
        valid: "non-empty string",
        "Topic of its own for the offsets of this connector; absent for the worker's."
    ) { text throws(ConfigIssue.Reason) in
        guard !text.trimmingBlanks.isEmpty else { throw ConfigIssue.Reason("String must be non-empty").showing("") }
        return text.trimmingBlanks
    }.shown(in: "offsets.topic", as: "Offsets topic", width: .long)

    static let all: [ConfigDefinition] =
        ConnectorKeys.all
        + ConnectorKeys.placed([topicCreationGroups, exactlyOnce, boundary, boundaryInterval], from: 1)
        + ConnectorKeys.placed([offsetsTopic], from: 1)
}

/// Keys of this worker that Kafka Connect does not have; valid in every connector's config.
enum OwnKeys {
    /// Sources have dead letter queues too, under the names that Kafka Connect gives those of sinks.
    static func all(for kind: ConnectorKind) -> [ConfigDefinition] {
        all + (kind == .source ? ConnectorKeys.placed(SinkConnectorKeys.deadLetter, from: 6) : [])
    }
    private static let all: [ConfigDefinition] = ConnectorKeys.placed(
        [
            WorkerKeys.restartPolicy.shown(in: ConnectorKeys.errors),
            WorkerKeys.restartBackoff.shown(in: ConnectorKeys.errors),
            WorkerKeys.restartBackoffMax.shown(in: ConnectorKeys.errors),
            WorkerKeys.restartAttempts.shown(in: ConnectorKeys.errors),
            WorkerKeys.restartReset.shown(in: ConnectorKeys.errors),
        ],
        from: 9
    )
}

extension ConnectorKind {
    /// What every connector of this kind may set; the connector's own keys follow.
    var frameworkDefinitions: [ConfigDefinition] { self == .source ? SourceConnectorKeys.all : SinkConnectorKeys.all }
    /// Their names.
    var frameworkNames: Set<String> { Set(frameworkDefinitions.map(\.name)) }
}
