import ConnectConfig
import _StringProcessing

/// How a source's topics are made (Kafka Connect 4.3, `topic.creation.*`).
struct TopicRules: Sendable {
    private struct Group: Sendable {
        var name: String
        var settings: TopicSettings
        var include: [String]
        var exclude: [String]
    }
    private let groups: [Group]
    /// The rule of topics that no group names; nil when the connector has no rules: the brokers make topics or nobody does.
    private let fallback: TopicSettings?

    init(_ raw: [String: String]) throws(ConfigInvalid) {
        var issues: [ConfigIssue] = []
        let hasRules = raw.keys.contains { $0.hasPrefix("topic.creation.default.") }
        fallback = hasRules ? Self.settings(of: "default", raw, &issues) : nil
        let names = (raw["topic.creation.groups"] ?? "").split(separator: ",").map { name in
            String(name.filter { $0 != " " })
        }
        var groups: [Group] = []
        for name in names where name != "default" && hasRules {
            let include = Self.patterns("topic.creation.\(name).include", raw, &issues)
            let exclude = Self.patterns("topic.creation.\(name).exclude", raw, &issues)
            if include.isEmpty { issues.append(.missing("topic.creation.\(name).include")) }
            let settings = Self.settings(of: name, raw, &issues, inheriting: fallback)
            groups.append(Group(name: name, settings: settings, include: include, exclude: exclude))
        }
        self.groups = groups
        guard issues.isEmpty else { throw ConfigInvalid(issues: issues) }
    }

    /// The first group that includes and does not exclude the topic, else the default; nil without rules.
    func settings(for topic: String) -> TopicSettings? {
        guard let fallback else { return nil }
        let group = groups.first { group in
            group.include.contains { Self.matches($0, topic) } && !group.exclude.contains { Self.matches($0, topic) }
        }
        return group?.settings ?? fallback
    }

    private static func matches(_ pattern: String, _ topic: String) -> Bool {
        guard let regex = try? Regex(pattern) else { return false }
        return (try? regex.wholeMatch(in: topic)) != nil
    }

    private static func patterns(_ key: String, _ raw: [String: String], _ issues: inout [ConfigIssue]) -> [String] {
        let patterns = (raw[key] ?? "").split(separator: ",").map(String.init)
        for pattern in patterns where (try? Regex(pattern)) == nil {
            issues.append(.invalid(key, value: pattern, "Not a valid regular expression"))
        }
        return patterns
    }

    private static func settings(
        of group: String,
        _ raw: [String: String],
        _ issues: inout [ConfigIssue],
        inheriting parent: TopicSettings? = nil
    ) -> TopicSettings {
        let prefix = "topic.creation.\(group)."
        var settings = TopicSettings()
        let needed = parent == nil
        settings.replicationFactor =
            number(prefix + "replication.factor", raw, needed, &issues) ?? parent?.replicationFactor ?? -1
        settings.partitions = number(prefix + "partitions", raw, needed, &issues) ?? parent?.partitions ?? -1
        let own: Set = ["replication.factor", "partitions", "include", "exclude"]
        for (key, value) in raw where key.hasPrefix(prefix) && !own.contains(String(key.dropFirst(prefix.count))) {
            settings.configs[String(key.dropFirst(prefix.count))] = value
        }
        return settings
    }

    private static func number(
        _ key: String,
        _ raw: [String: String],
        _ isNeeded: Bool,
        _ issues: inout [ConfigIssue]
    ) -> Int? {
        guard let text = raw[key] else {
            if isNeeded { issues.append(.missing(key)) }
            return nil
        }
        guard let number = Int(text), number >= 1 || number == -1 else {
            issues.append(.invalid(key, value: text, "Value must be larger than 0, or -1 to use the broker's default"))
            return nil
        }
        return number
    }
}
