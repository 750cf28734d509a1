/// A problem with one key, worded for the person who wrote the config.
public struct ConfigIssue: Error, Sendable, Hashable, CustomStringConvertible {
    /// The key to change.
    public let key: String
    /// The whole message, as Kafka Connect words it; never holds a secret's value.
    public let message: String

    /// The exception class that Kafka Connect throws for it; a `ConfigException` unless said otherwise.
    public let javaClass: String

    /// Makes an issue.
    public init(
        key: String,
        message: String,
        javaClass: String = "org.apache.kafka.common.config.ConfigException"
    ) {
        (self.key, self.message, self.javaClass) = (key, message, javaClass)
    }

    /// `key: message`.
    public var description: String { "\(key): \(message)" }

    /// Why a text is not a value; ``ConfigKey`` adds the key and, unless it is a secret, the value.
    public struct Reason: Error, Sendable, Hashable {
        /// Follows "Invalid value … for configuration …: ".
        public let text: String
        /// Whether the text is not even of the key's type.
        ///
        /// Kafka names such keys with their prefix (`transforms.t.schema.version`), keys whose check failed without
        /// (`regex`).
        public var isTypeFault = false
        /// What is shown as the value instead of the text that was given; a list as `[a, b]`.
        public var shownValue: String?
        /// Stands for the whole message.
        public var wholeMessage: String?

        /// Makes a reason.
        public init(_ text: String) { self.text = text }
        /// A reason for a text that is not of the key's type.
        public static func type(_ text: String) -> Self {
            var reason = Self(text)
            reason.isTypeFault = true
            return reason
        }
        /// A reason whose message has a form of its own.
        public static func whole(_ message: String) -> Self {
            var reason = Self(message)
            reason.wholeMessage = message
            return reason
        }
        /// The same reason with another rendering of the value.
        public func showing(_ value: String) -> Self {
            var reason = self
            reason.shownValue = value
            return reason
        }

        /// What Kafka Connect says of a regular expression that is null.
        public static let nullPattern = Self(
            "Invalid regex: Cannot invoke \"String.isEmpty()\" because \"this.pattern\" is null"
        )

        func issue(_ name: String, prefix: String, value: String?) -> ConfigIssue {
            if let wholeMessage { return ConfigIssue(key: prefix + name, message: wholeMessage) }
            let named = ConfigIssue.invalid(isTypeFault ? prefix + name : name, value: shownValue ?? value, text)
            return ConfigIssue(key: prefix + name, message: named.message)
        }
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
