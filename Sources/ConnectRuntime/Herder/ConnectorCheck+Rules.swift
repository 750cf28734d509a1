import ConnectConfig
import ConnectSDK
import Patterns

// Rules across keys, and of keys whose names a config makes up.
extension ConnectorCheck {
    static let nullMessage = "Null value can not be supplied as the configuration value."
    static let overridePrefixes = ["producer.override.", "consumer.override.", "admin.override."]

    /// Every key with JSON's null gets an error, known or not.
    mutating func refuseNulls() {
        for (key, value) in config.pairs where value == nil { fault(key, Self.nullMessage) }
    }

    // Versions

    /// Whether the connector has another version than the config asks for; a malformed version was refused before.
    mutating func checkVersion() -> Bool {
        let key = "connector.plugin.version"
        guard let wanted = raw[key], let range = try? VersionRange(requirement: wanted),
            !range.contains(descriptor.version)
        else { return false }
        let text = notFound(descriptor.className, range, [descriptor.version])
        fault("connector.class", text)
        fault(key, text)
        return true
    }
    private func notFound(_ name: String, _ range: VersionRange, _ versions: [String]) -> String {
        "Plugin \(name) not found that matches the version range \(range), available versions: "
            + "[\(versions.joined(separator: ", "))]"
    }
    /// Without the right version of the connector, Kafka Connect looks at the keys that all connectors have, and at classes
    /// of converters by their full names.
    mutating func checkCommonKeysOnly() {
        checkPluginVersions(takesAliases: false)
        let common = Set(ConnectorKeys.all.map(\.name))
        for place in keys.indices where !common.contains(keys[place].definition.name) { keys[place].errors = [] }
    }
    /// What is wrong with a version that a key asks for, told of that key as well; nil when nothing is.
    mutating func malformedVersion(_ key: String) -> String? {
        guard let wanted = raw[key] else { return nil }
        do {
            _ = try VersionRange(requirement: wanted)
            return nil
        } catch {
            fault(key, error.message)
            return error.message
        }
    }
    /// Classes of converters, and the versions they are asked for.
    mutating func checkPluginVersions(takesAliases: Bool = true) {
        for (key, isHeader) in [("key.converter", false), ("value.converter", false), ("header.converter", true)] {
            let interface = isHeader ? "HeaderConverter" : "Converter"
            let versionKey = key + ".plugin.version"
            var found = raw[key].flatMap { name in
                isHeader ? plugins.headerConverters.named(name)?.name : plugins.converters.named(name)?.name
            }
            if !takesAliases, let name = raw[key], !name.contains(".") {
                found = nil
                fault(key, classMissing(key, name))
            } else if let name = raw[key], let problem = classProblem(key, name, interface, isFound: found != nil) {
                fault(key, problem.message)
            }
            guard malformedVersion(versionKey) == nil, let found, let wanted = raw[versionKey],
                let range = try? VersionRange(requirement: wanted)
            else { continue }
            let versions =
                plugins.converters.filter { $0.name == found }.map(\.version)
                + plugins.headerConverters.filter { $0.name == found }.map(\.version)
            guard !versions.contains(where: range.contains) else { continue }
            let text = notFound(found, range, versions)
            fault(key, text)
            fault(versionKey, text)
        }
    }
    /// Whether a transform or predicate has the version that `plugin.version` beside it asks for; `typeKey` is told, too.
    mutating func isRightVersion(_ prefix: String, _ typeKey: String?, _ name: String, _ versions: [String]) -> Bool {
        let key = prefix + "plugin.version"
        guard let wanted = raw[key], let range = try? VersionRange(requirement: wanted),
            !versions.contains(where: range.contains)
        else { return true }
        let message = notFound(name, range, versions)
        if let typeKey { fault(typeKey, message) }
        fault(key, message)
        return false
    }

    // Topics of sinks

