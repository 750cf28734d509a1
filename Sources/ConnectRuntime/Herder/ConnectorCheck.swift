import ConnectConfig
import ConnectSDK

/// Checks one connector's config as Kafka Connect 4.3 does: every key by itself, then the rules across keys.
struct ConnectorCheck {
    private let plugins: Plugins
    private let descriptor: any ConnectorDescriptor
    private let config: ConfigMap
    private let raw: [String: String]
    private let converterDefaults: [String: String]
    private let policy: OverridePolicy
    private var keys: [ValidatedKey] = []
    private var index: [String: Int] = [:]
    private var groups: [String] = []

    static func run(
        _ config: ConfigMap,
        of descriptor: any ConnectorDescriptor,
        plugins: Plugins,
        worker: WorkerConfig
    ) -> ValidationResult {
        var check = Self(config, descriptor, plugins, worker)
        check.addFramework()
        check.addConverters()
        check.addAliases()
        check.addOwn()
        check.applyRules(isExactlyOnce: worker.isExactlyOnce)
        let warnings = check.unknown()
        if worker.refusesUnknownKeys { for issue in warnings { check.add(issue) } }
        return ValidationResult(
            name: descriptor.name,
            groups: check.groups,
            keys: check.keys,
            warnings: worker.refusesUnknownKeys ? [] : warnings
        )
    }
    private init(_ config: ConfigMap, _ descriptor: any ConnectorDescriptor, _ plugins: Plugins, _ worker: WorkerConfig)
    {
        (self.config, self.descriptor, self.plugins) = (config, descriptor, plugins)
        (raw, converterDefaults, policy) = (config.dictionary, worker.converters, worker.overridePolicy)
    }

    var allPluginNames: [(name: String, names: [String])] { plugins.names }

    // Keys

