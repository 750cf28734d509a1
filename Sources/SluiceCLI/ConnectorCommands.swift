import CommandGrammar
import ConnectAPI

/// `get`, `describe`, `delete`, `pause`, `resume`, `stop` and `restart`.
struct ConnectorCommands {
    let environment: CommandEnvironment
    private var terminal: Terminal { environment.terminal }
    private static let name = Argument("name", .many, "Connectors, as NAME… or connector NAME….")

    var commands: [Command] { [get, describe, delete] + switches + [restart] }

    // MARK: get

    private static let allPlugins = Option("all", short: "a", "Also transforms, predicates and converters.")

    private var get: Command {
        let environment = environment
        return Command(
            "get",
            "List connectors, plugins, tasks, workers or broken config files.",
            commands: [
                Command(
                    "connectors",
                    aliases: ["connector"],
                    "List connectors with their state.",
                    options: [Options.output]
                ) {
                    values in
                    let all = try await environment.client(values).connectors()
                    try environment.terminal.show(all, as: values[Options.output]) { Self.table(of: all) }
                    return 0
                },
                Command(
                    "plugins",
                    aliases: ["plugin"],
                    "List the connectors that the worker can run.",
                    options: [Options.output, Self.allPlugins]
                ) {
                    values in
                    let all = try await environment.client(values).plugins(all: values[Self.allPlugins])
                    try environment.terminal.show(all, as: values[Options.output]) {
                        var table = TextTable(["CLASS", "TYPE", "VERSION"])
                        for plugin in all { table.add([plugin.className, plugin.type, plugin.version]) }
                        return table.text
                    }
                    return 0
                },
                Command("tasks", "List tasks with what they have moved.", options: [Options.output]) { values in
                    let all = try await environment.client(values).tasks()
                    try environment.terminal.show(all, as: values[Options.output]) { Self.table(of: all) }
                    return 0
                },
                Command(
                    "workers",
                    aliases: ["worker"],
                    "List the workers of the cluster, and which one leads.",
                    options: [Options.output]
                ) { values in
                    let all = try await environment.client(values).workers()
                    try environment.terminal.show(all, as: values[Options.output]) {
                        var table = TextTable(["WORKER", "ROLE", "URL", "HOST"])
                        for one in all { table.add([one.workerID, one.role, one.url, one.host]) }
                        return table.text
                    }
                    return 0
                },
                Command(
                    "problems",
                    "List files of the config directory that are not in force.",
                    options: [Options.output]
                ) {
                    values in
                    let all = try await environment.client(values).fileProblems()
                    try environment.terminal.show(all, as: values[Options.output]) {
                        var table = TextTable(["FILE", "LINE", "KEY", "REASON"])
                        for one in all {
                            table.add([one.file, one.line.map(String.init) ?? "-", one.key ?? "-", one.reason])
                        }
                        return table.text
                    }
                    return all.isEmpty ? 0 : CLIError.Status.failed.rawValue
                },
            ]
        )
    }
    private static func table(of all: [String: ExpandedConnectorBody]) -> String {
        var table = TextTable(["NAME", "TYPE", "STATE", "TASKS", "WORKER", "CLASS"])
        for (name, one) in all.sorted(by: { $0.key < $1.key }) {
            let tasks = one.status?.tasks ?? []
            let running = tasks.count { $0.state == "RUNNING" }
            table.add([
                name, one.status?.type ?? one.info?.type ?? "unknown", one.status?.connector.state ?? "UNASSIGNED",
                "\(running)/\(tasks.count)", one.status?.connector.workerID ?? "-",
                one.info?.config["connector.class"] ?? "-",
            ])
        }
        return table.text
    }
    private static func table(of all: [TaskSnapshotBody]) -> String {
        var table = TextTable(["TASK", "TYPE", "STATE", "READ", "WRITTEN", "FAILED", "LAG", "BUFFERED", "NOTE"])
        for task in all {
            table.add([
                "\(task.id.connector)-\(task.id.task)", task.type, task.state, "\(task.recordsRead)",
                "\(task.recordsWritten)", "\(task.recordsFailed)", task.lag.map(String.init) ?? "-",
                "\(task.bufferedBytes)", task.note ?? "",
            ])
        }
        return table.text
    }

    // MARK: describe

    private struct Description: Encodable {
        var info: ConnectorInfoBody
        var status: ConnectorStatusBody
    }

