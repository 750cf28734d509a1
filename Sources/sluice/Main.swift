import CommandGrammar
import ConnectConfig
import Glibc
import SluiceCLI

/// The one executable: worker, embedded Kafka and admin commands behind one command line.
@main enum Main {
    /// Never throws: an error that leaves `main` would print a stack trace.
    static func main() async {
        let terminal = Terminal.process, environment = processEnvironment()
        do throws(CLIError) {
            let password = environment["SLUICE_PASSWORD"].map(Secret.init)
            let admin = AdminCommands(terminal: terminal, transport: try HTTPTransport(), password: password)
            let words = Array(CommandLine.arguments.dropFirst())
            let root = tree(terminal, environment, admin)
            exit(await AdminCommands.run(root, words, environment: environment, terminal: terminal))
        } catch {
            terminal.tell("sluice: \(error)")
            exit(error.status.rawValue)
        }
    }

    private static func tree(_ terminal: Terminal, _ environment: [String: String], _ admin: AdminCommands) -> Command {
        let own = [
            WorkerCommand(terminal: terminal, environment: environment).command,
            KafkaCommand(terminal: terminal).command,
        ]
        let last = [
            TransformCommand(terminal: terminal).command, EvalCommand(terminal: terminal).command,
            DocsCommand(terminal: terminal).command,
            Command("version", "Print version and Kafka Connect's version that it keeps the contract of.") { _ in
                terminal.out("sluice \(Version.sluice) (Kafka Connect \(Version.connect))\n")
                return 0
            },
            Command.completion(program: "sluice", out: terminal.out),
        ]
        return Command(
            "sluice",
            "Runs Kafka Connect connectors in one native binary, and manages them.",
            details: """
                  Exit statuses: 0 done, 1 refused or failed, 2 not found, 3 not reachable or out of time, 64 wrong use.
                  Connector commands take SLUICE_URL, SLUICE_CA_FILE, SLUICE_USER, and SLUICE_PASSWORD or SLUICE_PASSWORD_FILE.
                """,
            options: AdminCommands.sharedOptions,
            commands: own + admin.connectorCommands + admin.kafkaCommands + last
        )
    }
}

/// What the worker and `sluice version` say.
enum Version {
    /// This program's version.
    static let sluice = "0.1.0"
    /// The version whose contract it keeps; tools switch features by the `version` of `GET /`.
    static let connect = "4.3.1"
}

/// The process's environment as it is at the start.
func processEnvironment() -> [String: String] {
    var found: [String: String] = [:]
    var next = unsafe environ
    while let entry = unsafe next.pointee {
        let text = unsafe String(cString: entry)
        if let equals = text.firstIndex(of: "=") {
            found[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        unsafe next += 1
    }
    return found
}
