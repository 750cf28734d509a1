/// Turns what Java writes differently into PCRE2's words, and refuses what PCRE2 would read in another way.
struct JavaSyntax {
    private let source: String
    private var rest: Substring
    private var output = ""
    private var isInClass = false

    static func translated(_ source: String) throws(PatternError) -> String {
        var translation = JavaSyntax(source: source, rest: source[...])
        try translation.run()
        return translation.output
    }
    private init(source: String, rest: Substring) { (self.source, self.rest) = (source, rest) }

    private mutating func run() throws(PatternError) {
        while let character = rest.popFirst() {
            switch character {
            case "\\": try escape()
            case "[" where isInClass: throw refused("a class inside a class")
            case "[":
                isInClass = true
                output.append(character)
                if rest.first == "^" { output.append(rest.removeFirst()) }
            case "]":
                isInClass = false
                output.append(character)
            case "&" where isInClass && rest.first == "&": throw refused("class intersection with &&")
            case "(" where !isInClass && rest.first == "*": throw refused("a * with nothing before it")
            case "(" where !isInClass && rest.hasPrefix("?"):
                output.append(character)
                try flags()
            default: output.append(character)
            }
        }
    }

    /// The backslash is taken already.
    private mutating func escape() throws(PatternError) {
        guard let next = rest.popFirst() else { throw refused("a backslash at the end") }
        switch next {
        case "u":
            let digits = rest.prefix(4)
            guard digits.count == 4, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                throw refused("\\u without four hexadecimal digits")
            }
            rest = rest.dropFirst(4)
            output += "\\x{\(digits)}"
        case "Q":
            // Copied as it is, so that nothing inside looks like a class or a group.
            output += "\\Q"
            while !rest.isEmpty, !rest.hasPrefix("\\E") { output.append(rest.removeFirst()) }
        case "p", "P": try property(isNegated: next == "P")
        default: output += "\\\(next)"
        }
    }

    /// Java's names for POSIX classes, and its prefix `Is`.
    private mutating func property(isNegated: Bool) throws(PatternError) {
        guard rest.first == "{", let end = rest.firstIndex(of: "}") else {
            output += isNegated ? "\\P" : "\\p"
            return
        }
        let name = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        let posix = [
            "Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl", "XDigit",
            "Space",
        ]
        if posix.contains(String(name)) {
            let inner = "[:\(isNegated ? "^" : "")\(name.lowercased()):]"
            output += isInClass ? inner : "[\(inner)]"
            return
        }
        if name.hasPrefix("java") || name.hasPrefix("In") || name.contains("=") { throw refused("\\p{\(name)}") }
        output += (isNegated ? "\\P{" : "\\p{") + (name.hasPrefix("Is") ? name.dropFirst(2) : name) + "}"
    }

    /// Inline flags such as `(?iu-s)` and `(?i:`; PCRE2 reads `U` as "not greedy" and knows neither `u` nor `d`.
    private mutating func flags() throws(PatternError) {
        let body = rest.dropFirst()
        let letters = body.prefix { $0.isASCII && ($0.isLetter || $0 == "-") }
        let after = body.dropFirst(letters.count).first
        guard !letters.isEmpty, after == ")" || after == ":" else { return }
        if let foreign = letters.first(where: { !"idmsux-".contains($0) }) { throw refused("the flag (?\(foreign))") }
        let kept = letters.filter { $0 != "u" && $0 != "d" }
        output += "?" + (kept == "-" ? "" : kept)
        rest = body.dropFirst(letters.count)
    }

    private func refused(_ what: String) -> PatternError {
        PatternError(code: .syntax, description: "pattern \"\(source)\": \(what) is not supported")
    }
}
