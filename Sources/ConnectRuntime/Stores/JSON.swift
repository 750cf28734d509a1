import ConnectModel
public import ConnectSDK

/// A JSON value that keeps the order of its keys and the text of its numbers, as the internal topics need it.
public enum JSON: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// The number as it was written.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    /// One `"key":value`.
    public struct Member: Sendable, Hashable {
        /// The name.
        public var key: String
        /// What it stands for.
        public var value: JSON
    }

    /// An object with these members, in order.
    public static func object(_ pairs: KeyValuePairs<String, JSON>) -> Self {
        .object(pairs.map { Member(key: $0.key, value: $0.value) })
    }
    static func text(_ text: String?) -> Self { text.map { .string($0) } ?? .null }
    static func int(_ number: some BinaryInteger) -> Self { .number("\(number)") }

    /// The last member of that name: a key that comes twice counts once, as in Java's maps.
    public subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }
    /// The text, when it is one.
    public var string: String? { if case .string(let text) = self { text } else { nil } }
    var int: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
    /// The members, when it is an object.
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// The text a config value is stored as: numbers and truth values become text, as Kafka Connect's mapper does it.
    ///
    /// Nil for objects and arrays, which no config value can be.
    public var configText: String?? {
        switch self {
        case .null: .some(nil)
        case .boolean(let flag): "\(flag)"
        case .number(let text), .string(let text): text
        case .array, .object: nil
        }
    }
}

extension JSON {
    /// Reads one JSON text, strictly; throws where and why it is not one.
    public static func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSON { try JSONParser.parse(bytes) }

    /// Compact, as Kafka Connect's JsonConverter writes: no blanks, nothing escaped that need not be.
    public var bytes: [UInt8] {
        var out: [UInt8] = []
        write(to: &out)
        return out
    }
    private func write(to out: inout [UInt8]) {
        switch self {
        case .null: out += Array("null".utf8)
        case .boolean(let flag): out += Array((flag ? "true" : "false").utf8)
        case .number(let text): out += Array(text.utf8)
        case .string(let text): Self.write(text, to: &out)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                element.write(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                Self.write(member.key, to: &out)
                out.append(UInt8(ascii: ":"))
                member.value.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }
    private static let hex = Array("0123456789ABCDEF".utf8)
    private static func write(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 0x08: out += Array("\\b".utf8)
            case 0x09: out += Array("\\t".utf8)
            case 0x0A: out += Array("\\n".utf8)
            case 0x0C: out += Array("\\f".utf8)
            case 0x0D: out += Array("\\r".utf8)
            case 0..<0x20: out += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}

extension JSON {
    /// A source partition or offset; nested values cannot be one (Kafka Connect 4.3, `OffsetUtils`).
    public init(_ map: OffsetMap) {
        self = .object(
            map.pairs.map { key, value in
                switch value {
                case .null: Member(key: key, value: .null)
                case .string(let text): Member(key: key, value: .string(text))
                case .int(let number): Member(key: key, value: .int(number))
                case .double(let number): Member(key: key, value: .number(JavaNumber.text(number)))
                case .boolean(let flag): Member(key: key, value: .boolean(flag))
                }
            }
        )
    }
    /// The map, when this is an object of plain values.
    public var offsetMap: OffsetMap? {
        guard let members else { return nil }
        var map: [(String, OffsetValue)] = []
        for member in members {
            switch member.value {
            case .null: map.append((member.key, .null))
            case .boolean(let flag): map.append((member.key, .boolean(flag)))
            case .string(let text): map.append((member.key, .string(text)))
            case .number(let text):
                if let number = Int64(text) {
                    map.append((member.key, .int(number)))
                } else if let number = Double(text) {
                    map.append((member.key, .double(number)))
                } else {
                    return nil
                }
            case .array, .object: return nil
            }
        }
        return OffsetMap(map)
    }
}
