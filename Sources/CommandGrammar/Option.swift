/// One option, declared once as a constant: parser, help, completion and reader all use it.
///
/// ```swift
/// static let port = Option("port", short: "p", .int(in: 0...65_535), default: 8083, env: "SLUICE_PORT", "Port of REST.")
/// static let topic = Option("topic", .string, "Only this topic.")     // Option<String?>, nil when it is not given
/// ```
public struct Option<Value: Sendable>: AnyOption {
    /// What help and completion need.
    public let shape: OptionShape
    let kind: Kind<Value>
    let fallback: Value

    /// An option with a default; `env` names the environment variable that counts when the option is not given.
    public init(
        _ name: String,
        short: Character? = nil,
        _ kind: Kind<Value>,
        default fallback: Value,
        env: String? = nil,
        _ help: String
    ) {
        (self.kind, self.fallback) = (kind, fallback)
        shape = OptionShape(
            name: name,
            short: short,
            placeholder: kind.placeholder,
            help: help,
            defaultText: kind.show(fallback),
            environment: env,
            completion: kind.completion,
            isNegatable: fallback as? Bool == true
        )
    }
    /// An option without a default: its value is nil when it is not given.
    public init<Wrapped: Sendable>(
        _ name: String,
        short: Character? = nil,
        _ kind: Kind<Wrapped>,
        env: String? = nil,
        _ help: String
    ) where Value == Wrapped? {
        let maybe = Kind<Wrapped?>(placeholder: kind.placeholder, completion: kind.completion, show: { _ in nil }) {
            old,
            text throws(Expected) in
            try kind.read(old ?? nil, text)
        }
        self.init(name, short: short, maybe, default: nil, env: env, help)
    }
    /// A flag that is off unless given.
    public init(_ name: String, short: Character? = nil, env: String? = nil, _ help: String) where Value == Bool {
        self.init(name, short: short, .flag, default: false, env: env, help)
    }

    /// Reads one occurrence; `old` is the value of those before it.
    public func read(_ old: (any Sendable)?, _ text: String) throws(Expected) -> any Sendable {
        try kind.read(old as? Value, text)
    }
}

/// The part of an option that help and completion need, whatever its type.
public struct OptionShape: Sendable {
    let name: String
    let short: Character?
    let placeholder: String?
    let help: String
    let defaultText: String?
    let environment: String?
    let completion: Completion
    let isNegatable: Bool
    var isFlag: Bool { placeholder == nil }
}

/// An ``Option`` of any type.
public protocol AnyOption: Sendable {
    /// What help and completion need.
    var shape: OptionShape { get }
    /// Reads one occurrence; `old` is the value of those before it.
    func read(_ old: (any Sendable)?, _ text: String) throws(Expected) -> any Sendable
}

/// A positional argument.
public struct Argument: Sendable {
    /// How often it stands there; anything but `one` only at the end.
    public enum Count: Sendable {
        case one
        case optional
        /// One or more.
        case many
        /// None or more.
        case any
    }
    let name: String
    let count: Count
    let completion: Completion
    let help: String

    /// A positional argument with its name in help.
    public init(_ name: String, _ count: Count = .one, completion: Completion = .none, _ help: String) {
        (self.name, self.count, self.completion, self.help) = (name, count, completion, help)
    }
    var usage: String {
        switch count {
        case .one: "<\(name)>"
        case .many: "<\(name)>..."
        case .optional: "[<\(name)>]"
        case .any: "[<\(name)>...]"
        }
    }
    var isNeeded: Bool { count == .one || count == .many }
    var isRepeated: Bool { count == .any || count == .many }
}
