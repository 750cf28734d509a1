/// A key's type in Kafka Connect's own words (Kafka Connect 4.3, `ConfigDef.Type`).
public enum ConfigType: String, Sendable, Hashable, CaseIterable {
    case boolean = "BOOLEAN"
    case string = "STRING"
    case int = "INT"
    case short = "SHORT"
    case long = "LONG"
    case double = "DOUBLE"
    case list = "LIST"
    case `class` = "CLASS"
    case password = "PASSWORD"
}

/// How much a key matters to someone who sets up a connector.
public enum Importance: String, Sendable, Hashable {
    case high = "HIGH"
    case medium = "MEDIUM"
    case low = "LOW"
}

/// How wide a form shows the value (Kafka Connect 4.3, `ConfigDef.Width`).
public enum ConfigWidth: String, Sendable, Hashable {
    case none = "NONE"
    case short = "SHORT"
    case medium = "MEDIUM"
    case long = "LONG"
}

/// Everything about one key except its Swift type: what validation, help and the reference pages show.
public struct ConfigDefinition: Sendable {
    /// The key, for example `tasks.max`.
    public var name: String
    /// Kafka Connect's type.
    public var type: ConfigType
    /// The default as text; nil when there is none.
    public var defaultText: String?
    /// Whether the key must be given: it has no default and is not optional.
    public var isRequired: Bool
    /// How much it matters.
    public var importance: Importance
    /// What it does, with unit and consequence, in full sentences.
    public var documentation: String
    /// The heading it stands under in forms and pages; nil for none.
    public var group: String?
    /// Its place under the heading; -1 when it has none.
    public var orderInGroup = -1
    /// How wide a form shows it.
    public var width: ConfigWidth
    /// The name a form shows; the key itself by default.
    public var displayName: String
    /// Keys whose meaning depends on this one.
    public var dependents: [String] = []
    /// Values a form offers; empty when any is as good.
    public var recommendedValues: [String] = []
    /// What the values look like, for help: `[1, 1000]`, `one of insert, upsert`; nil when the type says it all.
    public var validValues: String?
    /// The earlier names of this key, still accepted.
    public var deprecatedNames: [String] = []

    /// What Kafka Connect says of a value that is null; nil when it takes null.
    ///
    /// It checks the null that a missing or unreadable value leaves behind as well, so that such a key has two problems.
    public internal(set) var nullReason: ConfigIssue.Reason?
    var check: @Sendable (String) -> ConfigIssue.Reason? = { _ in nil }

    /// What a config says about a key.
    public enum Given: Sendable, Hashable {
        /// The config does not have the key.
        case absent
        /// The config has the key with JSON's null.
        case null
        /// The config has the key.
        case text(String)
    }

    /// Why what is given is not a value of this key, each in Kafka Connect's words; empty when it is one.
    ///
    /// `prefix` stands before the key's name in the config, for transforms and predicates: `transforms.t.`.
    public func problems(with given: Given, prefix: String = "") -> [String] {
        let ofNull = nullReason.map { [$0.issue(name, prefix: prefix, value: nil).message] } ?? []
        switch given {
        case .absent: return isRequired ? [ConfigIssue.missing(prefix + name).message] + ofNull : []
        case .null: return ofNull
        case .text(let text):
            guard let reason = check(text) else { return [] }
            let value = type == .password ? Secret.hidden : text
            return [reason.issue(name, prefix: prefix, value: value).message] + (reason.isTypeFault ? ofNull : [])
        }
    }
    /// The same for a text, or nil for an absent key.
    public func problems(with text: String?, prefix: String = "") -> [String] {
        problems(with: text.map(Given.text) ?? .absent, prefix: prefix)
    }
}

/// A ``ConfigKey`` of any type, for lists of keys.
public protocol AnyConfigKey: Sendable {
    /// The type-erased part.
    var definition: ConfigDefinition { get }
}
