/// A file in Java's properties syntax, with the line on which each key stands.
///
/// `key=value`, `key: value`, `key value`; `#` and `!` start comments; a backslash at the end of a line joins the next one;
/// `\t \n \r \f \uXXXX \\ \: \= \ ` are escapes. The text is UTF-8 (Java 9 and later read it so, too, for bundles).
public struct PropertiesFile: Sendable {
    /// A place that cannot be read.
    public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        /// `config/worker.properties:12: reason`.
        public let description: String

        /// A fault with its whole sentence.
        public init(description: String) { self.description = description }
    }
    /// One key with its place.
    public struct Entry: Sendable, Hashable {
        /// The key, unescaped.
        public var key: String
        /// The value, unescaped, without the blanks before it.
        public var value: String
        /// The line on which it starts, from 1.
        public var line: Int
    }
    /// The file's name, for error texts.
    public let name: String
    /// The entries in order; of a key that comes twice both are here, and the last counts.
    public private(set) var entries: [Entry] = []

    /// Reads a text; throws ``Fault`` with file and line for what is not properties syntax.
    public init(_ text: String, name: String) throws(Fault) {
        self.name = name
        var line = 0
        var lines = text.split(separator: /\r\n|\n|\r/, omittingEmptySubsequences: false)[...]
        while let first = lines.popFirst() {
            line += 1
            let start = line
            var logical = Substring(first.drop(while: Self.isBlank))
            guard let mark = logical.first, mark != "#", mark != "!" else { continue }
            while Self.endsInOddBackslashes(logical) {
                logical = logical.dropLast()
                guard let next = lines.popFirst() else { break }
                line += 1
                logical += next.drop(while: Self.isBlank)
            }
            entries.append(try entry(logical, line: start))
        }
    }
    /// What counts: the last value of each key.
    public var values: [String: String] {
        entries.reduce(into: [:]) { found, entry in found[entry.key] = entry.value }
    }
    /// Keys that come more than once, with the line of the one that counts.
    public var duplicates: [Entry] {
        var seen: Set<String> = [], found: [Entry] = []
        for entry in entries where !seen.insert(entry.key).inserted { found.append(entry) }
        return found
    }

    private func entry(_ text: Substring, line: Int) throws(Fault) -> Entry {
        var key = "", rest = text
        while let character = rest.first, character != "=", character != ":", !Self.isBlank(character) {
            key += try Self.take(&rest, line, name)
        }
        rest = rest.drop(while: Self.isBlank)
        if rest.first == "=" || rest.first == ":" { rest = rest.dropFirst().drop(while: Self.isBlank) }
        var value = ""
        while !rest.isEmpty { value += try Self.take(&rest, line, name) }
        guard !key.isEmpty else { throw Fault(description: "\(name):\(line): a line without a key before the \"=\"") }
        return Entry(key: key, value: value, line: line)
    }
    private static func take(_ rest: inout Substring, _ line: Int, _ name: String) throws(Fault) -> String {
        let character = rest.removeFirst()
        guard character == "\\", let escaped = rest.popFirst() else { return String(character) }
        switch escaped {
        case "t": return "\t"
        case "n": return "\n"
        case "r": return "\r"
        case "f": return "\u{0C}"
        case "u":
            var unit = try hex(&rest, line, name)
            if (0xD800..<0xDC00).contains(unit), rest.hasPrefix("\\u") {
                rest.removeFirst(2)
                unit = 0x10000 + (unit - 0xD800) << 10 + (try hex(&rest, line, name) &- 0xDC00)
            }
            guard let scalar = Unicode.Scalar(unit) else {
                throw Fault(description: "\(name):\(line): \\u escape that is no character")
            }
            return String(Character(scalar))
        default: return String(escaped)
        }
    }
    private static func hex(_ rest: inout Substring, _ line: Int, _ name: String) throws(Fault) -> UInt32 {
        let digits = rest.prefix(4)
        guard digits.count == 4, let unit = UInt32(digits, radix: 16) else {
            throw Fault(description: "\(name):\(line): \\u must be followed by four hexadecimal digits")
        }
        rest = rest.dropFirst(4)
        return unit
    }
    private static func isBlank(_ character: Character) -> Bool {
        character == " " || character == "\t" || character == "\u{0C}"
    }
    private static func endsInOddBackslashes(_ text: Substring) -> Bool {
        text.reversed().prefix { $0 == "\\" }.count % 2 == 1
    }
}
