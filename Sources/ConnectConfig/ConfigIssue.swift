/// A problem with one key, worded for the person who wrote the config.
public struct ConfigIssue: Error, Sendable, Hashable, CustomStringConvertible {
    /// The key to change.
    public let key: String
    /// The whole message, as Kafka Connect words it; never holds a secret's value.
    public let message: String

    /// Makes an issue.
    public init(key: String, message: String) { (self.key, self.message) = (key, message) }

    /// `key: message`.
    public var description: String { "\(key): \(message)" }

    /// Why a text is not a value; ``ConfigKey`` adds the key and, unless it is a secret, the value.
    public struct Reason: Error, Sendable, Hashable {
        /// Follows "Invalid value … for configuration …: ".
        public let text: String
        /// Makes a reason.
        public init(_ text: String) { self.text = text }
    }

    /// `Invalid value 0 for configuration tasks.max: Value must be at least 1` (Kafka 4.3, `ConfigException`).
    public static func invalid(_ key: String, value: String?, _ reason: String) -> Self {
        Self(key: key, message: "Invalid value \(value ?? "null") for configuration \(key): \(reason)")
    }
    /// `Missing required configuration "topic" which has no default value.` (Kafka 4.3, `ConfigDef`).
    public static func missing(_ key: String) -> Self {
        Self(key: key, message: "Missing required configuration \"\(key)\" which has no default value.")
    }
}

/// A config with at least one problem; all of them are listed at once.
public struct ConfigInvalid: Error, Sendable, Hashable, CustomStringConvertible {
    /// The problems in the order they were found.
    public let issues: [ConfigIssue]

    /// Makes the error; a call with no issue is a programmer's error.
    public init(issues: [ConfigIssue]) {
        precondition(!issues.isEmpty, "a config without issues is valid")
        self.issues = issues
    }
    /// One line per problem.
    public var description: String { issues.map(\.message).joined(separator: "\n") }
}
