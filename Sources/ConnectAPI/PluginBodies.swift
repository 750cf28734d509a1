// Bodies of the REST API about plugins and validation (Kafka Connect 4.3, `runtime.rest.entities`).

/// `GET /connector-plugins`, one per plugin.
public struct PluginBody: Codable, Sendable, Hashable {
    /// What `connector.class` (or `transforms.x.type` …) names.
    public var className: String
    /// source, sink, transformation, predicate, converter or header_converter.
    public var type: String
    /// The plugin's version.
    public var version: String

    enum CodingKeys: String, CodingKey { case className = "class", type, version }

    /// Makes the body.
    public init(className: String, type: String, version: String) {
        (self.className, self.type, self.version) = (className, type, version)
    }
}

/// `GET /connector-plugins/{plugin}/config`, one per key; also within a validation.
public struct ConfigKeyBody: Codable, Sendable, Hashable {
    /// The key.
    public var name: String
    /// BOOLEAN, STRING, INT, SHORT, LONG, DOUBLE, LIST, CLASS or PASSWORD.
    public var type: String
    /// Whether it must be given.
    public var required: Bool
    /// The default; null when there is none.
    public var defaultValue: String?
    /// HIGH, MEDIUM or LOW.
    public var importance: String
    /// What it does.
    public var documentation: String
    /// The heading it stands under; null for none.
    public var group: String?
    /// Place under the heading, from 1; -1 for none.
    public var orderInGroup: Int
    /// NONE, SHORT, MEDIUM or LONG.
    public var width: String
    /// The name that a form shows.
    public var displayName: String
    /// Keys whose meaning depends on this one.
    public var dependents: [String]

    enum CodingKeys: String, CodingKey {
        case name, type, required, importance, documentation, group, width, dependents
        case defaultValue = "default_value", orderInGroup = "order_in_group", displayName = "display_name"
    }

    /// Makes the body; the rest is set by name.
    public init(name: String, type: String, required: Bool, defaultValue: String?, importance: String) {
        (self.name, self.type, self.required) = (name, type, required)
        (self.defaultValue, self.importance) = (defaultValue, importance)
        (documentation, group, orderInGroup) = ("", nil, -1)
        (width, displayName, dependents) = ("NONE", name, [])
    }

    /// Writes nulls as well, as Kafka Connect does.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(type, forKey: .type)
        try container.encode(required, forKey: .required)
        try container.encode(defaultValue, forKey: .defaultValue)
        try container.encode(importance, forKey: .importance)
        try container.encode(documentation, forKey: .documentation)
        try container.encode(group, forKey: .group)
        try container.encode(orderInGroup, forKey: .orderInGroup)
        try container.encode(width, forKey: .width)
        try container.encode(displayName, forKey: .displayName)
        try container.encode(dependents, forKey: .dependents)
    }
}

/// The value part of one key of a validation.
public struct ConfigValueBody: Codable, Sendable, Hashable {
    /// The key.
    public var name: String
    /// What was given or the default; null for none, `[hidden]` for a password.
    public var value: String?
    /// Values worth offering.
    public var recommendedValues: [String]
    /// What is wrong; empty when nothing is.
    public var errors: [String]
    /// Whether a form should show the key now.
    public var visible: Bool

    enum CodingKeys: String, CodingKey {
        case name, value, errors, visible, recommendedValues = "recommended_values"
    }

    /// Makes the body.
    public init(name: String, value: String?, recommendedValues: [String], errors: [String], visible: Bool = true) {
        (self.name, self.value, self.recommendedValues) = (name, value, recommendedValues)
        (self.errors, self.visible) = (errors, visible)
    }

    /// Writes a null value as well, as Kafka Connect does.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(value, forKey: .value)
        try container.encode(recommendedValues, forKey: .recommendedValues)
        try container.encode(errors, forKey: .errors)
        try container.encode(visible, forKey: .visible)
    }
}

/// One key of a validation.
public struct ConfigCheckBody: Codable, Sendable, Hashable {
    /// What the key is.
    public var definition: ConfigKeyBody
    /// What was given and what is wrong with it.
    public var value: ConfigValueBody

    /// Makes the body.
    public init(definition: ConfigKeyBody, value: ConfigValueBody) {
        (self.definition, self.value) = (definition, value)
    }
}

/// `PUT /connector-plugins/{plugin}/config/validate`.
public struct ValidationBody: Codable, Sendable, Hashable {
    /// The plugin that was asked.
    public var name: String
    /// How many errors all keys have together.
    public var errorCount: Int
    /// Headings in order.
    public var groups: [String]
    /// The keys in order.
    public var configs: [ConfigCheckBody]

    enum CodingKeys: String, CodingKey { case name, groups, configs, errorCount = "error_count" }

    /// Makes the body.
    public init(name: String, errorCount: Int, groups: [String], configs: [ConfigCheckBody]) {
        (self.name, self.errorCount, self.groups, self.configs) = (name, errorCount, groups, configs)
    }
}
