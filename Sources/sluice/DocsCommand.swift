import CommandGrammar
import ConnectConfig
import ConnectRuntime
import ConnectSDK
import ConnectorRegistry
import FileAccess
import SluiceCLI

/// `sluice docs`: the reference pages, made from the declarations that validation and help use as well.
struct DocsCommand {
    let terminal: Terminal
    private static let out = Option("out", .path, default: "Docs/reference", "Folder of the pages.")

    var command: Command {
        let terminal = terminal
        return Command("docs", "Write the reference pages of worker and connectors.", options: [Self.out]) { values in
            let folder = values[Self.out]
            var pages = ["worker.md": Self.workerPage]
            for connector in Registry.connectors {
                pages["\(connector.name).md"] = Self.page(
                    "# \(connector.name)\n\n\(connector.summary)\n\n"
                        + (connector.aliases.isEmpty
                            ? ""
                            : "Also answers to " + connector.aliases.map { "`\($0)`" }.joined(separator: ", ") + ".\n\n")
                        + "Keys of every connector: [connectors.md](connectors.md).\n",
                    connector.keys.map(\.definition)
                )
            }
            pages["transforms.md"] = Self.transformsPage
            pages["converters.md"] = Self.convertersPage
            pages["connectors.md"] = Self.page(
                "# Keys of every connector\n\nWhat a connector's own page lists comes on top of these.\n",
                WorkerConfig.connectorDefinitions
            )
            try FileTree.makeDirectory(folder)
            for (name, text) in pages.sorted(by: { $0.key < $1.key }) {
                let path = "\(folder)/\(name)"
                try OpenFile(path, .replace).write(Array(text.utf8)[...])
                terminal.tell(path)
            }
            return 0
        }
    }

    private static var workerPage: String {
        page(
            "# Worker properties\n\nRead from the properties file, overridden by `CONNECT_*` variables, overridden by flags.\n",
            WorkerConfig.definitions
        )
    }

    /// Transforms of keys and values are described once.
    private static var transformsPage: String {
        var text = "# Transforms and predicates\n\nKeys follow as `transforms.NAME.…` and `predicates.NAME.…`.\n"
        let plugins = Registry.plugins
        for plugin in plugins.transforms where !plugin.name.hasSuffix("$Key") {
            let isPair = plugin.name.hasSuffix("$Value")
            let name = isPair ? String(plugin.name.dropLast("$Value".count)) : plugin.name
            let title = isPair ? "\(short(name))`$Key`, `\(short(name))$Value" : short(name)
            text += entry(title, isPair ? "\(name)$Key, \(name)$Value" : name, plugin.summary, plugin.keys)
        }
        for plugin in plugins.predicates { text += entry(short(plugin.name), plugin.name, plugin.summary, plugin.keys) }
        return text
    }
    private static var convertersPage: String {
        var text = "# Converters\n\nKeys follow as `key.converter.…`, `value.converter.…` and `header.converter.…`.\n"
        let plugins = Registry.plugins
        for plugin in plugins.converters { text += entry(short(plugin.name), plugin.name, plugin.summary, plugin.keys) }
        for plugin in plugins.headerConverters where !plugins.converters.contains(where: { $0.name == plugin.name }) {
            text += entry(short(plugin.name), plugin.name, plugin.summary + " For headers only.", plugin.keys)
        }
        return text
    }
    private static func short(_ name: String) -> String { name.split(separator: ".").last.map(String.init) ?? name }
    private static func entry(_ title: String, _ name: String, _ summary: String, _ keys: [any AnyConfigKey]) -> String
    {
        "\n## `\(title)`\n\n\(summary)\n" + (name == title ? "" : "\n`\(name)`\n")
            + keys.map { section($0.definition) }.joined()
    }

    /// Headings in order of appearance, keys in order of declaration.
    private static func page(_ head: String, _ definitions: [ConfigDefinition]) -> String {
        var groups: [String] = []
        for definition in definitions where !groups.contains(definition.group ?? "") {
            groups.append(definition.group ?? "")
        }
        return head
            + groups.map { group in
                (group.isEmpty ? "" : "\n## \(group)\n")
                    + definitions.filter { ($0.group ?? "") == group }.map(section).joined()
            }.joined()
    }
    private static func section(_ key: ConfigDefinition) -> String {
        var facts = [key.type.rawValue.lowercased(), key.importance.rawValue.lowercased() + " importance"]
        facts.append(key.isRequired ? "required" : key.defaultText.map { "default `\($0)`" } ?? "no default")
        if let valid = key.validValues { facts.append("valid: \(valid)") }
        return "\n### `\(key.name)`\n\n\(facts.joined(separator: " · "))\n\n\(key.documentation)\n"
    }
}
