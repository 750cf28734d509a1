/// What a file holds; the raw value is the short name in topics.
enum PriceFileType: String, Sendable, Hashable, CaseIterable {
    case price
    case pricefull
    case promo
    case promofull
    case stores

    /// The kind of list in the document.
    enum Family: Int, Sendable, Hashable, CaseIterable {
        case price, promo, stores
    }

    var family: Family {
        switch self {
        case .price, .pricefull: .price
        case .promo, .promofull: .promo
        case .stores: .stores
        }
    }
    var isFull: Bool { self == .pricefull || self == .promofull }

    /// The name that the upstream projects use: `price_full_file`.
    var longName: String {
        switch self {
        case .price: "price_file"
        case .pricefull: "price_full_file"
        case .promo: "promo_file"
        case .promofull: "promo_full_file"
        case .stores: "store_file"
        }
    }

    init(_ family: Family, isFull: Bool) {
        switch family {
        case .price: self = isFull ? .pricefull : .price
        case .promo: self = isFull ? .promofull : .promo
        case .stores: self = .stores
        }
    }

    /// Accepts short and long names in any case: `pricefull`, `PRICE_FULL_FILE`.
    init?(word: String) {
        let word = word.lowercased()
        guard let type = Self.allCases.first(where: { $0.rawValue == word || $0.longName == word }) else { return nil }
        self = type
    }
}

/// What a file's name tells; the document may contradict it and then wins.
///
/// Names are `<Type><chain>-[<sub-chain>-]<store>-<date>[-<time>]` with any tail after the first dot. Seen in practice:
/// three to five parts, a `NULL` prefix, any case of letters, a counter instead of the time, no extension.
struct PriceFileName: Sendable, Hashable {
    /// Nil when the name tells no type.
    var type: PriceFileType?
    /// Seven to thirteen digits; nil when there are none or only zeros.
    var chainID: String?
    var store: String?
    /// Eight, twelve or fourteen digits: date and time in Israel.
    var timestamp: String?
    /// Type, chain and parts are all as published: such a file is taken whatever its extension.
    var isPublished: Bool

    init(_ name: String) {
        let base = name.prefix { $0 != "." }
        let parts = base.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let head = parts.first ?? ""
        var letters = head.prefix { !$0.isASCIIDigit }.lowercased()
        let digits = String(head.drop { !$0.isASCIIDigit })
        if letters.hasPrefix("null") { letters.removeFirst(4) }
        type = Self.type(letters)
        let isChain = (7...13).contains(digits.count) && digits.allSatisfy(\.isASCIIDigit)
        chainID = isChain && digits.contains { $0 != "0" } ? digits : nil
        let words: Set = ["price", "pricefull", "promo", "promofull", "store", "stores", "storefull", "storesfull"]
        isPublished = words.contains(letters) && isChain && parts.count >= 2
        guard isChain else { return }
        if parts.count == 5 {
            store = parts[2]
            timestamp = Self.timestamp(parts[3], parts[4])
        } else if parts.count >= 3 {
            store = parts[1]
            timestamp = Self.timestamp(parts[2], parts.count > 3 ? parts[3] : "")
        } else if parts.count == 2 {
            timestamp = Self.timestamp(parts[1], "")
        }
    }

    /// For sorting: fourteen digits, a counter counting like a time, names without time last.
    var order: String {
        guard let timestamp else { return "99999999999999" }
        return timestamp + String(repeating: "0", count: max(0, 14 - timestamp.count))
    }

    private static func type(_ letters: String) -> PriceFileType? {
        let isFull = letters.contains("full")
        if letters.contains("store") { return .stores }
        if letters.contains("promo") { return isFull ? .promofull : .promo }
        if letters.contains("price") { return isFull ? .pricefull : .price }
        return nil
    }

    private static func timestamp(_ date: String, _ time: String) -> String? {
        guard date.allSatisfy(\.isASCIIDigit) else { return nil }
        if date.count == 12 || date.count == 14 { return date }
        guard date.count == 8 else { return nil }
        guard !time.isEmpty, time.count <= 6, time.allSatisfy(\.isASCIIDigit) else { return date }
        // Six digits are a time, three a counter of the day's versions.
        return date + String(repeating: "0", count: time.count == 4 ? 0 : 6 - time.count) + time
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
