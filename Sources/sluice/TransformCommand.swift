import CommandGrammar
import ConnectConfig
import ConnectModel
import ConnectSDK
import ConnectorRegistry
import FileAccess
import FoundationEssentials
import JSONReading
import SluiceCLI
import Transforms

/// `sluice transform`: a connector's transforms and predicates on records of a file or of standard input, without Kafka.
struct TransformCommand {
    let terminal: Terminal

    private static let connector = Option("connector", short: "c", .path, "The connector's JSON file; needed.")
    private static let input = Option(
        "input",
        short: "i",
        .path,
        default: "-",
        "Records, one JSON text a line; - for standard input."
    )

    var command: Command {
        let terminal = terminal
        return Command(
            "transform",
            "Try a connector's transforms on records, without Kafka.",
            details: """
                  A line is a JSON value, taken as the record's value, or an object of topic, partition, offset, timestamp, key,
                  value and headers with at least value, as "sluice consume -o json" prints it. A key, value or header of the form
                  {"schema", "payload"} has a schema. Records that come out go to standard output, one a line; records that are
                  dropped or refused are told on standard error with line, transform and reason, and counted at the end.
                  Exit status 1 when a record was refused.
                """,
            options: [Self.connector, Self.input]
        ) { values in
            guard let path = values[Self.connector] else {
                throw UsageError("sluice transform: --connector FILE says whose transforms to try")
            }
            let config = try Self.config(of: path)
            let type = config["connector.class"].flatMap { Registry.plugins.connector(named: $0)?.kind }
            let trial: RecordTrial
            do throws(ConfigInvalid) {
                let isSink = type.map { $0 == .sink } ?? (config["topics"] != nil || config["topics.regex"] != nil)
                trial = try RecordTrial(config: config, isSink: isSink, plugins: Registry.plugins)
            } catch {
                throw CLIError(.failed, error.issues.map { "\(path): \($0.message)" }.joined(separator: "\n"))
            }
            if trial.count == 0 { terminal.tell("\(path): no transforms; records come out as they went in") }
            return try Self.run(trial, values[Self.input], terminal)
        }
    }

    private static func run(_ trial: RecordTrial, _ input: String, _ terminal: Terminal) throws -> Int32 {
        var lines = LineReader(input == "-" ? .standardInput : try OpenFile(input, .read))
        var (number, passed, dropped, failed) = (0, 0, 0, 0)
        while let line = try lines.next() {
            number += 1
            if line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            switch trial.run(line: line, number: number) {
            case .passed(let text):
                passed += 1
                terminal.out(text + "\n")
            case .dropped(let transform, let plugin):
                dropped += 1
                terminal.tell("line \(number): dropped by transform \(transform) (\(plugin))")
            case .failed(let reason):
                failed += 1
                terminal.tell("line \(number): \(reason)")
            }
        }
        terminal.tell("\(passed + dropped + failed) records: \(passed) out, \(dropped) dropped, \(failed) refused")
        return failed > 0 ? CLIError.Status.failed.rawValue : 0
    }

    /// `{"name": …, "config": {…}}` or the config alone.
    private static func config(of path: String) throws(CLIError) -> [String: String] {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CLIError(.notFound, "\(path) cannot be read; --connector needs a connector's JSON file")
        }
        let json: Value
        do { json = try JSONParser().parse(Array(bytes)) } catch {
            throw CLIError(.failed, "\(path) is not JSON: \(error)")
        }
        guard case .map(let whole) = json else { throw CLIError(.failed, "\(path) is not a JSON object") }
        var entries = whole
        if case .map(let inner)? = whole["config"] { entries = inner }
        var config: [String: String] = [:]
        for entry in entries.entries where !entry.value.isNull { config[entry.key.javaText] = entry.value.javaText }
        return config
    }
}