    private mutating func addFramework() {
        groups = ["Common", "Transforms", "Predicates", "Error Handling"]
        if descriptor.kind == .source { groups += ["Topic Creation", "Exactly Once Support", "offsets.topic"] }
        for definition in descriptor.kind.frameworkDefinitions { add(definition) }
        // Kafka Connect parses, then checks the null that a failed parse leaves.
        if let problem = errors(of: "tasks.max").first, problem.contains("Not a number") {
            fault("tasks.max", "Invalid value null for configuration tasks.max: Value must be non-null")
        }
    }
    private mutating func addOwn() {
        for definition in descriptor.keys.map(\.definition) + OwnKeys.all(for: descriptor.kind)
        where index[definition.name] == nil {
            add(definition)
        }
    }
    private mutating func addConverters() {
        for (key, isHeader) in [("key.converter", false), ("value.converter", false), ("header.converter", true)] {
            guard let name = raw[key] else { continue }
            if let found = converterKeys(name, isHeader: isHeader) {
                addNested(found, prefix: key + ".", group: nil)
                continue
            }
            switch kind(of: name) {
            case nil: fault(key, "Invalid value \(name) for configuration \(key): Class \(name) could not be found.")
            case .abstract?: fault(key, "This class is abstract and cannot be created.")
            case .other(let full)?:
                fault(
                    key,
                    "Class class \(full) does not implement the \(isHeader ? "HeaderConverter" : "Converter") interface"
                )
            }
        }
    }
    private func converterKeys(_ name: String, isHeader: Bool) -> [any AnyConfigKey]? {
        isHeader ? plugins.headerConverters.named(name)?.keys : plugins.converters.named(name)?.keys
    }
    private mutating func addAliases() {
        for alias in aliases("transforms") {
            for definition in AliasKeys.transform(alias) { add(definition) }
            let key = "transforms.\(alias).type"
            addPlugin(key, plugins.transforms, "Transformation", prefix: "transforms.\(alias).")
            if raw["transforms.\(alias).negate"] != nil, raw["transforms.\(alias).predicate"] == nil {
                fault(
                    key,
                    "Config 'transforms.\(alias).negate' was provided but there is no config "
                        + "'transforms.\(alias).predicate' defining a predicate to be negated."
                )
            }
        }
        for alias in aliases("predicates") {
            for definition in AliasKeys.predicate(alias) { add(definition) }
            addPlugin("predicates.\(alias).type", plugins.predicates, "Predicate", prefix: "predicates.\(alias).")
        }
        guard descriptor.kind == .source else { return }
        let creationGroups = aliases("topic.creation.groups")
        let hasCreation = raw.keys.contains { $0.hasPrefix("topic.creation.") && $0 != "topic.creation.groups" }
        guard hasCreation || !creationGroups.isEmpty else { return }
        for group in creationGroups + (creationGroups.contains("default") ? [] : ["default"]) {
            for definition in AliasKeys.topicCreation(group) { add(definition) }
        }
    }
    private mutating func addPlugin<Product>(
        _ key: String,
        _ list: [PluginDescriptor<Product>],
        _ interface: String,
        prefix: String
    ) {
        guard let name = raw[key] else { return }
        if let plugin = list.named(name) {
            addNested(
                plugin.keys,
                prefix: prefix,
                group: prefix.hasPrefix("transforms") ? "Transforms: " : "Predicates: "
            )
            return
        }
        switch kind(of: name) {
        case nil: fault(key, "Invalid value \(name) for configuration \(key): Class \(name) could not be found.")
        case .abstract(let children)?:
            let hint = children.isEmpty ? "" : " Did you mean \(children.joined(separator: ", "))?"
            fault(key, "This class is abstract and cannot be created.\(hint)")
        case .other(let full)?: fault(key, "Class class \(full) does not implement the \(interface) interface")
        }
    }
    /// Two aliases with one name are told once, and their keys come once.
    private mutating func aliases(_ key: String) -> [String] {
        guard let text = raw[key], !text.trimmingBlanks.isEmpty else { return [] }
        let names = text.trimmingBlanks.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmingBlanks)
        var seen: Set<String> = []
        let distinct = names.filter { seen.insert($0).inserted }
        if distinct.count == names.count { return names }
        fault(
            key,
            "Invalid value [\(names.joined(separator: ", "))] for configuration \(key): Duplicate alias provided."
        )
        return []
    }
    /// The plugin's own keys under a prefix; what parsing says names the whole key, what a validator says the plugin's.
    private mutating func addNested(_ nested: [any AnyConfigKey], prefix: String, group: String?) {
        let isConverter = group == nil
        for var definition in nested.map(\.definition) where index[prefix + definition.name] == nil {
            let short = definition.name, full = prefix + short
            // Kafka Connect checks a converter's keys apart from the connector's: their texts have no prefix.
            let problems = definition.problems(with: raw[full], prefix: isConverter ? "" : prefix)
            definition.name = full
            if let group {
                let alias = prefix.split(separator: ".", maxSplits: 1).last?.dropLast() ?? ""
                definition.group = group + alias
            }
            index[full] = keys.count
            keys.append(ValidatedKey(definition: definition, value: shown(full, definition), errors: problems))
        }
    }
    private mutating func add(_ definition: ConfigDefinition) {
        guard index[definition.name] == nil else { return }
        let given =
            raw[definition.name] != nil
            ? definition.name : definition.deprecatedNames.first { raw[$0] != nil } ?? definition.name
        index[definition.name] = keys.count
        if let group = definition.group, !groups.contains(group) { groups.append(group) }
        keys.append(
            ValidatedKey(
                definition: definition,
                value: shown(given, definition),
                recommendedValues: recommended(definition),
                errors: definition.problems(with: raw[given])
            )
        )
    }
    private func shown(_ name: String, _ definition: ConfigDefinition) -> String? {
        guard let text = raw[name] else { return definition.defaultText }
        return Masking.shown(text, of: name, definition)
    }
    private func recommended(_ definition: ConfigDefinition) -> [String] {
        switch definition.name {
        case "key.converter", "value.converter": plugins.converters.map(\.name)
        case "header.converter": plugins.headerConverters.map(\.name)
        case "connector.plugin.version": [descriptor.version]
        default: definition.recommendedValues
        }
    }
    private func errors(of key: String) -> [String] { index[key].map { keys[$0].errors } ?? [] }
    mutating func fault(_ key: String, _ message: String) {
        if let place = index[key] {
            if !keys[place].errors.contains(message) { keys[place].errors.append(message) }
        } else {
            add(ConfigIssue(key: key, message: message))
        }
    }
    /// An issue of a key that no definition knows: it gets one, so that the answer can carry it.
    private mutating func add(_ issue: ConfigIssue) {
        guard index[issue.key] == nil else { return fault(issue.key, issue.message) }
        let unknown = ConfigKey<String?>.optionalString(issue.key, importance: .low, "Not a known key.").definition
        index[issue.key] = keys.count
        let value = raw[issue.key].map { Masking.shown($0, of: issue.key, nil) }
        keys.append(ValidatedKey(definition: unknown, value: value, errors: [issue.message]))
    }

    // Rules

    private mutating func applyRules(isExactlyOnce: Bool) {
        checkVersion()
        checkOverrides()
        if descriptor.kind == .sink { checkTopics() } else { checkExactlyOnce(isExactlyOnce) }
        guard keys.allSatisfy(\.errors.isEmpty) else { return }
        for issue in descriptor.issues(in: raw) { fault(issue.key, issue.message) }
    }
    private mutating func checkVersion() {
        let key = "connector.plugin.version"
        guard let wanted = raw[key]?.trimmingBlanks, !wanted.isEmpty, !VersionRange(wanted).contains(descriptor.version)
        else { return }
        let text =
            "Plugin \(raw["connector.class"] ?? descriptor.name) not found that matches the version range "
            + "\(VersionRange(wanted)), available versions: [\(descriptor.version)]"
        fault("connector.class", text)
        fault(key, text)
    }
    private mutating func checkTopics() {
        let topics = (raw["topics"]?.trimmingBlanks).flatMap { text in
            text.isEmpty ? nil : text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmingBlanks)
        }
        let pattern = raw["topics.regex"].flatMap { $0.trimmingBlanks.isEmpty ? nil : $0.trimmingBlanks }
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
        if let topics {
            if topics.contains("") { fault("topics", "Configuration 'topics' values must not be empty.") }
            if Set(topics).count < topics.count {
                fault("topics", "Configuration 'topics' values must not be duplicated.")
            }
        }
        guard let queue = raw[SinkConnectorKeys.deadLetterTopic.name]?.trimmingBlanks, !queue.isEmpty else { return }
        if let topics, topics.contains(queue) {
            let list = topics.joined(separator: ", ")
            fault(
                "topics",
                "The DLQ topic '\(queue)' may not be included in the list of topics ('topics=[\(list)]') consumed "
                    + "by the connector"
            )
        }
        if let pattern, (try? Regex(pattern).wholeMatch(in: queue)) != nil {
            fault(
                "topics.regex",
                "The DLQ topic '\(queue)' may not be matched by the regex for the topics "
                    + "('topics.regex=\(pattern)') consumed by the connector"
            )
        }
    }
    private mutating func checkExactlyOnce(_ isEnabled: Bool) {
        let isRequired = raw[SourceConnectorKeys.exactlyOnce.name]?.trimmingBlanks.lowercased() == "required"
        guard isRequired, !isEnabled else { return }
        fault(
            SourceConnectorKeys.exactlyOnce.name,
            "This worker does not have exactly-once source support enabled. "
                + "Set exactly.once.source.support=enabled in the worker's properties."
        )
    }
    /// `producer.override.*` and the like, as far as the worker's policy lets connectors set them.
    private mutating func checkOverrides() {
        for key in config.keys where Self.overridePrefixes.contains(where: { key.hasPrefix($0) }) {
            let name = key.split(separator: ".", maxSplits: 2).last.map(String.init) ?? ""
            let isAllowed =
                switch policy {
                case .all: true
                case .none: false
                case .principal: ["sasl.jaas.config", "sasl.mechanism", "security.protocol"].contains(name)
                }
            if !isAllowed {
                fault(
                    key,
                    "The '\(policy.rawValue)' policy does not allow '\(name)' to be overridden in the connector "
                        + "configuration."
                )
            }
        }
    }
    static let overridePrefixes = ["producer.override.", "consumer.override.", "admin.override."]

    // Unknown keys

    private func unknown() -> [ConfigIssue] {
        let deprecated = Set(keys.flatMap(\.definition.deprecatedNames))
        let creation = aliasNames("topic.creation.groups") + ["default"]
        return config.keys.filter { key in
            index[key] == nil && !deprecated.contains(key) && !Self.overridePrefixes.contains { key.hasPrefix($0) }
                && !["key.converter.", "value.converter.", "header.converter."].contains { key.hasPrefix($0) }
                && !creation.contains { key.hasPrefix("topic.creation.\($0).") } && key != "initial_state"
                && key != "task.class"
        }.map { key in
            let hint = Suggestion.hint(for: key, among: keys.map(\.definition.name))
            return ConfigIssue(key: key, message: "Unknown configuration \(key) of \(descriptor.name).\(hint)")
        }
    }
    private func aliasNames(_ key: String) -> [String] {
        (raw[key] ?? "").split(separator: ",").map(\.trimmingBlanks)
    }
}
