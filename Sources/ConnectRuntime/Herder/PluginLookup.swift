import ConnectSDK

/// What a class name turns out to be when it is not what was wanted.
enum FoundClass {
    /// A plugin of another kind, by its full name.
    case other(String)
    /// The part before `$Key` and `$Value` of these classes.
    case abstract([String])
}

extension ConnectorCheck {
    /// What else goes by that name; nil when nothing does.
    func kind(of name: String) -> FoundClass? {
        let name = name.trimmingBlanks
        guard !name.isEmpty else { return nil }
        let all = allPluginNames
        if let full = all.first(where: { $0.names.contains(name) })?.name { return .other(full) }
        let children = all.map(\.name).filter { $0.hasPrefix(name + "$") }
        if !children.isEmpty || name == "org.apache.kafka.connect.converters.NumberConverter" {
            return .abstract(children)
        }
        return nil
    }
}

extension Plugins {
    /// Every plugin's name and all names that mean it.
    var names: [(name: String, names: [String])] {
        connectors.map { ($0.name, [$0.name] + $0.aliases) } + converters.map { ($0.name, [$0.name] + $0.aliases) }
            + headerConverters.map { ($0.name, [$0.name] + $0.aliases) }
            + transforms.map { ($0.name, [$0.name] + $0.aliases) }
            + predicates.map { ($0.name, [$0.name] + $0.aliases) }
    }
}

extension Array {
    /// The plugin that a config means: by name, by alias, or by the name after the last dot.
    func named<Product>(_ name: String) -> PluginDescriptor<Product>? where Element == PluginDescriptor<Product> {
        let name = name.trimmingBlanks
        return first { $0.name == name || $0.aliases.contains(name) }
            ?? first { !name.contains(".") && $0.name.split(separator: ".").last.map(String.init) == name }
    }
}

/// A version, or a range as Maven writes it: `1.2`, `[1.0,2.0)`, `[,2.0]` (KIP-891).
struct VersionRange: CustomStringConvertible {
    private let low: String?, high: String?
    private let includesLow: Bool, includesHigh: Bool
    /// Whether the text is a range at all; a broken one contains nothing.
    let isValid: Bool

    init(_ text: String) {
        guard text.hasPrefix("[") || text.hasPrefix("(") else {
            (low, high, includesLow, includesHigh, isValid) = (text, text, true, true, !text.isEmpty)
            return
        }
        let parts = text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
            .map(\.trimmingBlanks)
        isValid = (text.hasSuffix("]") || text.hasSuffix(")")) && (1...2).contains(parts.count)
        low = parts.first.flatMap { $0.isEmpty ? nil : $0 }
        high = parts.last.flatMap { $0.isEmpty ? nil : $0 }
        (includesLow, includesHigh) = (text.hasPrefix("["), text.hasSuffix("]"))
    }
    func contains(_ version: String) -> Bool {
        guard isValid else { return false }
        if let low, Self.compare(version, low) < (includesLow ? 0 : 1) { return false }
        if let high, Self.compare(version, high) > (includesHigh ? 0 : -1) { return false }
        return true
    }
    var description: String {
        "\(includesLow ? "[" : "(")\(low ?? ""),\(high ?? "")\(includesHigh ? "]" : ")")"
    }
    private static func compare(_ a: String, _ b: String) -> Int {
        let left = a.split { $0 == "." || $0 == "-" }, right = b.split { $0 == "." || $0 == "-" }
        for index in 0..<max(left.count, right.count) {
            let x = index < left.count ? left[index] : "0", y = index < right.count ? right[index] : "0"
            if let m = Int(x), let n = Int(y) {
                if m != n { return m < n ? -1 : 1 }
            } else if x != y {
                return x < y ? -1 : 1
            }
        }
        return 0
    }
}
