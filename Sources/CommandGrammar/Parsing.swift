extension Command {
    /// Takes the words after the program's name; no output, no exit, no look at the real environment.
    public func parse(_ words: [String], environment: [String: String] = [:]) throws(UsageError) -> Invocation {
        if words.first == "__complete", words.count > 1 {
            let (shell, rest) = (Shell(rawValue: words[1]), Array(words.dropFirst(2)))
            return .complete { await completions(for: shell ?? .bash, rest, environment: environment) }
        }
        var state = ParseState(path: [self], rest: words[...])
        if words.first == "help", commands.allSatisfy({ $0.name != "help" }) {
            for word in words.dropFirst() { state.path.append(try state.here.command(word, in: state.path)) }
            return .show(Command.help(state.path))
        }
        while let word = state.rest.popFirst() {
            if state.isLiteral || word == "-" || !word.hasPrefix("-") {
                if !state.isLiteral, !state.here.commands.isEmpty {
                    state.path.append(try state.here.command(word, in: state.path))
                } else {
                    state.values.arguments.append(word)
                }
            } else if word == "--" {
                state.isLiteral = true
            } else if word == "--help" || word == "-h" {
                return .show(Command.help(state.path))
            } else {
                try state.readOption(word)
            }
        }
        guard let run = state.here.run else { throw UsageError("a command is missing", state.path) }
        try state.here.checkArguments(state.values.arguments, state.path)
        try state.readEnvironment(environment)
        let final = state.values
        return .run { try await run(final) }
    }

    func command(_ word: String, in path: [Command]) throws(UsageError) -> Command {
        if let found = commands.first(where: { $0.answers(to: word) }) { return found }
        throw UsageError("unknown command \"\(word)\"" + suggestion(for: word, among: commands.map(\.name)), path)
    }
    func answers(to word: String) -> Bool { name == word || aliases.contains(word) }

    private func checkArguments(_ given: [String], _ path: [Command]) throws(UsageError) {
        let needed = arguments.prefix(while: \.isNeeded)
        if given.count < needed.count { throw UsageError("\(needed[given.count].usage) is missing", path) }
        if given.count > arguments.count, arguments.last?.isRepeated != true {
            throw UsageError("unexpected argument \"\(given[arguments.count])\"", path)
        }
    }

    static func title(_ path: [Command]) -> String { path.map(\.name).joined(separator: " ") }
}

/// How far the parser has come.
struct ParseState {
    var path: [Command]
    var rest: ArraySlice<String>
    var values = Values()
    var isLiteral = false

    /// A path starts with the program and never gets shorter.
    var here: Command { path[path.count - 1] }
    /// The nearest declaration of a name wins.
    var known: [any AnyOption] { path.reversed().flatMap(\.options) }

    /// `--name value`, `--name=value`, `--name`, `--no-name`, `-n value`, `-nvalue`, `-abc`.
    mutating func readOption(_ word: String) throws(UsageError) {
        guard word.hasPrefix("--") else { return try readLetters(word.dropFirst()) }
        let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let (name, text) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
        if let option = known.first(where: { $0.shape.name == name }) {
            return try take(option, text, as: "--\(name)")
        }
        if text == nil, name.hasPrefix("no-"),
            let option = known.first(where: { $0.shape.isNegatable && $0.shape.name == name.dropFirst(3) })
        {
            return try take(option, "false", as: "--\(name)")
        }
        let names = known.map(\.shape.name) + ["help"]
        throw UsageError("unknown option --\(name)" + suggestion(for: name, among: names, prefix: "--"), path)
    }

    private mutating func readLetters(_ word: Substring) throws(UsageError) {
        var letters = word
        while let letter = letters.popFirst() {
            guard let option = known.first(where: { $0.shape.short == letter }) else {
                throw UsageError("unknown option -\(letter)", path)
            }
            let isAttached = !option.shape.isFlag && !letters.isEmpty
            try take(option, isAttached ? String(letters) : nil, as: "-\(letter)")
            if isAttached { return }
        }
    }

    private mutating func take(_ option: any AnyOption, _ text: String?, as written: String) throws(UsageError) {
        let shape = option.shape
        var given = text ?? (shape.isFlag ? "true" : nil)
        // A forgotten value must not swallow the next option; one that starts with two dashes is written with "=".
        if given == nil, let next = rest.first, !next.hasPrefix("--") { given = rest.popFirst() }
        guard let given else { throw UsageError("\(written) needs a value", path) }
        values.options[shape.name] = try read(option, values.options[shape.name], given, written)
    }

    mutating func readEnvironment(_ environment: [String: String]) throws(UsageError) {
        for option in known where values.options[option.shape.name] == nil {
            // Container settings often pass a variable on that has no value: that says nothing.
            guard let variable = option.shape.environment, let text = environment[variable], !text.isEmpty else {
                continue
            }
            values.options[option.shape.name] = try read(option, nil, text, "environment variable \(variable)")
        }
    }

    private func read(
        _ option: any AnyOption,
        _ old: (any Sendable)?,
        _ text: String,
        _ written: String
    ) throws(UsageError) -> any Sendable {
        do { return try option.read(old, text) } catch {
            throw UsageError("\(written) expects \(error.text), got \"\(text)\"", path)
        }
    }
}

extension UsageError {
    init(_ problem: String, _ path: [Command]) {
        self.init("\(path[0].name): \(problem)\nTry \"\(Command.title(path)) --help\".")
    }
}
