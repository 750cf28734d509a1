// The kinds of keys. Texts of wrong values are Kafka's where Kafka has the kind (Kafka 4.3, `ConfigDef`).

import ConnectModel

extension ConfigKey where Value == Int {
    /// A whole number within `range`.
    public static func int(
        _ name: String,
        in range: ClosedRange<Int> = Int(Int32.min)...Int(Int32.max),
        type: ConfigType = .int,
        default fallback: Int? = nil,
        importance: Importance = .medium,
        _ documentation: String
    ) -> Self {
        Self(
            name,
            type: type,
            default: fallback,
            defaultText: fallback.map(String.init),
            importance: importance,
            valid: describe(range, type),
            documentation
        ) { text throws(ConfigIssue.Reason) in
            let number = try number(text, type)
            guard number >= range.lowerBound else {
                throw ConfigIssue.Reason("Value must be at least \(range.lowerBound)").showing("\(number)")
            }
            guard number <= range.upperBound else {
                throw ConfigIssue.Reason("Value must be no more than \(range.upperBound)").showing("\(number)")
            }
            return number
        }
    }
    /// A number as Java reads it, of the type's width.
    public static func number(_ text: String, _ type: ConfigType) throws(ConfigIssue.Reason) -> Int {
        let digits = JavaNumber.withPlainDigits(trimmed(text))
        let number: Int? =
            switch type {
            case .short: Int16(digits).map { Int($0) }
            case .int: Int32(digits).map { Int($0) }
            default: Int(digits)
            }
        guard let number else { throw .type("Not a number of type \(type.rawValue)") }
        return number
    }
    private static func describe(_ range: ClosedRange<Int>, _ type: ConfigType) -> String? {
        let low = range.lowerBound <= Int(Int32.min) ? nil : range.lowerBound
        let high = range.upperBound >= Int(Int32.max) ? nil : range.upperBound
        switch (low, high) {
        case (nil, nil): return nil
        case (let low?, nil): return "[\(low),...]"
        case (nil, let high?): return "[...,\(high)]"
        case (let low?, let high?): return "[\(low),...,\(high)]"
        }
    }
}

extension ConfigKey where Value == Int? {
    /// A whole number, which may be absent.
    public static func optionalInt(
        _ name: String,
        in range: ClosedRange<Int> = Int.min...Int.max,
        type: ConfigType = .int,
        importance: Importance = .medium,
        valid: String? = nil,
        _ documentation: String
    ) -> Self {
        let plain = ConfigKey<Int>.int(name, in: range, type: type, documentation)
        return Self(
            name,
            type: type,
            default: .some(nil),
            defaultText: nil,
            importance: importance,
            valid: valid ?? plain.definition.validValues,
            documentation
        ) { text throws(ConfigIssue.Reason) in try plain.parse(text) }
    }
}

extension ConfigKey where Value == Double {
    /// A number within `range`.
    public static func double(
        _ name: String,
        in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude,
        default fallback: Double? = nil,
        importance: Importance = .medium,
        _ documentation: String
    ) -> Self {
        Self(
            name,
            type: .double,
            default: fallback,
            defaultText: fallback.map { "\($0)" },
            importance: importance,
            documentation
        ) { text throws(ConfigIssue.Reason) in
            guard let number = Double(trimmed(text)) else {
                throw ConfigIssue.Reason.type("Not a number of type DOUBLE")
            }
            guard range.contains(number) else {
                throw ConfigIssue.Reason("Value must be between \(range.lowerBound) and \(range.upperBound)")
            }
            return number
        }
    }
}

extension ConfigKey where Value == Bool {
    /// `true` or `false`, in any case.
    public static func boolean(
        _ name: String,
        default fallback: Bool? = nil,
        importance: Importance = .medium,
        _ documentation: String
    ) -> Self {
        Self(
            name,
            type: .boolean,
            default: fallback,
            defaultText: fallback.map { "\($0)" },
            importance: importance,
            documentation
        ) { text throws(ConfigIssue.Reason) in
            switch trimmed(text).lowercased() {
            case "true": return true
            case "false": return false
            default: throw ConfigIssue.Reason.type("Expected value to be either true or false")
            }
        }
    }
}

