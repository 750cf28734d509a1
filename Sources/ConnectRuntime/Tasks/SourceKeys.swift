public import ConnectConfig

/// What `exactly.once.support` says.
public enum ExactlyOnceSupport: String, Sendable, Hashable, CaseIterable {
    /// Exactly once when the worker offers it.
    case requested
    /// The connector does not start without it.
    case required
}

/// When a source's transactions end.
public enum TransactionBoundary: String, Sendable, Hashable, CaseIterable {
    /// With each batch that the source hands over.
    case poll
    /// After a time.
    case interval
    /// When the connector says so.
    case connector
}

/// The keys of every source connector beyond its own (Kafka Connect 4.3, `SourceConnectorConfig`); rules for topics are
/// `topic.creation.default.*`, `topic.creation.groups` and `topic.creation.<group>.*`.
public enum SourceKeys {
    /// `topic.creation.groups`.
    public static let topicCreationGroups = ConfigKey<[String]>.list(
        "topic.creation.groups",
        default: [],
        importance: .low,
        "Groups of topics with rules of their own for how they are created."
    ).shown(in: "Topic Creation", as: "Topic Creation Groups", width: .long)
    /// `exactly.once.support`.
    public static let exactlyOnceSupport = ConfigKey<ExactlyOnceSupport>.choice(
        "exactly.once.support",
        default: .requested,
        "Whether the connector must be able to deliver exactly once ('required') or does so when the worker offers it."
    ).shown(in: "Exactly Once Support", as: "Exactly once support", width: .short)
    /// `transaction.boundary`.
    public static let transactionBoundary = ConfigKey<TransactionBoundary>.choice(
        "transaction.boundary",
        default: .poll,
        "When a transaction ends: with each batch ('poll'), after a time ('interval'), or when the connector says so."
    ).shown(in: "Exactly Once Support", as: "Transaction Boundary", width: .short)
    /// `transaction.boundary.interval.ms`.
    public static let transactionInterval = ConfigKey<Int>.int(
        "transaction.boundary.interval.ms",
        in: 0...Int(Int32.max),
        type: .long,
        default: 0,
        importance: .low,
        "Milliseconds after which a transaction ends with transaction.boundary=interval; 0 is the worker's "
            + "offset.flush.interval.ms."
    ).shown(in: "Exactly Once Support", as: "Transaction boundary interval", width: .short)

    /// All of them.
    public static let all: [any AnyConfigKey] = [
        topicCreationGroups, exactlyOnceSupport, transactionBoundary, transactionInterval,
    ]

    /// Nil when the worker delivers at least once.
    static func boundary(
        _ raw: [String: String],
        _ environment: TaskEnvironment
    ) throws(ConfigInvalid) -> SourceTaskMachine.Boundary? {
        var reader = ConfigReader(raw)
        let support = reader.read(exactlyOnceSupport), boundary = reader.read(transactionBoundary)
        let interval = reader.read(transactionInterval)
        let isOffered = environment.transactionGroup != nil && environment.offsets is any TransactionalOffsetStorage
        reader.require(
            isOffered || support != .required,
            exactlyOnceSupport,
            "This worker does not deliver exactly once: set exactly.once.source.support=enabled in its properties"
        )
        return try reader.finish {
            guard let boundary, let interval else { return nil }
            guard isOffered else { return .some(nil) }
            switch boundary {
            case .poll: return .poll
            case .connector: return .connector
            case .interval:
                return .interval(interval == 0 ? environment.offsetFlushInterval : .milliseconds(interval))
            }
        }
    }
}
