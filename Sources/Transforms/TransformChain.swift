public import ConnectConfig
public import ConnectModel
public import ConnectSDK

/// The transforms of a connector, one after the other, each with its predicate.
public struct TransformChain: RecordTransform {
    struct Stage: Sendable {
        let alias: String
        let transform: any RecordTransform
        let predicate: (any RecordPredicate)?
        let isNegated: Bool
        /// Kafka Connect's name of the transform.
        let className: String

        /// The changed record; nil when it is dropped.
        func apply(_ record: ConnectRecord) throws(DataError) -> ConnectRecord? {
            do throws(DataError) {
                if let predicate, try predicate.test(record) == isNegated { return record }
                return try transform.apply(record)
            } catch {
                var named = error
                named.className = className
                throw named
            }
        }
    }
    /// What became of a record, and where.
    enum Outcome: Sendable {
        case passed(ConnectRecord)
        case dropped(by: Stage)
        case failed(DataError, in: Stage)
    }

    let stages: [Stage]

    /// The changed record; nil when a transform drops it, after which the rest is not asked.
    public func apply(_ record: ConnectRecord) throws(DataError) -> ConnectRecord? {
        var current = record
        for stage in stages {
            guard let changed = try stage.apply(current) else { return nil }
            current = changed
        }
        return current
    }
    /// The same, with the transform that dropped or refused the record.
    func trace(_ record: ConnectRecord) -> Outcome {
        var current = record
        for stage in stages {
            do throws(DataError) {
                guard let changed = try stage.apply(current) else { return .dropped(by: stage) }
                current = changed
            } catch { return .failed(error, in: stage) }
        }
        return .passed(current)
    }

    /// Builds the chain of `transforms=a,b` and its predicates out of a connector's whole config; nil without any.
    ///
    /// Throws what Kafka Connect refuses: first unknown classes, then wrong options, then what a transform finds itself.
    public static func make(
        _ config: [String: String],
        transforms: [PluginDescriptor<any RecordTransform>] = Transforms.all,
        predicates: [PluginDescriptor<any RecordPredicate>] = Transforms.predicates
    ) throws(ConfigInvalid) -> (any RecordTransform)? {
        let chain = try chain(config, transforms: transforms, predicates: predicates)
        return chain.stages.isEmpty ? nil : chain
    }
    static func chain(
        _ config: [String: String],
        transforms: [PluginDescriptor<any RecordTransform>] = Transforms.all,
        predicates: [PluginDescriptor<any RecordPredicate>] = Transforms.predicates
    ) throws(ConfigInvalid) -> TransformChain {
        let plan = ChainPlan(config: config, transforms: transforms, predicates: predicates)
        let issues = plan.issues()
        guard issues.isEmpty else { throw ConfigInvalid(issues: issues) }
        var stages: [Stage] = []
        for alias in plan.transformAliases { stages.append(try plan.stage(alias)) }
        return TransformChain(stages: stages)
    }
}

/// The aliases in a connector's config, with the plugins they mean.
struct ChainPlan {
    let config: [String: String]
    let transforms: [PluginDescriptor<any RecordTransform>]
    let predicates: [PluginDescriptor<any RecordPredicate>]

    static let transformsKey = ConfigKey<[String]>.list(
        "transforms",
        default: [],
        importance: .low,
        "Aliases for the transformations to be applied to records."
    )
    static let predicatesKey = ConfigKey<[String]>.list(
        "predicates",
        default: [],
        importance: .low,
        "Aliases for the predicates used by transformations."
    )
    static let negateKey = ConfigKey<Bool>.boolean("negate", default: false, "Whether the predicate is turned around.")

    var transformAliases: [String] { unique(Self.transformsKey) }
    private var predicateAliases: [String] { unique(Self.predicatesKey) }

    private func unique(_ key: ConfigKey<[String]>) -> [String] {
        let aliases = (try? key.value(in: config)) ?? []
        return aliases.enumerated().filter { index, alias in !aliases[..<index].contains(alias) }.map(\.element)
    }

    func transform(_ alias: String) -> PluginDescriptor<any RecordTransform>? {
        config["transforms.\(alias).type"].flatMap { Self.find($0, transforms) }
    }
    private func predicate(_ alias: String) -> PluginDescriptor<any RecordPredicate>? {
        config["predicates.\(alias).type"].flatMap { Self.find($0, predicates) }
    }

