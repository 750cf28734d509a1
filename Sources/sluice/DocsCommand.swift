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
