import ConnectConfig
import ConnectSDK

/// Checks one connector's config as Kafka Connect 4.3 does: every key by itself, then the rules across keys.
struct ConnectorCheck {
    /// What Kafka Connect answers as a whole instead of checking: a class that is not there, a client setting of the
    /// wrong type, one of its accidents.
    struct Refusal: Error {
        /// The exception's class.
        var javaClass: String
        /// The exception's message.
        var message: String

        static func badRequest(_ message: String) -> Self {
            Self(javaClass: "org.apache.kafka.connect.runtime.rest.errors.BadRequestException", message: message)
        }
    }
    /// How much is checked.
    struct Scope {
        var converterDefaults: [String: String] = [:]
        var policy = OverridePolicy.all
        var isExactlyOnce = false
        var refusesUnknownKeys = false
        /// Just what Kafka Connect checks, no more: without this worker's own keys, and without what Kafka Connect finds
        /// only when a task starts (settings of new topics, a demand of exactly once).
        var isKafkaConnects = false
    }

    let plugins: Plugins
    let descriptor: any ConnectorDescriptor
    let config: ConfigMap
    let raw: [String: String]
    let scope: Scope
    var keys: [ValidatedKey] = []
    var index: [String: Int] = [:]
    private var groups: [String] = []

    /// Checks for a worker.
    static func run(
        _ config: ConfigMap,
        of descriptor: any ConnectorDescriptor,
        plugins: Plugins,
        worker: WorkerConfig
    ) throws(Refusal) -> ValidationResult {
        let scope = Scope(
            converterDefaults: worker.converters,
            policy: worker.overridePolicy,
            isExactlyOnce: worker.isExactlyOnce,
            refusesUnknownKeys: worker.refusesUnknownKeys
        )
        return try run(config, of: descriptor, plugins: plugins, scope: scope)
    }
    static func run(
        _ config: ConfigMap,
        of descriptor: any ConnectorDescriptor,
        plugins: Plugins,
        scope: Scope
    ) throws(Refusal) -> ValidationResult {
        var check = Self(plugins: plugins, descriptor: descriptor, config: config, scope: scope)
        if check.checkVersion(), scope.isKafkaConnects {
            check.checkCommonKeysOnly()
        } else {
            try check.runAll()
        }
        let warnings = check.unknown()
        if scope.refusesUnknownKeys { for issue in warnings { check.add(issue) } }
        return ValidationResult(
            name: descriptor.name,
            groups: check.groups,
            keys: check.keys,
            warnings: scope.refusesUnknownKeys ? [] : warnings
        )
    }
    private init(plugins: Plugins, descriptor: any ConnectorDescriptor, config: ConfigMap, scope: Scope) {
        (self.plugins, self.descriptor, self.config, self.scope) = (plugins, descriptor, config, scope)
        raw = config.dictionary
        groups = ["Common", "Transforms", "Predicates", "Error Handling"]
        if descriptor.kind == .source { groups += ["Topic Creation", "Exactly Once Support", "offsets.topic"] }
        for definition in descriptor.kind.frameworkDefinitions { add(definition) }
    }
    private mutating func runAll() throws(Refusal) {
        checkPluginVersions()
        addAliases()
        if descriptor.kind == .sink { try checkTopics() }
        refuseNulls()
        addOwn()
        addConverters()
        try checkOverrides()
        if !scope.isKafkaConnects { checkExactlyOnce() }
        guard keys.allSatisfy(\.errors.isEmpty) else { return }
        for issue in descriptor.issues(in: raw) {
            // Kafka Connect takes null for a value, except where a check of the key refuses it.
            if scope.isKafkaConnects, config.given(issue.key) == .null { continue }
            fault(issue.key, issue.message)
        }
    }

    // Keys

