/// Name, type, default, check and documentation of one key; the only place that knows them.
///
/// Declared once as a constant; validation, help, the reference pages and the reader of the config all use it:
/// `static let tasksMax = ConfigKey<Int>.int("tasks.max", in: 1...1_000, default: 1, "Most tasks this connector may run.")`
public struct ConfigKey<Value: Sendable>: AnyConfigKey {
    /// What validation, help and pages show.
    public private(set) var definition: ConfigDefinition
    /// Counts when the key is absent; nil for a required key.
    public let defaultValue: Value?
    let parse: @Sendable (String) throws(ConfigIssue.Reason) -> Value

    /// The key's name.
    public var name: String { definition.name }

    /// A key whose text `parse` turns into a value; the kinds below cover nearly all.
    ///
    /// `isRequired` defaults to "has no default". A secret's value is left out of every message.
    public init(
        _ name: String,
        type: ConfigType,
        default defaultValue: Value?,
        defaultText: String?,
        importance: Importance,
        valid: String? = nil,
        _ documentation: String,
        parse: @escaping @Sendable (String) throws(ConfigIssue.Reason) -> Value
    ) {
        (self.defaultValue, self.parse) = (defaultValue, parse)
        definition = ConfigDefinition(
            name: name,
            type: type,
            defaultText: defaultText,
            isRequired: defaultValue == nil,
            importance: importance,
            documentation: documentation,
            group: nil,
            width: .none,
            displayName: name,
            validValues: valid
        )
        definition.check = { text in
            do throws(ConfigIssue.Reason) {
                _ = try parse(text)
                return nil
            } catch { return error }
        }
    }

    /// The same key under a heading of forms and pages, with what else they show.
    public func shown(
        in group: String? = nil,
        at order: Int? = nil,
        as displayName: String? = nil,
        width: ConfigWidth = .medium,
        dependents: [String] = [],
        recommended: [String] = []
    ) -> Self {
        var copy = self
        copy.definition.group = group
        if let order { copy.definition.orderInGroup = order }
        copy.definition.displayName = displayName ?? name
        copy.definition.width = width
        copy.definition.dependents = dependents
        copy.definition.recommendedValues = recommended
        return copy
    }

    /// The same key; null is not a value of it, for this reason (``ConfigDefinition/nullReason``).
    public func refusingNull(_ reason: ConfigIssue.Reason) -> Self {
        var copy = self
        copy.definition.nullReason = reason
        return copy
    }

    /// The same key, also accepted under an earlier name.
    public func formerly(_ names: String...) -> Self {
        var copy = self
        copy.definition.deprecatedNames += names
        return copy
    }

    /// The value in `raw`, or the default; throws the issue for a bad or missing value.
    ///
    /// `prefix` stands before the key's name in `raw`, for transforms and predicates: `transforms.t.`.
    public func value(in raw: [String: String], prefix: String = "") throws(ConfigIssue) -> Value {
        let name = ([name] + definition.deprecatedNames).first { raw[prefix + $0] != nil }
        guard let name, let text = raw[prefix + name] else {
            guard let defaultValue else { throw ConfigIssue.missing(prefix + self.name) }
            return defaultValue
        }
        do throws(ConfigIssue.Reason) { return try parse(text) } catch {
            throw error.issue(name, prefix: prefix, value: definition.type == .password ? Secret.hidden : text)
        }
    }
}

/// Reads keys, gathers every issue, throws once.
public struct ConfigReader {
    private let raw: [String: String]
    private var issues: [ConfigIssue] = []
    private var seen: Set<String> = []

    /// Starts on a connector's or worker's raw map.
    public init(_ raw: [String: String]) { self.raw = raw }

    /// The value of `key`, its default, or nil after an issue was noted; ``finish(_:)`` reports it.
    public mutating func read<V>(_ key: ConfigKey<V>) -> V? {
        seen.insert(key.name)
        seen.formUnion(key.definition.deprecatedNames)
        do throws(ConfigIssue) { return try key.value(in: raw) } catch {
            issues.append(error)
            return nil
        }
    }
    /// A rule across keys: names the key to change when it does not hold.
    public mutating func require(_ holds: Bool, _ key: ConfigKey<some Any>, _ reason: @autoclosure () -> String) {
        guard !holds else { return }
        let shown = key.definition.type == .password ? Secret.hidden : raw[key.name] ?? key.definition.defaultText
        issues.append(.invalid(key.name, value: shown, reason()))
    }
    /// Notes an issue found elsewhere.
    public mutating func note(_ issue: ConfigIssue) { issues.append(issue) }
    /// Keys of the map that nothing has read, sorted.
    public var unread: [String] { raw.keys.filter { !seen.contains($0) }.sorted() }

    /// Throws every issue at once, or hands back what `make` builds from the values read.
    ///
    /// `make` returns nil only when a value is missing, which has been noted as an issue by then.
    public func finish<C>(_ make: () -> C?) throws(ConfigInvalid) -> C {
        guard issues.isEmpty else { throw ConfigInvalid(issues: issues) }
        guard let made = make() else { preconditionFailure("a value is nil though no issue was noted") }
        return made
    }
}
