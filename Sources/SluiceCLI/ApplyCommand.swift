import CommandGrammar
import ConnectAPI
import FoundationEssentials

/// `apply -f`: creates or changes connectors from JSON files.
struct ApplyCommand {
    let environment: CommandEnvironment
    private static let files = Option(
        "file",
        short: "f",
        .list(of: .path),
        default: [],
        "A JSON file, a directory of them, or - for standard input; may be repeated."
    )
    private static let dryRun = Option("dry-run", "Only validate; change nothing.")

    var command: Command {
        let environment = environment
        return Command(
            "apply",
            "Create or change connectors from JSON files.",
            details:
                "  A file holds {\"name\":…,\"config\":{…}} or the config itself; the file's name names the connector then.",
            options: [Self.files, Self.dryRun]
        ) { values in
            let paths = values[Self.files]
            guard !paths.isEmpty else {
                throw UsageError("sluice apply: -f FILE is missing\nTry \"sluice apply --help\".")
            }
            // Read everything before anything is changed: a broken file leaves all as it was.
            let wanted = try paths.flatMap { try ConnectorFile.read($0, input: environment.terminal.input) }
            let client = try environment.client(values)
            var failed = 0
            for file in wanted {
                if values[Self.dryRun] {
                    failed += try await check(file, client) ? 0 : 1
                } else {
                    let answer = try await client.put(file.name, config: file.config)
                    for warning in answer.warnings { environment.terminal.tell("\(file.origin): warning: \(warning)") }
                    environment.terminal.tell("connector \(file.name) \(answer.isNew ? "created" : "configured")")
                }
            }
            return failed == 0 ? 0 : CLIError.Status.failed.rawValue
        }
    }
    private func check(_ file: ConnectorFile, _ client: ConnectClient) async throws -> Bool {
        guard let plugin = file.config["connector.class"] else {
            throw CLIError(
                .failed,
                "\(file.origin): connector.class is missing; \"sluice get plugins\" lists what there is"
            )
        }
        let (result, warnings) = try await client.validate(file.config, plugin: plugin)
        for warning in warnings { environment.terminal.tell("\(file.origin): warning: \(warning)") }
        for value in result.configs.map(\.value) {
            for error in value.errors { environment.terminal.tell("\(file.origin): \(value.name): \(error)") }
        }
        if result.errorCount == 0 { environment.terminal.tell("connector \(file.name) is valid") }
        return result.errorCount == 0
    }
}

/// One connector as a file has it.
struct ConnectorFile: Sendable, Hashable {
    /// The file, for messages.
    let origin: String
    let name: String
    let config: [String: String]

    /// A file's connector, those of all `*.json` of a directory, or standard input's for `-`.
    static func read(_ path: String, input: () -> [UInt8]) throws -> [Self] {
        if path == "-" { return [try parse(input(), origin: "standard input", fallbackName: nil)] }
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw CLIError(.notFound, "\(path): no such file or directory")
        }
        let files =
            isDirectory
            ? try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".json") }.sorted().map {
                path + "/" + $0
            } : [path]
        return try files.map { file in
            guard let data = FileManager.default.contents(atPath: file) else {
                throw CLIError(.failed, "\(file): cannot be read; check its permissions")
            }
            let last = file.split(separator: "/").last.map(String.init) ?? file
            let stem = last.hasSuffix(".json") ? String(last.dropLast(5)) : last
            return try parse(Array(data), origin: file, fallbackName: stem)
        }
    }
    static func parse(_ bytes: [UInt8], origin: String, fallbackName: String?) throws -> Self {
        let tree: JSONTree
        do { tree = try JSONTree.read(bytes) } catch {
            throw CLIError(.failed, "\(origin): is not JSON: \(reason(of: error))")
        }
        guard case .object(let top) = tree else {
            throw CLIError(.failed, "\(origin): a connector is a JSON object, {\"name\":…,\"config\":{…}}")
        }
        var config = top, name = top["name"]?.configText ?? fallbackName
        if case .object(let inner)? = top["config"] {
            config = inner
            name = top["name"]?.configText ?? inner["name"]?.configText ?? fallbackName
        }
        guard let name, !name.isEmpty else {
            throw CLIError(.failed, "\(origin): has no \"name\"; add one beside \"config\"")
        }
        return Self(origin: origin, name: name, config: config.compactMapValues(\.configText))
    }
    private static func reason(of error: any Error) -> String {
        guard case DecodingError.dataCorrupted(let context) = error else { return "\(error)" }
        return context.underlyingError.map { "\($0)" } ?? context.debugDescription
    }
}
