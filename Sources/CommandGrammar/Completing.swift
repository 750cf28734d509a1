/// Shells whose completion we speak.
public enum Shell: String, Sendable, CaseIterable {
    case bash
    case zsh
    case fish
}

/// What one completion offers.
private struct Offer {
    var word: String
    var help = ""
}

extension Command {
    /// Answers `<program> __complete <shell> <words>`, where the last word is the one being written: one offer a line, for
    /// zsh and fish with its help after a tab; the single line `:files` asks the shell for file names.
    func completions(for shell: Shell, _ given: [String], environment: [String: String]) async -> String {
        let words = shell == .bash ? Command.joiningEquals(given) : given
        let current = words.last ?? ""
        var state = ParseState(path: [self], rest: words.dropLast())
        var arguments = 0
        while let word = state.rest.popFirst() {
            if state.isLiteral || word == "-" || !word.hasPrefix("-") {
                if !state.isLiteral, let found = state.here.commands.first(where: { $0.answers(to: word) }) {
                    state.path.append(found)
                } else {
                    state.values.arguments.append(word)
                    arguments += 1
                }
            } else if word == "--" {
                state.isLiteral = true
            } else if let option = state.waiting(word) {
                if state.rest.isEmpty {
                    return await offers(option.shape.completion, state, environment, current, shell)
                }
                try? state.readOption(word)
            } else {
                try? state.readOption(word)
            }
        }
        if !state.isLiteral, current.hasPrefix("-") {
            if let equals = current.firstIndex(of: "="), current.hasPrefix("--") {
                let name = current[current.index(current.startIndex, offsetBy: 2)..<equals]
                guard let option = state.known.first(where: { $0.shape.name == name }) else { return "" }
                let value = String(current[current.index(after: equals)...])
                let kept = shell == .bash ? "" : String(current[...equals])  // readline completes what follows "="
                return await offers(option.shape.completion, state, environment, value, shell, kept)
            }
            return lines(state.optionOffers, current, shell)
        }
        if !state.here.commands.isEmpty {
            return lines(state.here.commands.map { Offer(word: $0.name, help: $0.summary) }, current, shell)
        }
        guard let last = state.here.arguments.last else { return "" }
        if arguments >= state.here.arguments.count, !last.isRepeated { return "" }
        let argument = arguments < state.here.arguments.count ? state.here.arguments[arguments] : last
        return await offers(argument.completion, state, environment, current, shell)
    }

    private func offers(
        _ completion: Completion,
        _ state: ParseState,
        _ environment: [String: String],
        _ current: String,
        _ shell: Shell,
        _ prefix: String = ""
    ) async -> String {
        switch completion {
        case .none: return ""
        case .files: return ":files\n"
        case .words(let words): return lines(words.map { Offer(word: $0) }, current, shell, prefix)
        case .dynamic(let find):
            var state = state
            try? state.readEnvironment(environment)
            return lines(await find(state.values).map { Offer(word: $0) }, current, shell, prefix)
        }
    }
    private func lines(_ offers: [Offer], _ current: String, _ shell: Shell, _ prefix: String = "") -> String {
        offers.filter { $0.word.hasPrefix(current) }.reduce(into: "") { text, offer in
            text += prefix + offer.word
            if shell != .bash, !offer.help.isEmpty { text += "\t" + offer.help }
            text += "\n"
        }
    }
    /// Bash takes `--name=value` apart at "=": `["--name", "=", "value"]`.
    private static func joiningEquals(_ words: [String]) -> [String] {
        var joined: [String] = []
        var glue = false
        for word in words {
            if word == "=", let last = joined.last, last.hasPrefix("--"), !last.contains("=") {
                joined[joined.count - 1] += "="
                glue = true
            } else if glue {
                joined[joined.count - 1] += word
                glue = false
            } else {
                joined.append(word)
            }
        }
        return joined
    }
}

extension ParseState {
    /// The option that takes the word after this one.
    fileprivate func waiting(_ word: String) -> (any AnyOption)? {
        if word.hasPrefix("--") {
            return known.first { "--" + $0.shape.name == word && !$0.shape.isFlag }
        }
        guard word.count > 1, let letter = word.last else { return nil }
        let flags = word.dropFirst().dropLast()
        guard flags.allSatisfy({ flag in known.contains { $0.shape.short == flag && $0.shape.isFlag } }) else {
            return nil
        }
        return known.first { $0.shape.short == letter && !$0.shape.isFlag }
    }
    fileprivate var optionOffers: [Offer] {
        known.flatMap { option -> [Offer] in
            let shape = option.shape
            let plain = Offer(word: "--" + shape.name, help: shape.help)
            return shape.isNegatable ? [Offer(word: "--no-" + shape.name, help: shape.help)] : [plain]
        } + [Offer(word: "--help", help: "Show this help.")]
    }
}