    private mutating func addOwn() {
        let own = descriptor.keys.map(\.definition)
        // Kafka Connect takes the connector's word on its own keys: what was said of a null is forgotten.
        for definition in own {
            guard let place = index[definition.name], descriptor.kind.frameworkNames.contains(definition.name) == false
            else { continue }
            keys.remove(at: place)
            index = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1.definition.name, $0) })
        }
        for definition in own + (scope.isKafkaConnects ? [] : OwnKeys.all(for: descriptor.kind)) { add(definition) }
    }
    private mutating func addConverters() {
        for side in ["header", "key", "value"] {
            let key = "\(side).converter"
            guard let name = raw[key], errors(of: key).isEmpty, errors(of: key + ".plugin.version").isEmpty else {
                continue
            }
            let isHeader = side == "header"
            let found = isHeader ? plugins.headerConverters.named(name)?.keys : plugins.converters.named(name)?.keys
            addNested(found ?? [], prefix: key + ".", group: nil, standIns: ["converter.type": side])
        }
    }
    private mutating func addAliases() {
        for alias in aliases("transforms") {
            let prefix = "transforms.\(alias)."
            addAlias(prefix, AliasKeys.transform(alias), plugins.transforms, "Transformation", group: "Transforms: ")
        }
        for alias in aliases("predicates") {
            let prefix = "predicates.\(alias)."
            addAlias(prefix, AliasKeys.predicate(alias), plugins.predicates, "Predicate", group: "Predicates: ")
        }
        let creationGroups = aliases("topic.creation.groups")
        guard descriptor.kind == .source, !scope.isKafkaConnects else { return }
        let hasCreation = raw.keys.contains { $0.hasPrefix("topic.creation.") && $0 != "topic.creation.groups" }
        guard hasCreation || !creationGroups.isEmpty else { return }
        for group in creationGroups + (creationGroups.contains("default") ? [] : ["default"]) {
            for definition in AliasKeys.topicCreation(group) { add(definition) }
        }
    }
    /// `type` of a transform or predicate; the keys that the class has follow when it is one.
    private mutating func addAlias<Product>(
        _ prefix: String,
        _ definitions: [ConfigDefinition],
        _ list: [PluginDescriptor<Product>],
        _ interface: String,
        group: String
    ) {
        guard let type = definitions.first else { return }
        let given = config.given(type.name)
        add(type)
        let isNegateAlone = config.contains(prefix + "negate") && !config.contains(prefix + "predicate")
        let negate =
            isNegateAlone && interface == "Transformation"
            ? "Config '\(prefix)negate' was provided but there is no config '\(prefix)predicate' defining a predicate "
                + "to be negated." : nil
        let malformed = malformedVersion(prefix + "plugin.version")
        guard case .text(let name) = given else {
            if let negate { fault(type.name, negate) }
            return
        }
        let found = list.named(name)
        let problem = classProblem(type.name, name, interface, isFound: found != nil)
        // Kafka Connect stops at the first of these, except that a missing class does not keep it from the next.
        if let problem, problem.isMissing { fault(type.name, problem.message) }
        if let first = negate ?? (problem?.isMissing == true ? nil : malformed ?? problem?.message) {
            fault(type.name, first)
        }
        // Kafka Connect finds the class with blanks around its name, but not its keys.
        guard let found, malformed == nil, name == name.trimmingBlanks else { return }
        let isRight = isRightVersion(prefix, negate == nil ? type.name : nil, found.name, [found.version])
        guard isRight else { return }
        for definition in definitions.dropFirst() { add(definition) }
        addNested(found.keys, prefix: prefix, group: group)
    }
    /// The names of a list of aliases, each once.
    private func aliases(_ key: String) -> [String] {
        guard let text = raw[key]?.trimmingBlanks, !text.isEmpty else { return [] }
        var seen: Set<String> = []
        return text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmingBlanks)
            .filter { seen.insert($0).inserted }
    }
    /// The plugin's own keys under a prefix; what parsing says names the whole key, what a validator says the plugin's.
    private mutating func addNested(
        _ nested: [any AnyConfigKey],
        prefix: String,
        group: String?,
        standIns: [String: String] = [:]
    ) {
        let isConverter = group == nil
        for var definition in nested.map(\.definition) {
            let short = definition.name, full = prefix + short
            if !isConverter, index[full] != nil { continue }  // the runtime's own `predicate` and `negate`
            var given = config.given(full)
            if given == .absent || given == .null, let standIn = standIns[short] { given = .text(standIn) }
            // Kafka Connect checks a converter's keys apart from the connector's: their texts have no prefix.
            let problems = definition.problems(with: given, prefix: isConverter ? "" : prefix)
            definition.name = full
            if let group {
                let alias = prefix.split(separator: ".", maxSplits: 1).last?.dropLast() ?? ""
                definition.group = group + alias
            }
            if let place = index[full] {  // a null that was told already
                keys[place].errors += problems
                continue
            }
            index[full] = keys.count
            keys.append(ValidatedKey(definition: definition, value: shown(full, definition), errors: problems))
        }
    }
    private mutating func add(_ definition: ConfigDefinition) {
        guard index[definition.name] == nil else { return }
        let name =
            config.contains(definition.name)
            ? definition.name : definition.deprecatedNames.first { raw[$0] != nil } ?? definition.name
        index[definition.name] = keys.count
        if let group = definition.group, !groups.contains(group) { groups.append(group) }
        keys.append(
            ValidatedKey(
                definition: definition,
                value: shown(name, definition),
                recommendedValues: recommended(definition),
                errors: definition.problems(with: config.given(name))
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
    func errors(of key: String) -> [String] { index[key].map { keys[$0].errors } ?? [] }
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

    // Unknown keys

    private func unknown() -> [ConfigIssue] {
        let deprecated = Set(keys.flatMap(\.definition.deprecatedNames))
        let creation = aliases("topic.creation.groups") + ["default"]
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
}
