internal import CPCRE2
internal import Synchronization

/// A compiled regular expression in Java's syntax, run by PCRE2; thread-safe, cheap to copy.
///
/// What Java has and PCRE2 lacks (class intersection, `(?U)`) is refused when it is compiled, never read differently.
/// A match is limited in steps, so that a pattern that backtracks without end fails instead of hanging.
///
/// ```swift
/// let pattern = try Pattern("(.*)-(?<env>dev|prod)")
/// let topic = try pattern.replacingFirst(in: "orders-dev", with: Replacement("${env}.$1", for: pattern))   // dev.orders
/// ```
public struct Pattern: Sendable, CustomStringConvertible {
    /// As it was given.
    public let source: String
    /// How many groups it captures, the whole match not counted.
    public var groupCount: Int { code.groupCount }
    /// Numbers of the groups with names.
    public var groupNames: [String: Int] { code.groupNames }
    /// The source.
    public var description: String { source }
    let code: Code

    /// Compiles; throws ``PatternError`` with the place of the mistake.
    public init(_ source: String, ignoringCase: Bool = false) throws(PatternError) {
        (self.source, code) = (source, try Code(source, ignoringCase: ignoringCase))
    }

    private static let cache = Mutex<[String: Pattern]>([:])
    private static let cacheMax = 512

    /// The same pattern compiled once for the whole process, for sources that come back often.
    public static func cached(_ source: String) throws(PatternError) -> Pattern {
        if let known = cache.withLock({ $0[source] }) { return known }
        let made = try Pattern(source)
        cache.withLock { cache in
            if cache.count >= cacheMax { cache.removeAll() }  // a bound, not a strategy: configs hold a few dozen
            cache[source] = made
        }
        return made
    }

    /// Whether all of `text` matches, as Java's `matches()`; throws `tooHard`.
    public func matches(_ text: String) throws(PatternError) -> Bool {
        try code.match(text, from: 0, whole: true) != nil
    }
    /// The match of all of `text` with its groups; throws `tooHard`.
    public func wholeMatch(in text: String) throws(PatternError) -> Match? {
        try code.match(text, from: 0, whole: true).map { Match(pattern: self, text: text, offsets: $0) }
    }
    /// The first match anywhere, as Java's `find()`; throws `tooHard`.
    public func firstMatch(in text: String) throws(PatternError) -> Match? {
        try code.match(text, from: 0, whole: false).map { Match(pattern: self, text: text, offsets: $0) }
    }
    /// Whether it matches anywhere; throws `tooHard`.
    public func isFound(in text: String) throws(PatternError) -> Bool {
        try code.match(text, from: 0, whole: false) != nil
    }

    /// `text` with the first match replaced, as Java's `replaceFirst`; throws `tooHard`.
    public func replacingFirst(in text: String, with replacement: Replacement) throws(PatternError) -> String {
        try replacing(in: text, with: replacement, all: false)
    }
    /// `text` with every match replaced, as Java's `replaceAll`; throws `tooHard`.
    public func replacingAll(in text: String, with replacement: Replacement) throws(PatternError) -> String {
        try replacing(in: text, with: replacement, all: true)
    }

    private func replacing(
        in text: String,
        with replacement: Replacement,
        all: Bool
    ) throws(PatternError) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var (copied, from) = (0, 0)
        while from <= bytes.count, let offsets = try code.match(text, from: from, whole: false) {
            let (start, end) = (offsets[0], offsets[1])
            result += bytes[copied..<start]
            replacement.append(to: &result, bytes, offsets)
            (copied, from) = (end, end)
            if !all { break }
            // After an empty match Java goes on one character later.
            if start == end {
                from += 1
                while from < bytes.count, bytes[from] & 0xC0 == 0x80 { from += 1 }
            }
        }
        return String(decoding: result + bytes[copied...], as: UTF8.self)
    }
}

/// One match and its groups.
public struct Match: Sendable {
    private let pattern: Pattern
    private let text: String
    private let offsets: [Int]

    init(pattern: Pattern, text: String, offsets: [Int]) {
        (self.pattern, self.text, self.offsets) = (pattern, text, offsets)
    }
    /// A group's text; 0 is the whole match; nil when the group took no part or does not exist.
    public subscript(group: Int) -> Substring? {
        guard group >= 0, group * 2 + 1 < offsets.count, offsets[group * 2] >= 0 else { return nil }
        let start = text.utf8.index(text.startIndex, offsetBy: offsets[group * 2])
        return text[start..<text.utf8.index(text.startIndex, offsetBy: offsets[group * 2 + 1])]
    }
    /// A named group's text; nil when the group took no part or does not exist.
    public subscript(name: String) -> Substring? { pattern.groupNames[name].flatMap { self[$0] } }
}
