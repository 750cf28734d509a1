/// A request's method; any token is one.
public struct Method: RawRepresentable, Hashable, Sendable {
    /// As on the wire: `GET`.
    public let rawValue: String
    /// A method by its name on the wire.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// GET.
    public static let get = Method(rawValue: "GET")
    /// HEAD, a GET whose body is left out.
    public static let head = Method(rawValue: "HEAD")
    /// POST.
    public static let post = Method(rawValue: "POST")
    /// PUT.
    public static let put = Method(rawValue: "PUT")
    /// PATCH.
    public static let patch = Method(rawValue: "PATCH")
    /// DELETE.
    public static let delete = Method(rawValue: "DELETE")
    /// OPTIONS.
    public static let options = Method(rawValue: "OPTIONS")
}

/// Header fields in order; names match without regard to case.
public struct Headers: Sendable, ExpressibleByDictionaryLiteral, Sequence {
    private var fields: [(name: String, value: String)] = []

    /// No fields.
    public init() {}
    /// Fields in the order written.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { (name: $0.0, value: $0.1) }
    }
    /// The first field of this name; setting replaces all of them, nil removes them.
    public subscript(name: String) -> String? {
        get { fields.first { Self.same($0.name, name) }?.value }
        set {
            remove(name)
            if let newValue { fields.append((name, newValue)) }
        }
    }
    /// All fields of this name.
    public func all(_ name: String) -> [String] { fields.filter { Self.same($0.name, name) }.map(\.value) }
    /// One more field, beside those of the same name.
    public mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }
    /// Takes out all fields of this name.
    public mutating func remove(_ name: String) { fields.removeAll { Self.same($0.name, name) } }
    /// The fields in order.
    public func makeIterator() -> IndexingIterator<[(name: String, value: String)]> { fields.makeIterator() }

    /// Header names are ASCII.
    private static func same(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && a.utf8.elementsEqual(b.utf8) { lower($0) == lower($1) }
    }
    private static func lower(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
}