extension ConfigKey where Value == String {
    /// One of some words, in just that case of letters (Kafka 4.3, `ValidString`).
    public static func word(
        _ name: String,
        of words: [String],
        default fallback: String? = nil,
        importance: Importance = .high,
        _ documentation: String
    ) -> Self {
        let all = words.joined(separator: ", ")
        let reason = ConfigIssue.Reason("String must be one of: \(all)")
        return Self(
            name,
            type: .string,
            default: fallback,
            defaultText: fallback,
            importance: importance,
            valid: "[\(all)]",
            documentation
        ) { text throws(ConfigIssue.Reason) in
            let word = trimmed(text)
            guard words.contains(word) else { throw reason.showing(word) }
            return word
        }.refusingNull(reason)
    }

    /// Any text; `nonEmpty` refuses the empty one.
    public static func string(
        _ name: String,
        default fallback: String? = nil,
        nonEmpty: Bool = false,
        importance: Importance = .medium,
        type: ConfigType = .string,
        _ documentation: String
    ) -> Self {
        Self(
            name,
            type: type,
            default: fallback,
            defaultText: fallback,
            importance: importance,
            valid: nonEmpty ? "non-empty string" : nil,
            documentation
        ) { text throws(ConfigIssue.Reason) in
            let text = trimmed(text)
            guard !nonEmpty || !text.isEmpty else { throw ConfigIssue.Reason("String must be non-empty").showing("") }
            return text
        }
    }
}

extension ConfigKey where Value == String? {
    /// Any text, or nothing at all.
    public static func optionalString(
        _ name: String,
        importance: Importance = .medium,
        type: ConfigType = .string,
        _ documentation: String
    ) -> Self {
        Self(name, type: type, default: .some(nil), defaultText: nil, importance: importance, documentation) {
            text throws(ConfigIssue.Reason) in trimmed(text)
        }
    }
}

extension ConfigKey where Value == Secret? {
    /// A password or token, which may be absent; no message, log or answer ever shows it.
    public static func secret(_ name: String, importance: Importance = .high, _ documentation: String) -> Self {
        Self(name, type: .password, default: .some(nil), defaultText: nil, importance: importance, documentation) {
            text throws(ConfigIssue.Reason) in Secret(text)
        }
    }
}

extension ConfigKey where Value == [String] {
    /// Comma-separated texts, blanks around them removed.
    public static func list(
        _ name: String,
        default fallback: [String]? = nil,
        importance: Importance = .medium,
        _ documentation: String
    ) -> Self {
        Self(
            name,
            type: .list,
            default: fallback,
            defaultText: fallback.map { $0.joined(separator: ",") },
            importance: importance,
            documentation
        ) { text throws(ConfigIssue.Reason) in
            let text = trimmed(text)
            return text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
        }
    }
}

extension ConfigKey where Value == Duration {
    /// A whole number of milliseconds within `range`.
    public static func milliseconds(
        _ name: String,
        in range: ClosedRange<Int> = 0...Int(Int64.max),
        type: ConfigType = .long,
        default fallback: Int? = nil,
        importance: Importance = .medium,
        _ documentation: String
    ) -> Self {
        let number = ConfigKey<Int>.int(
            name,
            in: range,
            type: type,
            default: fallback,
            importance: importance,
            documentation
        )
        return Self(
            name,
            type: type,
            default: fallback.map { .milliseconds($0) },
            defaultText: fallback.map(String.init),
            importance: importance,
            valid: number.definition.validValues,
            documentation
        ) { text throws(ConfigIssue.Reason) in .milliseconds(try number.parse(text)) }
    }
}

extension ConfigKey where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the cases by raw value, in any case of letters.
    public static func choice(
        _ name: String,
        default fallback: Value? = nil,
        importance: Importance = .medium,
        _ documentation: String
    ) -> Self {
        let words = Value.allCases.map { $0.rawValue.uppercased() }.joined(separator: ", ")
        let reason = ConfigIssue.Reason("String must be one of (case insensitive): \(words)")
        return Self(
            name,
            type: .string,
            default: fallback,
            defaultText: fallback?.rawValue,
            importance: importance,
            valid: "(case insensitive) [\(words)]",
            documentation
        ) { text throws(ConfigIssue.Reason) in
            let word = trimmed(text)
            let known = Value.allCases.first { $0.rawValue.lowercased() == word.lowercased() }
            guard let known else { throw reason.showing(word) }
            return known
        }.refusingNull(reason)
    }
}

/// Without the blanks and control characters at both ends, as Java's `String.trim` leaves it.
public func trimmed(_ text: some StringProtocol) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { $0.value > 0x20 }),
        let last = scalars.lastIndex(where: { $0.value > 0x20 })
    else { return "" }
    return String(String.UnicodeScalarView(scalars[first...last]))
}
