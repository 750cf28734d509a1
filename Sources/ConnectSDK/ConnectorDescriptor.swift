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
    /// Always ``ConnectorKind/source``.
    public var kind: ConnectorKind { .source }

    /// `check` parses the whole config and throws its issues; `split` gives one config per task, by default one in all.
    public init(
        name: String,
        aliases: [String] = [],
        version: String,
        summary: String,
        keys: [any AnyConfigKey],
        check: @escaping @Sendable ([String: String]) throws(ConfigInvalid) -> Void,
        split: @escaping @Sendable ([String: String], Int) -> [[String: String]] = { raw, _ in [raw] },
        make: @escaping @Sendable ([String: String], any SourceTaskContext) throws(ConfigInvalid) -> any SourceTask
    ) {
        (self.name, self.aliases, self.version, self.summary) = (name, aliases, version, summary)
        (self.keys, self.check, self.split, self.make) = (keys, check, split, make)
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
    /// Always ``ConnectorKind/sink``.
    public var kind: ConnectorKind { .sink }

    /// `check` parses the whole config and throws its issues; a sink that shows fields of parsed values in its own way takes
    /// no raw JSON.
    public init(
        name: String,
        aliases: [String] = [],
        version: String,
        summary: String,
        keys: [any AnyConfigKey],
        takesRawJSON: Bool = true,
        check: @escaping @Sendable ([String: String]) throws(ConfigInvalid) -> Void,
        make: @escaping @Sendable ([String: String], any SinkTaskContext) throws(ConfigInvalid) -> any SinkTask
    ) {
        (self.name, self.aliases, self.version, self.summary) = (name, aliases, version, summary)
        (self.keys, self.check, self.make) = (keys, check, make)
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
}
