internal import ConnectConfig
public import ConnectSDK

/// What Kafka Connect's validation says of a plugin's config, no more and no less, for `sluice eval`.
///
/// A worker checks more: unknown keys, settings of new topics, a demand of exactly once that it cannot meet.
public struct PluginCheck: Sendable {
    private let plugins: Plugins

    /// Checks configs of these plugins.
    public init(plugins: Plugins) { self.plugins = plugins }

    /// The keys with problems, in order of definition; a nil value is JSON's null.
    ///
    /// A connector is checked as a whole, with its converters, transforms and predicates; any other plugin by its own
    /// keys. Throws what makes Kafka Connect refuse the question as a whole.
    public func problems(
        of plugin: String,
        with config: [(key: String, value: String?)]
    ) throws(DataError) -> [(key: String, messages: [String])] {
        let config = ConfigMap(config.map { ($0.key, $0.value) })
        if let keys = ownKeys(of: plugin) {
            return keys.map(\.definition).map { key in
                (key.name, key.problems(with: config.given(key.name)))
            }.filter { !$0.messages.isEmpty }
        }
        do throws(ConnectorCheck.Refusal) {
            let scope = ConnectorCheck.Scope(isKafkaConnects: true)
            let result = try ConnectorCheck.run(config, of: connector(for: config), plugins: plugins, scope: scope)
            return result.keys.filter { !$0.errors.isEmpty }.map { ($0.definition.name, $0.errors) }
        } catch { throw DataError(error.message, javaClass: error.javaClass) }
    }

    private func ownKeys(of plugin: String) -> [any AnyConfigKey]? {
        plugins.transforms.named(plugin)?.keys ?? plugins.predicates.named(plugin)?.keys
            ?? plugins.converters.named(plugin)?.keys ?? plugins.headerConverters.named(plugin)?.keys
    }

    private func connector(for config: ConfigMap) throws(ConnectorCheck.Refusal) -> any ConnectorDescriptor {
        guard let type = config["connector.class"] else {
            let shown = JavaHashOrder.sorted(config.keys).map { "\($0)=\(config[$0] ?? "null")" }
            throw .badRequest("Connector config {\(shown.joined(separator: ", "))} contains no connector type")
        }
        if let wanted = config["connector.plugin.version"] {
            do { _ = try VersionRange(requirement: wanted) } catch { throw .badRequest(error.message) }
        }
        guard let found = plugins.connector(named: type) else {
            let known = plugins.connectors.map(\.className).sorted().joined(separator: ", ")
            throw .badRequest(
                "Failed to find any class that implements Connector and which name matches \(type), available connectors "
                    + "are: \(known)"
            )
        }
        return found
    }
}