    mutating func checkTopics() throws(Refusal) {
        let topics = raw["topics"].flatMap { $0.trimmingBlanks.isEmpty ? nil : $0.trimmingBlanks }
        let pattern = raw["topics.regex"].flatMap { $0.trimmingBlanks.isEmpty ? nil : $0 }
        let names = topics?.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmingBlanks) ?? []
        if Set(names).count < names.count {
            fault("topics", "Configuration 'topics' values must not be duplicated.")
        } else if names.contains("") {
            fault("topics", "Configuration 'topics' values must not be empty.")
        }
        let rule: String? =
            switch (topics, pattern) {
            case (nil, nil): "Must configure one of topics or topics.regex"
            case (_?, _?): "topics and topics.regex are mutually exclusive options, but both are set."
            default: nil
            }
        if let rule {
            fault("topics", rule)
            fault("topics.regex", rule)
        }
        let queueKey = SinkConnectorKeys.deadLetterTopic.name
        if config.contains(queueKey), raw[queueKey] == nil, scope.isKafkaConnects {
            throw Refusal(javaClass: "java.lang.NullPointerException", message: "\(queueKey) is null")
        }
        guard let queue = raw[queueKey]?.trimmingBlanks, !queue.isEmpty else { return }
        var seen: Set<String> = [""]
        let distinct = names.filter { seen.insert($0).inserted }
        if distinct.contains(queue) {
            fault(
                "topics",
                "The DLQ topic '\(queue)' may not be included in the list of topics "
                    + "('topics=[\(distinct.joined(separator: ", "))]') consumed by the connector"
            )
        }
        guard let pattern else { return }
        let regex: Pattern
        do { regex = try Pattern(pattern) } catch {
            guard scope.isKafkaConnects else { return }
            throw Refusal(javaClass: "java.util.regex.PatternSyntaxException", message: "\(error)")
        }
        if (try? regex.matches(queue)) == true {
            fault(
                "topics.regex",
                "The DLQ topic '\(queue)' may not be matched by the regex for the topics "
                    + "('topics.regex=\(pattern)') consumed by the connector"
            )
        }
    }
    mutating func checkExactlyOnce() {
        let isRequired = raw[SourceConnectorKeys.exactlyOnce.name]?.trimmingBlanks.lowercased() == "required"
        guard descriptor.kind == .source, isRequired, !scope.isExactlyOnce else { return }
        fault(
            SourceConnectorKeys.exactlyOnce.name,
            "This worker does not have exactly-once source support enabled. "
                + "Set exactly.once.source.support=enabled in the worker's properties."
        )
    }

    // Client settings

    /// `producer.override.*` and the like: of the type that the client's setting has, and as far as the worker's policy
    /// lets connectors set them.
    mutating func checkOverrides() throws(Refusal) {
        for (prefix, client) in zip(Self.overridePrefixes, [ClientSettingTypes.producer, .consumer, .admin])
        where uses(client) {
            for key in JavaHashOrder.sorted(config.keys) where key.hasPrefix(prefix) {
                guard let text = raw[key] else { continue }
                let name = String(key.dropFirst(prefix.count))
                guard let problem = client.problem(name, text) else { continue }
                if scope.isKafkaConnects {
                    throw Refusal(javaClass: "org.apache.kafka.common.config.ConfigException", message: problem)
                }
                fault(key, problem)
            }
        }
        for key in config.keys where Self.overridePrefixes.contains(where: { key.hasPrefix($0) }) {
            let name = key.split(separator: ".", maxSplits: 2).last.map(String.init) ?? ""
            let isAllowed =
                switch scope.policy {
                case .all: true
                case .none: false
                case .principal: ["sasl.jaas.config", "sasl.mechanism", "security.protocol"].contains(name)
                }
            if !isAllowed {
                fault(
                    key,
                    "The '\(scope.policy.rawValue)' policy does not allow '\(name)' to be overridden in the connector "
                        + "configuration."
                )
            }
        }
    }
    /// Whether Kafka Connect makes such a client for the connector; it looks at no settings of others.
    private func uses(_ client: ClientSettingTypes) -> Bool {
        let hasQueue = !(raw[SinkConnectorKeys.deadLetterTopic.name]?.trimmingBlanks ?? "").isEmpty
        let isSource = descriptor.kind == .source
        return switch client {
        case .producer: isSource || hasQueue
        case .consumer: !isSource
        case .admin: isSource ? raw.keys.contains { $0.hasPrefix("topic.creation.") } : hasQueue
        }
    }
}
