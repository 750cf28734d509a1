/// A verb with its options and what it runs, or a group of verbs; a group's options hold for all below it.
public struct Command: Sendable {
    /// Returns the exit status.
    public typealias Run = @Sendable (Values) async throws -> Int32
    let name: String
    let aliases: [String]
    let summary: String
    let details: String
    let options: [any AnyOption]
    var arguments: [Argument] = []
    var commands: [Command] = []
    var run: Run?

    /// A verb; `details` follow the options in its help.
    public init(
        _ name: String,
        aliases: [String] = [],
        _ summary: String,
        details: String = "",
        options: [any AnyOption] = [],
        arguments: [Argument] = [],
        run: @escaping Run
    ) {
        (self.name, self.aliases, self.summary, self.details) = (name, aliases, summary, details)
        (self.options, self.arguments, self.run) = (options, arguments, run)
    }
    /// A group of verbs.
    public init(
        _ name: String,
        aliases: [String] = [],
        _ summary: String,
        details: String = "",
        options: [any AnyOption] = [],
        commands: [Command]
    ) {
        (self.name, self.aliases, self.summary, self.details) = (name, aliases, summary, details)
        (self.options, self.commands) = (options, commands)
    }

    /// Runs what the words ask for: texts to `out`, words about failure to `tell`; returns the exit status, 64
    /// (EX_USAGE) for wrong use and 1 for a command that threw.
    public func callAsFunction(
        _ words: [String],
        environment: [String: String] = [:],
        out: @Sendable (String) -> Void,
        tell: @Sendable (String) -> Void
    ) async -> Int32 {
        do {
            switch try parse(words, environment: environment) {
            case .run(let run): return try await run()
            case .show(let text): out(text)
            case .complete(let find): out(await find())
            }
            return 0
        } catch let error as UsageError {
            tell("\(error)")
            return UsageError.status
        } catch {
            tell("\(name): \(error)")
            return 1
        }
    }
}

/// What the user gave, read back through the declarations.
public struct Values: Sendable {
    var options: [String: any Sendable] = [:]
    /// Positional arguments in order.
    public internal(set) var arguments: [String] = []

    /// The value from the command line, else from the environment, else the default.
    public subscript<V>(_ option: Option<V>) -> V {
        guard let given = options[option.shape.name] else { return option.fallback }
        return given as? V ?? option.fallback
    }
    /// Whether the command line or the environment says something about it.
    public func isGiven<V>(_ option: Option<V>) -> Bool { options[option.shape.name] != nil }
}

/// Wrong use: print it on standard error and leave with 64 (EX_USAGE); a command may throw it as well.
public struct UsageError: Error, Sendable, CustomStringConvertible {
    /// EX_USAGE.
    public static let status: Int32 = 64
    /// The whole text, without a line break at its end.
    public let description: String
    /// A problem that only the command itself can see.
    public init(_ description: String) { self.description = description }
}

/// What the words ask for.
public enum Invocation: Sendable {
    /// Runs the command, returns its exit status.
    case run(@Sendable () async throws -> Int32)
    /// Help for standard output.
    case show(String)
    /// Completions for standard output.
    case complete(@Sendable () async -> String)
}
