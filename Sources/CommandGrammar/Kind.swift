/// What a shell may offer for a value.
public enum Completion: Sendable {
    /// Nothing is known.
    case none
    /// The shell's own file names.
    case files
    /// These words.
    case words([String])
    /// Words found out when asked, such as connector names; gets what stands on the command line so far.
    case dynamic(@Sendable (Values) async -> [String])
}

/// Says what a value should have been: `a number from 0 to 65535`.
public struct Expected: Error, Sendable {
    let text: String
    /// The text follows the word "expects".
    public init(_ text: String) { self.text = text }
}

/// How a text becomes a value, and how the value is shown.
public struct Kind<Value: Sendable>: Sendable {
    /// Nil for a flag, which takes no text.
    var placeholder: String?
    var completion = Completion.none
    var show: @Sendable (Value) -> String?
    /// Gets the value of an earlier occurrence, if any.
    var read: @Sendable (Value?, String) throws(Expected) -> Value

    init(
        placeholder: String?,
        completion: Completion = .none,
        show: @escaping @Sendable (Value) -> String?,
        read: @escaping @Sendable (Value?, String) throws(Expected) -> Value
    ) {
        (self.placeholder, self.completion, self.show, self.read) = (placeholder, completion, show, read)
    }

    /// A kind of your own: `placeholder` stands in help as `<placeholder>`, `show` gives the text of a default (nil for
    /// none), `read` the value.
    public init(
        _ placeholder: String,
        completion: Completion = .none,
        show: @escaping @Sendable (Value) -> String? = { _ in nil },
        read: @escaping @Sendable (String) throws(Expected) -> Value
    ) {
        self.init(placeholder: "<\(placeholder)>", completion: completion, show: show) {
            _,
            text throws(Expected) in try read(text)
        }
    }

    /// The same kind with another word in help and another completion.
    public func named(_ placeholder: String, completion: Completion? = nil) -> Self {
        var kind = self
        kind.placeholder = "<\(placeholder)>"
        if let completion { kind.completion = completion }
        return kind
    }
}

extension Kind<Bool> {
    /// `--name`; and `--no-name` when it is on by default; from the environment true, yes, on, 1 and their opposites.
    public static var flag: Self {
        Self(placeholder: nil, show: { _ in nil }) { _, text throws(Expected) in
            switch text.lowercased() {
            case "true", "yes", "on", "1": return true
            case "false", "no", "off", "0": return false
            default: throw Expected("true or false")
            }
        }
    }
}

extension Kind<Int> {
    /// A whole number within `range`.
    public static func int(in range: ClosedRange<Int> = Int.min...Int.max) -> Self {
        Self(placeholder: "<n>", show: { "\($0)" }) { _, text throws(Expected) in
            guard let n = Int(text), range.contains(n) else { throw Expected(words(for: range)) }
            return n
        }
    }
    private static func words(for range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "a whole number"
        case (let low, .max): "a whole number from \(low) up"
        case (.min, let high): "a whole number up to \(high)"
        case (let low, let high): "a number from \(low) to \(high)"
        }
    }
}

extension Kind<String> {
    /// Any text that is not empty.
    public static var string: Self {
        Self(placeholder: "<text>", show: { $0.isEmpty ? nil : $0 }) { _, text throws(Expected) in
            guard !text.isEmpty else { throw Expected("a text") }
            return text
        }
    }
    /// A file or directory; it need not exist.
    public static var path: Self { string.named("path", completion: .files) }
}

extension Kind where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the cases, by raw value.
    public static var choice: Self {
        let words = Value.allCases.map(\.rawValue)
        return Self(
            placeholder: words.joined(separator: "|"),
            completion: .words(words),
            show: \.rawValue
        ) { _, text throws(Expected) in
            guard let value = Value(rawValue: text) else {
                throw Expected("one of " + words.joined(separator: ", "))
            }
            return value
        }
    }
}

extension Kind<Duration> {
    /// A time such as `500ms`, `30s`, `5m`, `1h30m`, `2d`; not negative.
    public static var duration: Self {
        Self(placeholder: "<time>", show: CommandGrammar.show) { _, text throws(Expected) in
            guard let time = readDuration(text) else { throw Expected("a time such as 500ms, 30s, 5m or 1h30m") }
            return time
        }
    }
}

extension Kind {
    /// An option that may be given several times, each adding to the list; with a `separator` one text may hold several.
    public static func list<Element: Sendable>(
        of element: Kind<Element>,
        separator: Character? = nil
    ) -> Self where Value == [Element] {
        Self(
            placeholder: (element.placeholder ?? "") + (separator.map { "[\($0)...]" } ?? ""),
            completion: element.completion,
            show: { list in
                let texts = list.compactMap { element.show($0) }
                return texts.isEmpty ? nil : texts.joined(separator: separator.map(String.init) ?? " ")
            }
        ) { old, text throws(Expected) in
            var list = old ?? []
            guard let separator else { return try list + [element.read(nil, text)] }
            for part in text.split(separator: separator, omittingEmptySubsequences: false) {
                list.append(try element.read(nil, String(part)))
            }
            return list
        }
    }
}

private let units: [(name: String, nanoseconds: Int64)] = [
    ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("m", 60_000_000_000),
    ("s", 1_000_000_000),
]

/// Numbers with units, each unit once at most; nil for anything else and for what does not fit.
func readDuration(_ text: String) -> Duration? {
    var rest = text[...]
    var total: Int64 = 0
    var used: Set<String> = []
    while !rest.isEmpty {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits) else { return nil }
        rest = rest.dropFirst(digits.count)
        guard let unit = units.first(where: { rest.hasPrefix($0.name) }), used.insert(unit.name).inserted else {
            return nil
        }
        rest = rest.dropFirst(unit.name.count)
        let (part, isTooLarge) = count.multipliedReportingOverflow(by: unit.nanoseconds)
        let (sum, isTooMuch) = total.addingReportingOverflow(part)
        guard !isTooLarge && !isTooMuch else { return nil }
        total = sum
    }
    return used.isEmpty ? nil : .nanoseconds(total)
}

/// As ``readDuration(_:)`` reads it, largest unit first.
func show(_ time: Duration) -> String {
    let parts = time.components
    var rest = parts.seconds &* 1_000_000_000 &+ parts.attoseconds / 1_000_000_000
    if rest == 0 { return "0s" }
    var text = ""
    for unit in units.sorted(by: { $0.nanoseconds > $1.nanoseconds }) where rest >= unit.nanoseconds {
        text += "\(rest / unit.nanoseconds)\(unit.name)"
        rest %= unit.nanoseconds
    }
    return text
}