    private var describe: Command {
        let environment = environment
        return Command(
            "describe",
            "Show config, state and errors of connectors, or the keys of a plugin.",
            details:
                "  sluice describe NAME…            connectors\n  sluice describe plugin CLASS     a plugin's keys",
            options: [Options.output],
            arguments: [Self.name]
        ) { values in
            let client = try environment.client(values)
            if values.arguments.count == 2, values.arguments[0] == "plugin" {
                let keys = try await client.keys(ofPlugin: values.arguments[1])
                try environment.terminal.show(keys, as: values[Options.output]) { Self.page(of: keys) }
                return 0
            }
            for name in names(values) {
                let both = Description(info: try await client.info(name), status: try await client.status(name))
                try environment.terminal.show(both, as: values[Options.output]) { Self.page(of: both) }
            }
            return 0
        }
    }
    private static func page(of keys: [ConfigKeyBody]) -> String {
        keys.map { key in
            let fallback = key.required ? "required" : "default \(key.defaultValue.map { "\"\($0)\"" } ?? "none")"
            return "\(key.name)  (\(key.type.lowercased()), \(fallback))\n    \(key.documentation)\n"
        }.joined()
    }
    private static func page(of both: Description) -> String {
        let status = both.status
        var text = "Name:       \(status.name)\nType:       \(status.type)\nState:      \(status.connector.state)\n"
        text += "Worker ID:  \(status.connector.workerID)\n"
        if let trace = status.connector.trace { text += "Trace:      \(indented(trace))\n" }
        text += "Config:\n"
        for (key, value) in both.info.config.sorted(by: { $0.key < $1.key }) { text += "  \(key): \(value)\n" }
        text += "Tasks:\n"
        for task in status.tasks {
            text += "  \(task.id):\n    State:      \(task.state)\n    Worker ID:  \(task.workerID)\n"
            if let note = task.note { text += "    Note:       \(note)\n" }
            if let trace = task.trace { text += "    Trace:      \(indented(trace))\n" }
        }
        return text
    }
    private static func indented(_ trace: String) -> String {
        trace.split(separator: "\n").joined(separator: "\n                ")
    }

    // MARK: verbs that change the state

    private var delete: Command {
        verb("delete", "Delete connectors; their offsets stay.", "deleted") { client, name in
            try await client.tell("DELETE", ["connectors", name])
        }
    }
    private var switches: [Command] {
        [
            ("pause", "Pause connectors; their tasks keep what they hold.", "paused"),
            ("resume", "Resume paused or stopped connectors.", "resumed"),
            ("stop", "Stop connectors; their tasks end, config and offsets stay.", "stopped"),
        ].map { word, summary, done in
            verb(word, summary, done) { client, name in try await client.tell("PUT", ["connectors", name, word]) }
        }
    }
    private func verb(
        _ word: String,
        _ summary: String,
        _ done: String,
        _ body: @escaping @Sendable (ConnectClient, String) async throws -> Void
    ) -> Command {
        let environment = environment
        return Command(word, summary, arguments: [Self.name]) { values in
            let client = try environment.client(values)
            for name in names(values) {
                try await body(client, name)
                environment.terminal.tell("connector \(name) \(done)")
            }
            return 0
        }
    }

    private enum Which: String, CaseIterable { case none, failed, all }
    private static let tasks = Option("tasks", short: "t", Kind<Which>.choice, default: .all, "Which tasks as well.")

    private var restart: Command {
        let environment = environment
        return Command(
            "restart",
            "Restart connectors with their tasks, or one task as NAME/NUMBER.",
            options: [Self.tasks],
            arguments: [Self.name]
        ) { values in
            let client = try environment.client(values)
            for name in names(values) where name != "task" {
                if let slash = name.lastIndex(of: "/"), let task = Int(name[name.index(after: slash)...]) {
                    let connector = String(name[..<slash])
                    try await client.tell("POST", ["connectors", connector, "tasks", "\(task)", "restart"])
                } else {
                    let which = values[Self.tasks]
                    let query = which == .none ? "" : "includeTasks=true&onlyFailed=\(which == .failed)"
                    try await client.tell("POST", ["connectors", name, "restart"], query: query)
                }
                environment.terminal.tell("\(name) restarted")
            }
            return 0
        }
    }
}
