public import CommandGrammar
public import ConnectConfig

/// The admin part of the command line: everything that speaks to a worker or to Kafka from outside.
public struct AdminCommands: Sendable {
    private let environment: CommandEnvironment

    /// Composes the commands over a terminal and a way to the network; `password` is for basic authentication.
    public init(terminal: Terminal, transport: any RESTTransport, password: Secret? = nil) {
        environment = CommandEnvironment(terminal: terminal, transport: transport, password: password)
    }

    /// Verbs that speak HTTP to a worker.
    public var connectorCommands: [Command] {
        ConnectorCommands(environment: environment).commands + [
            ApplyCommand(environment: environment).command, WaitCommand(environment: environment).command,
        ]
    }
    /// Verbs that speak to Kafka itself.
    public var kafkaCommands: [Command] {
        let topics = TopicCommands(environment: environment)
        return [topics.topics, topics.groups, ConsumeCommand(environment: environment).command]
    }
    /// Options that hold for all of them; for the root of the command tree.
    public static var sharedOptions: [any AnyOption] {
        [Options.url, Options.timeout, Options.authorities, Options.user, Options.passwordFile]
    }
}

extension AdminCommands {
    /// Runs the command line and returns its exit status: 0, one of ``CLIError/Status``, or 64 for wrong use.
    public static func run(
        _ root: Command,
        _ words: [String],
        environment: [String: String],
        terminal: Terminal
    ) async -> Int32 {
        do {
            switch try root.parse(words, environment: environment) {
            case .run(let run): return try await run()
            case .show(let text): terminal.out(text)
            case .complete(let find): terminal.out(await find())
            }
            return 0
        } catch let error as UsageError {
            terminal.tell("\(error)")
            return UsageError.status
        } catch {
            terminal.tell("sluice: \(error)")
            return (error as? CLIError)?.status.rawValue ?? CLIError.Status.failed.rawValue
        }
    }
}
