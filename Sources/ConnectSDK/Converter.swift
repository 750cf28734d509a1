public import ConnectConfig
public import ConnectModel

/// Data that a converter, transform or predicate refuses; not retriable: `errors.tolerance` decides what happens to the record.
public struct DataError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The exception class that Kafka Connect would name here, for dead letter headers and compatible answers: `org.apache.kafka.connect.errors.DataException`.
    public let javaClass: String
    /// What is wrong, as Kafka Connect words it where it has a word for it.
    public let message: String
    /// The class of the part that refused, for dead letter headers; nil when it is the one that was called.
    public var className: String?

    /// Makes an error; a `DataException` unless said otherwise.
    public init(_ message: String, javaClass: String = "org.apache.kafka.connect.errors.DataException") {
        (self.message, self.javaClass) = (message, javaClass)
    }
    /// The message.
    public var description: String { message }
}

/// Turns a Kafka record's key or value into a value with schema, and back (Kafka Connect 4.3, `Converter`).
///
/// Thread-safe; a converter belongs to one task and is told at its making whether it serves keys or values.
public protocol Converter: Sendable {
    /// The format of raw bytes that may pass this converter untouched, in both directions; nil when all must be converted.
    var rawFormat: RawFormat? { get }
    /// Reads a record's bytes; nil is a null key or a tombstone.
    func toConnect(topic: String, bytes: RawSpan?) throws(DataError) -> SchemaAndValue
    /// Writes a record's bytes; nil for a null key or a tombstone.
    func fromConnect(topic: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]?
}

/// Turns a header's bytes into a value with schema, and back (Kafka Connect 4.3, `HeaderConverter`).
public protocol HeaderConverter: Sendable {
    /// Reads a header's bytes; nil is a null value.
    func toConnectHeader(topic: String, name: String, bytes: [UInt8]?) throws(DataError) -> SchemaAndValue
    /// Writes a header's bytes; nil is a null value.
    func fromConnectHeader(topic: String, name: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]?
}

/// Changes a record or drops it (Kafka Connect 4.3, `Transformation`).
public protocol RecordTransform: Sendable {
    /// The changed record; nil drops it.
    func apply(_ record: ConnectRecord) throws(DataError) -> ConnectRecord?
}

/// Decides whether a transform sees a record (Kafka Connect 4.3, `Predicate`).
public protocol RecordPredicate: Sendable {
    /// Whether the record matches.
    func test(_ record: ConnectRecord) throws(DataError) -> Bool
}

/// What kind of plugin a ``PluginDescriptor`` makes; the raw value is Kafka Connect's `type` in plugin lists.
public enum PluginKind: String, Sendable, Hashable {
    case converter
    case headerConverter = "header_converter"
    case transformation
    case predicate
}

/// A plugin without I/O (converter, header converter, transform, predicate) as a value in a list.
public struct PluginDescriptor<Product>: Sendable {
    /// The class name that lists show and configs use: `org.apache.kafka.connect.json.JsonConverter`.
    public let name: String
    /// Other names that mean the same: `JsonConverter`.
    public let aliases: [String]
    /// The plugin's version.
    public let version: String
    /// What it does, in one sentence.
    public let summary: String
    /// Its keys, without the prefix that they have in a connector's config.
    public let keys: [any AnyConfigKey]
    /// Makes one from its own keys (prefix removed); `isKey` matters to converters only.
    ///
    /// Throws ``ConfigInvalid`` for values its keys refuse and for what Kafka Connect finds only when a task starts.
    public let make: @Sendable (_ config: [String: String], _ isKey: Bool) throws(ConfigInvalid) -> Product

    /// Describes a plugin.
    public init(
        name: String,
        aliases: [String] = [],
        version: String,
        summary: String,
        keys: [any AnyConfigKey] = [],
        make: @escaping @Sendable (_ config: [String: String], _ isKey: Bool) throws(ConfigInvalid) -> Product
    ) {
        (self.name, self.aliases, self.version, self.summary) = (name, aliases, version, summary)
        (self.keys, self.make) = (keys, make)
    }
}

/// Everything a worker can run, composed by the executable and handed down; there is no global list.
public struct Plugins: Sendable {
    /// Source and sink connectors.
    public var connectors: [any ConnectorDescriptor]
    /// Key and value converters.
    public var converters: [PluginDescriptor<any Converter>]
    /// Header converters.
    public var headerConverters: [PluginDescriptor<any HeaderConverter>]
    /// Transforms.
    public var transforms: [PluginDescriptor<any RecordTransform>]
    /// Predicates.
    public var predicates: [PluginDescriptor<any RecordPredicate>]
    /// Builds the chain of `transforms=a,b` with their predicates out of a connector's whole config; nil without any.
    public var chain: @Sendable (_ config: [String: String]) throws(ConfigInvalid) -> (any RecordTransform)?

    /// Composes the lists.
    public init(
        connectors: [any ConnectorDescriptor],
        converters: [PluginDescriptor<any Converter>] = [],
        headerConverters: [PluginDescriptor<any HeaderConverter>] = [],
        transforms: [PluginDescriptor<any RecordTransform>] = [],
        predicates: [PluginDescriptor<any RecordPredicate>] = [],
        chain: @escaping @Sendable ([String: String]) throws(ConfigInvalid) -> (any RecordTransform)? = {
            _ throws(ConfigInvalid) in nil
        }
    ) {
        (self.connectors, self.converters, self.headerConverters) = (connectors, converters, headerConverters)
        (self.transforms, self.predicates, self.chain) = (transforms, predicates, chain)
    }

    /// The connector that `connector.class` means: by name, by alias, or by the last part of either, with or without
    /// "Connector" at its end.
    public func connector(named name: String) -> (any ConnectorDescriptor)? {
        func short(_ text: some StringProtocol) -> String {
            let last = String(text.split(separator: ".").last ?? "")
            return last.hasSuffix("Connector") ? String(last.dropLast("Connector".count)) : last
        }
        if let exact = connectors.first(where: { $0.name == name || $0.aliases.contains(name) }) { return exact }
        guard !name.contains(".") else { return nil }  // another package's class of the same name is another connector
        return connectors.first { ([$0.name] + $0.aliases).contains { short($0) == short(name) } }
    }
}
