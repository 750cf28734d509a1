/// Versions that a config asks for, as Maven writes them: `1.2`, `[1.0,2.0)`, `[,2.0],[3.0,)` (KIP-891).
struct VersionRange: CustomStringConvertible {
    /// A text that is no range.
    struct Malformed: Error {
        /// Why, in Maven's words.
        var message: String
    }
    private struct Part {
        var low: String?, high: String?
        var includesLow: Bool, includesHigh: Bool

        init(_ text: Substring) throws(Malformed) {
            (includesLow, includesHigh) = (text.hasPrefix("["), text.hasSuffix("]"))
            let parts = text.dropFirst().dropLast().split(
                separator: ",",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            .map(\.trimmingBlanks)
            if parts.count < 2 {
                guard includesLow, includesHigh else {
                    throw Malformed(message: "Single version must be surrounded by []: \(text)")
                }
                (low, high) = (parts.first ?? "", parts.first ?? "")
                return
            }
            (low, high) = (parts[0].isEmpty ? nil : parts[0], parts[1].isEmpty ? nil : parts[1])
            guard let low, let high else { return }
            if VersionRange.compare(high, low) < 0 {
                throw Malformed(message: "Range defies version ordering: \(text)")
            }
            if !includesLow || !includesHigh, VersionRange.compare(high, low) == 0 {
                throw Malformed(message: "Range cannot have identical boundaries: \(text)")
            }
        }
        func contains(_ version: String) -> Bool {
            if let low, VersionRange.compare(version, low) < (includesLow ? 0 : 1) { return false }
            if let high, VersionRange.compare(version, high) > (includesHigh ? 0 : -1) { return false }
            return true
        }
    }
    /// Empty for any version.
    private var parts: [Part] = []

    /// Reads what a config asks for; a version alone is that version and no other, `latest` any.
    init(requirement text: String) throws(Malformed) {
        if text == "latest" { return }
        let text = text.trimmingBlanks
        if let parts = try Self.parts(of: text) {
            self.parts = parts
        } else {
            parts = try Self.parts(of: "[\(text)]") ?? []
        }
    }
    /// The ranges of a text; nil when it is a version without brackets.
    private static func parts(of text: String) throws(Malformed) -> [Part]? {
        var rest = Substring(text), found: [Part] = []
        while rest.hasPrefix("[") || rest.hasPrefix("(") {
            guard let end = rest.firstIndex(where: { $0 == "]" || $0 == ")" }) else {
                throw Malformed(message: "Unbounded range: \(text)")
            }
            let part = try Part(rest[...end])
            if let last = found.last {
                guard let upper = last.high, let lower = part.low, compare(lower, upper) >= 0 else {
                    throw Malformed(message: "Ranges overlap: \(text)")
                }
            }
            found.append(part)
            rest = Substring(rest[rest.index(after: end)...].trimmingBlanks)
            if rest.hasPrefix(",") { rest = Substring(rest.dropFirst().trimmingBlanks) }
        }
        if rest.isEmpty { return found.isEmpty ? nil : found }
        guard found.isEmpty else {
            throw Malformed(message: "Only fully-qualified sets allowed in multiple set scenario: \(text)")
        }
        return nil
    }

    func contains(_ version: String) -> Bool { parts.isEmpty || parts.contains { $0.contains(version) } }
    var description: String {
        parts.map { "\($0.includesLow ? "[" : "(")\($0.low ?? ""),\($0.high ?? "")\($0.includesHigh ? "]" : ")")" }
            .joined(separator: ",")
    }
    /// Numbers by value; a qualifier (`-rc1`) comes before the release.
    private static func compare(_ a: String, _ b: String) -> Int {
        let left = a.split { $0 == "." || $0 == "-" }, right = b.split { $0 == "." || $0 == "-" }
        for index in 0..<max(left.count, right.count) {
            let x = index < left.count ? left[index] : "0", y = index < right.count ? right[index] : "0"
            switch (Int(x), Int(y)) {
            case (let m?, let n?) where m != n: return m < n ? -1 : 1
            case (_?, nil): return 1
            case (nil, _?): return -1
            case (nil, nil) where x != y: return x < y ? -1 : 1
            default: continue
            }
        }
        return 0
    }
}
