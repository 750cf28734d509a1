import ConnectConfig
import ConnectSDK
import FoundationEssentials
import Testing

@testable import ConnectRuntime
@testable import ConnectorRegistry

@Suite struct RegistryTests {
    @Test func `names and aliases mean one plugin each`() {
        func unique(_ names: [[String]]) -> Bool { Set(names.joined()).count == names.joined().count }
        let plugins = Registry.plugins
        #expect(unique(plugins.connectors.map { [$0.name] + $0.aliases }))
        #expect(unique(plugins.converters.map { [$0.name] + $0.aliases }))
        #expect(unique(plugins.headerConverters.map { [$0.name] + $0.aliases }))
        #expect(unique(plugins.transforms.map { [$0.name] + $0.aliases }))
        #expect(unique(plugins.predicates.map { [$0.name] + $0.aliases }))
    }
    @Test func `every key is documented`() {
        let plugins = Registry.plugins
        let keys =
            plugins.connectors.flatMap(\.keys) + plugins.converters.flatMap(\.keys)
            + plugins.transforms.flatMap(\.keys) + plugins.predicates.flatMap(\.keys)
        for key in keys.map(\.definition) {
            #expect(key.documentation.count > 10, "\(key.name)")
            // A default must be a value of its own key.
            if let text = key.defaultText { #expect(key.problems(with: text).isEmpty, "\(key.name)") }
        }
    }
}

/// The definitions that Kafka Connect 4.3.1's own plugins have, if they are beside the repository.
@Suite struct PluginDefinitionTests {
    private struct Plugin: Decodable {
        var plugin: String, kind: String, version: String?, keys: [Key]
    }
    private struct Key: Decodable {
        var name: String, type: String, required: Bool, importance: String, group: String?, order: Int, width: String
        var displayName: String, defaultText: String?, validValues: String?, dependents: [String]

        var facts: String {
            "\(name) \(type) required=\(required) \(importance) group=\(group ?? "-") order=\(order) width=\(width) "
                + "display=\(displayName) default=\(defaultText ?? "-") valid=\(validValues ?? "-") \(dependents)"
        }
    }
    private static func facts(_ key: ConfigDefinition) -> String {
        "\(key.name) \(key.type.rawValue) required=\(key.isRequired) \(key.importance.rawValue) group=\(key.group ?? "-") "
            + "order=\(key.orderInGroup) width=\(key.width.rawValue) display=\(key.displayName) "
            + "default=\(key.defaultText ?? "-") valid=\(key.validValues ?? "-") \(key.dependents)"
    }
    static let path: String? = {
        var root = #filePath.split(separator: "/").dropLast(3).map(String.init)
        for _ in 0..<2 {
            root.removeLast()
            let path = "/" + root.joined(separator: "/") + "/shared/specs/golden-transforms/plugin-definitions.jsonl"
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        return nil
    }()

    @Test(.enabled(if: path != nil, "the shared definitions are not here"))
    func `keys are Kafka Connect's but for the words of their documentation`() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let text = try String(contentsOf: URL(filePath: try #require(Self.path)), encoding: .utf8)
        let plugins = Registry.plugins
        var count = 0
        for line in text.split(separator: "\n") {
            let plugin = try decoder.decode(Plugin.self, from: Data(line.utf8))
            let found: (keys: [any AnyConfigKey], version: String)?
            switch plugin.kind {
            case "transformation": found = plugins.transforms.named(plugin.plugin).map { ($0.keys, $0.version) }
            case "predicate": found = plugins.predicates.named(plugin.plugin).map { ($0.keys, $0.version) }
            case "converter": found = plugins.converters.named(plugin.plugin).map { ($0.keys, $0.version) }
            case "header_converter": found = plugins.headerConverters.named(plugin.plugin).map { ($0.keys, $0.version) }
            case "source", "sink": found = plugins.connector(named: plugin.plugin).map { ($0.keys, $0.version) }
            default: continue  // the runtime's own, which its tests look at
            }
            let mine = try #require(found, "\(plugin.plugin)")
            count += 1
            #expect(mine.version == plugin.version, "\(plugin.plugin)")
            #expect(mine.keys.map { Self.facts($0.definition) } == plugin.keys.map(\.facts), "\(plugin.plugin)")
        }
        #expect(count == 50)
    }
}
