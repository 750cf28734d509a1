public import ConnectConfig

/// What a connector is.
public enum ConnectorKind: String, Sendable, Hashable {
    case source
    case sink
}

/// A connector as a value in a list (`ConnectorRegistry`); nothing registers itself.
public protocol ConnectorDescriptor: Sendable {
    /// The `connector.class` that lists show: `PostgresSink`.
    var name: String { get }
    /// Other values of `connector.class` that mean the same: class names of well-known Java connectors.
    var aliases: [String] { get }
    /// The connector's version.
    var version: String { get }
    /// Source or sink.
    var kind: ConnectorKind { get }
    /// What it does, in one sentence.
    var summary: String { get }
    /// Its own keys, beyond those that every connector has.
    var keys: [any AnyConfigKey] { get }
    /// Rules across keys; empty when `raw` is valid. Each key by itself has been checked by its definition.
    func issues(in raw: [String: String]) -> [ConfigIssue]
    /// One config per task, at most `most`; `raw` is valid.
    func taskConfigs(_ raw: [String: String], most: Int) -> [[String: String]]
}

/// A source connector.
public struct SourceDescriptor: ConnectorDescriptor {
    /// The `connector.class` that lists show.
    public let name: String
    /// Other values of `connector.class` that mean the same.
    public let aliases: [String]
    /// The connector's version.
    public let version: String
    /// What it does, in one sentence.
    public let summary: String
    /// Its own keys, beyond those that every connector has.
    public let keys: [any AnyConfigKey]
    private let check: @Sendable ([String: String]) throws(ConfigInvalid) -> Void
    private let split: @Sendable ([String: String], Int) -> [[String: String]]
    private let make: @Sendable ([String: String], any SourceTaskContext) throws(ConfigInvalid) -> any SourceTask
    private let checkOffsets: @Sendable ([String: String], [SourcePosition]) throws(OffsetsError) -> Void
    /// Always ``ConnectorKind/source``.
    public var kind: ConnectorKind { .source }

    /// `check` parses the whole config and throws its issues; `split` gives one config per task, by default one in all;
    /// `checkOffsets` refuses positions that the connector could not go on from, by default none.
    public init(
        name: String,
        aliases: [String] = [],
        version: String,
        summary: String,
        keys: [any AnyConfigKey],
        check: @escaping @Sendable ([String: String]) throws(ConfigInvalid) -> Void,
        split: @escaping @Sendable ([String: String], Int) -> [[String: String]] = { raw, _ in [raw] },
        make: @escaping @Sendable ([String: String], any SourceTaskContext) throws(ConfigInvalid) -> any SourceTask,
        checkOffsets: @escaping @Sendable ([String: String], [SourcePosition]) throws(OffsetsError) -> Void = {
            _,
            _ throws(OffsetsError) in
        }
    ) {
        (self.name, self.aliases, self.version, self.summary) = (name, aliases, version, summary)
        (self.keys, self.check, self.split, self.make) = (keys, check, split, make)
        self.checkOffsets = checkOffsets
    }
    /// Issues across keys; empty when `raw` is valid.
    public func issues(in raw: [String: String]) -> [ConfigIssue] {
        do { try check(raw) } catch { return error.issues }
        return []
    }
    /// One config per task, at most `most`.
    public func taskConfigs(_ raw: [String: String], most: Int) -> [[String: String]] {
        Array(split(raw, most).prefix(most))
    }
    /// A task for one of ``taskConfigs(_:most:)``; not started yet.
    public func makeTask(
        _ raw: [String: String],
        _ context: any SourceTaskContext
    ) throws(ConfigInvalid) -> any SourceTask { try make(raw, context) }
    /// Whether the stopped connector could go on from these positions; a position without offset removes the stored one.
    ///
    /// Throws what is wrong with them.
    public func check(offsets positions: [SourcePosition], _ raw: [String: String]) throws(OffsetsError) {
        try checkOffsets(raw, positions)
    }
}

/// A sink connector; its tasks share the partitions as members of one consumer group.
public struct SinkDescriptor: ConnectorDescriptor {
    /// The `connector.class` that lists show.
    public let name: String
    /// Other values of `connector.class` that mean the same.
    public let aliases: [String]
    /// The connector's version.
    public let version: String
    /// What it does, in one sentence.
    public let summary: String
    /// Its own keys, beyond those that every connector has.
    public let keys: [any AnyConfigKey]
    private let check: @Sendable ([String: String]) throws(ConfigInvalid) -> Void
    private let make: @Sendable ([String: String], any SinkTaskContext) throws(ConfigInvalid) -> any SinkTask
    /// Whether JSON values may come as the bytes that were consumed; otherwise they are parsed, and refused, before.
    public let takesRawJSON: Bool
    private let moveOffsets: MoveOffsets
    /// Moves the offsets that a connector keeps beside its data; gets the config, the connector's name and the change.
    public typealias MoveOffsets =
        @Sendable (_ raw: [String: String], _ connector: String, _ change: SinkOffsetsChange) async throws(OffsetsError)
        -> Void
    /// Always ``ConnectorKind/sink``.
    public var kind: ConnectorKind { .sink }

    /// `check` parses the whole config and throws its issues; a sink that shows fields of parsed values in its own way takes
    /// no raw JSON; `moveOffsets` is for sinks that keep offsets beside their data.
    public init(
        name: String,
        aliases: [String] = [],
        version: String,
        summary: String,
        keys: [any AnyConfigKey],
        takesRawJSON: Bool = true,
        check: @escaping @Sendable ([String: String]) throws(ConfigInvalid) -> Void,
        make: @escaping @Sendable ([String: String], any SinkTaskContext) throws(ConfigInvalid) -> any SinkTask,
        moveOffsets: @escaping MoveOffsets = { _, _, _ throws(OffsetsError) in }
    ) {
        (self.name, self.aliases, self.version, self.summary) = (name, aliases, version, summary)
        (self.keys, self.check, self.make, self.moveOffsets) = (keys, check, make, moveOffsets)
        self.takesRawJSON = takesRawJSON
    }
    /// Issues across keys; empty when `raw` is valid.
    public func issues(in raw: [String: String]) -> [ConfigIssue] {
        do { try check(raw) } catch { return error.issues }
        return []
    }
    /// As many equal configs as `tasks.max` allows: the consumer group shares the partitions out.
    public func taskConfigs(_ raw: [String: String], most: Int) -> [[String: String]] {
        Array(repeating: raw, count: most)
    }
    /// A task for one of ``taskConfigs(_:most:)``; not started yet.
    public func makeTask(
        _ raw: [String: String],
        _ context: any SinkTaskContext
    ) throws(ConfigInvalid) -> any SinkTask { try make(raw, context) }
    /// Moves the offsets that the connector keeps beside its data, before those of its consumer group are moved.
    ///
    /// Called while the connector is STOPPED, on a thread that may be blocked (Kafka Connect 4.3,
    /// `SinkConnector.alterOffsets`). Throws when the change is refused or the place of the data cannot be reached; nothing
    /// has changed then.
    public func move(
        offsets change: SinkOffsetsChange,
        of connector: String,
        _ raw: [String: String]
    ) async throws(OffsetsError) { try await moveOffsets(raw, connector, change) }
}