    private static func find<P>(_ name: String, _ plugins: [PluginDescriptor<P>]) -> PluginDescriptor<P>? {
        plugins.first { $0.name == name || $0.aliases.contains(name) }
    }

    /// Everything that is wrong, in the order in which Kafka Connect comes upon it.
    func issues() -> [ConfigIssue] {
        var issues: [ConfigIssue] = []
        for alias in transformAliases where transform(alias) == nil {
            issues += [
                classIssue("transforms.\(alias).type", "Transformation", Self.names(transforms), Self.names(predicates))
            ]
        }
        for alias in predicateAliases where predicate(alias) == nil {
            issues += [
                classIssue("predicates.\(alias).type", "Predicate", Self.names(predicates), Self.names(transforms))
            ]
        }
        for key in [Self.transformsKey, Self.predicatesKey] {
            let aliases = (try? key.value(in: config)) ?? []
            if Set(aliases).count < aliases.count {
                let shown = "[\(aliases.joined(separator: ", "))]"
                issues.append(.invalid(key.name, value: shown, "Duplicate alias provided."))
            }
        }
        for alias in transformAliases {
            let prefix = "transforms.\(alias)."
            if config[prefix + "negate"] != nil, config[prefix + "predicate"] == nil {
                issues.append(
                    ConfigIssue(
                        key: prefix + "type",
                        message: "Config '\(prefix)negate' was provided but there is no config '\(prefix)predicate'"
                            + " defining a predicate to be negated."
                    )
                )
            }
            issues += problems([Self.negateKey], prefix)
            issues += problems(transform(alias)?.keys ?? [], prefix)
        }
        for alias in predicateAliases { issues += problems(predicate(alias)?.keys ?? [], "predicates.\(alias).") }
        return issues
    }

    private func problems(_ keys: [any AnyConfigKey], _ prefix: String) -> [ConfigIssue] {
        keys.flatMap { key in
            key.definition.problems(with: config[prefix + key.definition.name], prefix: prefix).map {
                ConfigIssue(key: prefix + key.definition.name, message: $0)
            }
        }
    }

    private static func names(_ plugins: [PluginDescriptor<some Any>]) -> [String] { plugins.map(\.name) }

    private func classIssue(_ key: String, _ kind: String, _ own: [String], _ others: [String]) -> ConfigIssue {
        guard let name = config[key] else { return .invalid(key, value: nil, "Not a \(kind)") }
        let concrete = own.filter { $0.hasPrefix(name + "$") }
        if !concrete.isEmpty {
            return ConfigIssue(
                key: key,
                message:
                    "This class is abstract and cannot be created. Did you mean \(concrete.joined(separator: ", "))?"
            )
        }
        if let other = others.first(where: { $0 == name || $0.hasSuffix("." + name) && !$0.contains("$") }) {
            return ConfigIssue(key: key, message: "Class class \(other) does not implement the \(kind) interface")
        }
        return .invalid(key, value: name, "Class \(name) could not be found.")
    }

    /// The stage of an alias, whose options have been found right.
    func stage(_ alias: String) throws(ConfigInvalid) -> TransformChain.Stage {
        let prefix = "transforms.\(alias)."
        guard let descriptor = transform(alias) else {
            throw ConfigInvalid(issues: [.invalid(prefix + "type", value: nil, "Not a Transformation")])
        }
        let transform = try descriptor.make(options(prefix), false)
        guard let predicateAlias = config[prefix + "predicate"].map({ trimmed($0) }) else {
            return TransformChain.Stage(
                alias: alias,
                transform: transform,
                predicate: nil,
                isNegated: false,
                className: descriptor.name
            )
        }
        guard predicateAliases.contains(predicateAlias), let predicate = predicate(predicateAlias) else {
            let missing = "predicates.\(predicateAlias).plugin.version"
            throw ConfigInvalid(issues: [
                ConfigIssue(key: prefix + "predicate", message: "Unknown configuration '\(missing)'")
            ])
        }
        let isNegated = config[prefix + "negate"].map { trimmed($0).lowercased() == "true" } ?? false
        return TransformChain.Stage(
            alias: alias,
            transform: transform,
            predicate: try predicate.make(options("predicates.\(predicateAlias)."), false),
            isNegated: isNegated,
            className: descriptor.name
        )
    }

    private func options(_ prefix: String) -> [String: String] {
        var options: [String: String] = [:]
        for (name, value) in config where name.hasPrefix(prefix) {
            options[String(name.dropFirst(prefix.count))] = value
        }
        return options
    }
}
