import ConnectConfig

/// A connector's or task's raw config in the order in which it was given, as the config topic keeps it.
///
/// Kafka Connect keeps the order of a request in `connector-NAME` records; a map without order would change their bytes.
/// A value may be null (Kafka Connect 4.3 stores it); readers of the config see such a key as absent.
public struct ConfigMap: Sendable, ExpressibleByDictionaryLiteral {
    /// The pairs in order; keys are unique.
    public private(set) var pairs: [(key: String, value: String?)] = []
    private var index: [String: Int] = [:]

    /// An empty config.
    public init() {}
    /// Keeps the order; a key that comes twice keeps its first place and last value.
    public init(_ pairs: some Sequence<(String, String?)>) {
        for (key, value) in pairs { set(key, value) }
    }
    /// `["topics": "orders"]`.
    public init(dictionaryLiteral elements: (String, String?)...) { self.init(elements) }
    /// Sorted by key, since a dictionary has no order.
    public init(_ dictionary: [String: String]) {
        for key in dictionary.keys.sorted() { set(key, dictionary[key]) }
    }

    /// The value of a key; nil for an absent key and for a null value.
    public subscript(key: String) -> String? { index[key].flatMap { pairs[$0].value } }
    /// Whether the key is there, with or without a value.
    public func contains(_ key: String) -> Bool { index[key] != nil }
    /// What the config says about a key, for its definition.
    func given(_ key: String) -> ConfigDefinition.Given {
        self[key].map(ConfigDefinition.Given.text) ?? (contains(key) ? .null : .absent)
    }
    /// The keys in order.
    public var keys: [String] { pairs.map(\.key) }
    /// How many keys there are.
    public var count: Int { pairs.count }
    /// Whether there is no key.
    public var isEmpty: Bool { pairs.isEmpty }
    /// What keys and tasks read: without order and without null values.
    public var dictionary: [String: String] {
        pairs.reduce(into: [:]) { found, pair in found[pair.key] = pair.value }
    }

    /// Sets a value, or null, where the key stands; a new key goes to the end.
    public mutating func set(_ key: String, _ value: String?) {
        if let known = index[key] {
            pairs[known].value = value
        } else {
            index[key] = pairs.count
            pairs.append((key, value))
        }
    }
    /// Removes a key.
    public mutating func remove(_ key: String) {
        guard let known = index[key] else { return }
        pairs.remove(at: known)
        index = [:]
        for (place, pair) in pairs.enumerated() { index[pair.key] = place }
    }
    /// With the changes of a PATCH: null removes the key (KIP-477).
    public func merging(_ changes: ConfigMap) -> ConfigMap {
        var merged = self
        for (key, value) in changes.pairs {
            if value == nil { merged.remove(key) } else { merged.set(key, value) }
        }
        return merged
    }
}

extension ConfigMap: Hashable {
    /// The same keys with the same values, in any order.
    public static func == (a: Self, b: Self) -> Bool {
        a.count == b.count && a.pairs.allSatisfy { b.contains($0.key) && b[$0.key] == $0.value }
    }
    /// The same for any order.
    public func hash(into hasher: inout Hasher) { hasher.combine(dictionary) }
}

extension ConfigMap: CustomStringConvertible {
    /// Keys only: a value may be a secret.
    public var description: String { "{\(keys.joined(separator: ", "))}" }
}
