/// A value inside a source partition or source offset (Kafka Connect 4.3, `OffsetUtils`: null, text, number, boolean).
public enum OffsetValue: Sendable, Hashable {
    case null
    case string(String)
    case int(Int64)
    case double(Double)
    case boolean(Bool)

    /// The number, when it is a whole one.
    public var int: Int64? { if case .int(let number) = self { number } else { nil } }
    /// The text, when it is one.
    public var string: String? { if case .string(let text) = self { text } else { nil } }
    /// The truth value, when it is one.
    public var boolean: Bool? { if case .boolean(let flag) = self { flag } else { nil } }
}

/// A source partition (which file, which feed) or a source offset (how far in it), as Kafka Connect's offsets topic keeps them.
///
/// Two maps are equal when they hold the same pairs; the order of pairs only decides the bytes of the JSON text.
public struct OffsetMap: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// The pairs in the order in which they are written.
    public private(set) var pairs: [(key: String, value: OffsetValue)]

    /// Makes a map; a key that comes twice keeps its last value.
    public init(_ pairs: [(String, OffsetValue)]) {
        self.pairs = []
        for (key, value) in pairs { self[key] = value }
    }
    /// `["filename": .string(path)]`.
    public init(dictionaryLiteral elements: (String, OffsetValue)...) { self.init(elements) }

    /// The value of a key; setting nil removes it.
    public subscript(key: String) -> OffsetValue? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let index = pairs.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): pairs[index].value = value
            case (let index?, nil): pairs.remove(at: index)
            case (nil, let value?): pairs.append((key, value))
            case (nil, nil): break
            }
        }
    }
    private var dictionary: [String: OffsetValue] { Dictionary(pairs.map { ($0.key, $0.value) }) { _, last in last } }
    /// Equal pairs, in any order.
    public static func == (a: Self, b: Self) -> Bool { a.dictionary == b.dictionary }
    /// The same for any order.
    public func hash(into hasher: inout Hasher) { hasher.combine(dictionary) }
}
