/// A value as Connect's data API knows it, in Swift's types.
///
/// Without a schema a JSON document is made of `null`, `boolean`, `int64`, `number`, `string`, `array` and `map`.
public enum Value: Sendable, Hashable {
    /// No value.
    case null
    /// Java's `Boolean`.
    case boolean(Bool)
    /// Java's `Byte`.
    case int8(Int8)
    /// Java's `Short`.
    case int16(Int16)
    /// Java's `Integer`.
    case int32(Int32)
    /// Java's `Long`.
    case int64(Int64)
    /// Java's `Float`.
    case float32(Float)
    /// Java's `Double`.
    case float64(Double)
    /// A JSON number whose text is kept: it has a fraction, an exponent, or does not fit 64 bits.
    case number(JSONNumber)
    /// Java's `String`.
    case string(String)
    /// Java's `byte[]`.
    case bytes([UInt8])
    /// Java's `BigDecimal`.
    case decimal(Decimal)
    /// Java's `BigInteger`.
    case bigInteger(BigInteger)
    /// Java's `java.util.Date`: milliseconds since 1970; also what Date, Time and Timestamp schemas describe.
    case date(Int64)
    /// Java's `List`.
    case array([Value])
    /// Java's `Map`, in the order of insertion.
    case map(MapValue)
    /// Connect's `Struct`.
    case structure(StructValue)

    /// A map with text keys.
    public static func object(_ entries: KeyValuePairs<String, Value>) -> Value {
        .map(MapValue(entries.map { MapValue.Entry(key: .string($0.key), value: $0.value) }))
    }

    /// Whether it is ``null``.
    public var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    /// The Java class that Connect would see, as `getClass().getName()` prints it; `null` for null.
    public var javaClass: String {
        switch self {
        case .null: "null"
        case .boolean: "java.lang.Boolean"
        case .int8: "java.lang.Byte"
        case .int16: "java.lang.Short"
        case .int32: "java.lang.Integer"
        case .int64: "java.lang.Long"
        case .float32: "java.lang.Float"
        case .float64: "java.lang.Double"
        case .number(let number): number.isIntegral ? "java.lang.Long" : "java.lang.Double"
        case .string: "java.lang.String"
        case .bytes: "[B"
        case .decimal: "java.math.BigDecimal"
        case .bigInteger: "java.math.BigInteger"
        case .date: "java.util.Date"
        case .array: "java.util.ArrayList"
        case .map: "java.util.HashMap"
        case .structure: "org.apache.kafka.connect.data.Struct"
        }
    }

    /// The schema type that Connect gives a value without schema, by its class; nil for null, decimals, big integers, dates.
    public var inferredType: SchemaType? {
        switch self {
        case .null, .decimal, .bigInteger, .date: nil
        case .boolean: .boolean
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .float32: .float32
        case .float64: .float64
        case .number(let number): number.isIntegral ? .int64 : .float64
        case .string: .string
        case .bytes: .bytes
        case .array: .array
        case .map: .map
        case .structure: .structure
        }
    }
}

/// A map that keeps the order of insertion; equality does not look at the order.
///
/// Keys are unique.
public struct MapValue: Sendable {
    /// A key with its value.
    public struct Entry: Sendable, Hashable {
        /// The key; text in JSON objects.
        public var key: Value
        /// The value.
        public var value: Value

        /// Makes an entry.
        public init(key: Value, value: Value) { (self.key, self.value) = (key, value) }
    }

    /// The entries in order.
    public private(set) var entries: [Entry]

    /// An empty map.
    public init() { entries = [] }
    /// A map of entries whose keys are known to be unique.
    public init(_ entries: [Entry]) { self.entries = entries }

    /// A map of entries of which the last of each key counts, at the place of the first, as in Java's maps.
    public init(lastOfEachKey entries: [Entry]) {
        self.entries = entries
        guard entries.count > 1 else { return }
        if entries.count <= 16 {
            for index in entries.indices.dropFirst()
            where entries[..<index].contains(where: { $0.key == entries[index].key }) {
                self = Self(replacing: entries)
                return
            }
        } else if Set(entries.map(\.key)).count < entries.count {
            self = Self(replacing: entries)
        }
    }

    private init(replacing entries: [Entry]) {
        self.entries = []
        var places: [Value: Int] = [:]
        for entry in entries {
            if let place = places[entry.key] {
                self.entries[place].value = entry.value
            } else {
                places[entry.key] = self.entries.count
                self.entries.append(entry)
            }
        }
    }

    /// How many entries there are.
    public var count: Int { entries.count }
    /// Whether there is no entry.
    public var isEmpty: Bool { entries.isEmpty }

    /// The value of a key; setting nil removes the entry, setting a value keeps its place or appends it.
    public subscript(key: Value) -> Value? {
        get { entries.first { $0.key == key }?.value }
        set { set(at: entries.firstIndex { $0.key == key }, key, newValue) }
    }

    /// The value of a text key; setting as in the general subscript.
    public subscript(name: String) -> Value? {
        get { index(of: name).map { entries[$0].value } }
        set { set(at: index(of: name), .string(name), newValue) }
    }

    private func index(of name: String) -> Int? {
        entries.firstIndex {
            if case .string(name) = $0.key { return true }
            return false
        }
    }

    private mutating func set(at index: Int?, _ key: Value, _ value: Value?) {
        switch (index, value) {
        case (let index?, let value?): entries[index].value = value
        case (let index?, nil): entries.remove(at: index)
        case (nil, let value?): entries.append(Entry(key: key, value: value))
        case (nil, nil): break
        }
    }
}

extension MapValue: Hashable {
    /// The same keys with the same values, in any order.
    public static func == (a: Self, b: Self) -> Bool {
        if a.entries == b.entries { return true }
        guard a.count == b.count else { return false }
        let other = Dictionary(b.entries.map { ($0.key, $0.value) }) { $1 }
        return a.entries.allSatisfy { other[$0.key] == $0.value }
    }

    /// Does not depend on the order.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(entries.reduce(0) { $0 ^ $1.hashValue })
    }
}

/// A value with the schema that describes it; a nil schema leaves the value to its class.
public struct SchemaAndValue: Sendable, Hashable {
    /// The schema, if there is one.
    public var schema: Schema?
    /// The value.
    public var value: Value

    /// Pairs a value with its schema.
    public init(_ schema: Schema?, _ value: Value) { (self.schema, self.value) = (schema, value) }

    /// A null without schema.
    public static let null = SchemaAndValue(nil, .null)
}
