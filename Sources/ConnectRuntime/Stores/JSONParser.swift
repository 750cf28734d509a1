/// Where a JSON text is wrong, for people who have to mend it.
public struct JSONFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    /// From 1, in characters.
    public var column: Int
    /// What was expected or found.
    public var reason: String
    /// `line 3, column 14: reason`.
    public var description: String { "line \(line), column \(column): \(reason)" }
}

/// Reads one JSON text (RFC 8259), strictly, telling line and column of the first fault.
///
/// For configs and internal topics, which are small; records go through `JSONReading`.
struct JSONParser {
    private static let deepest = 200
    private let bytes: [UInt8]
    private var at = 0
    private let refusesDuplicates: Bool

    private init(_ bytes: [UInt8], refusesDuplicates: Bool) {
        (self.bytes, self.refusesDuplicates) = (bytes, refusesDuplicates)
    }

    /// The value of a text; `refusesDuplicates` is for files that people write, where a key that comes twice is a slip.
    static func parse(_ bytes: [UInt8], refusesDuplicates: Bool = false) throws(JSONFault) -> JSON {
        var parser = Self(bytes, refusesDuplicates: refusesDuplicates)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.at = 3 }
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.at == bytes.count else { throw parser.fault("text after the end of the value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSON {
        skipBlanks()
        guard depth < Self.deepest else { throw fault("nested deeper than \(Self.deepest)") }
        guard at < bytes.count else { throw fault("the text ends where a value should be") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "/"), UInt8(ascii: "#"): throw fault("JSON has no comments")
        case UInt8(ascii: "'"): throw fault("texts stand in double quotes")
        default: throw fault("expected a value")
        }
    }
    private mutating func object(_ depth: Int) throws(JSONFault) -> JSON {
        at += 1
        var members: [JSON.Member] = [], seen: Set<String> = []
        skipBlanks()
        if take("}") { return .object([]) }
        while true {
            skipBlanks()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
                throw fault(peek("}") ? "a comma before the closing brace" : "expected a key in double quotes")
            }
            let start = at
            let key = try string()
            if refusesDuplicates, !seen.insert(key).inserted { throw fault("key \"\(key)\" comes twice", at: start) }
            skipBlanks()
            guard take(":") else { throw fault("expected a colon after key \"\(key)\"") }
            members.append(JSON.Member(key: key, value: try value(depth: depth + 1)))
            skipBlanks()
            if take("}") { return .object(members) }
            guard take(",") else { throw fault("expected a comma or a closing brace") }
        }
    }
    private mutating func array(_ depth: Int) throws(JSONFault) -> JSON {
        at += 1
        var elements: [JSON] = []
        skipBlanks()
        if take("]") { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            if take("]") { return .array(elements) }
            guard take(",") else { throw fault("expected a comma or a closing bracket") }
        }
    }
    private mutating func word(_ text: String, _ value: JSON) throws(JSONFault) -> JSON {
        guard bytes[at...].starts(with: Array(text.utf8)) else { throw fault("expected a value") }
        at += text.utf8.count
        return value
    }
    private mutating func number() throws(JSONFault) -> JSON {
        let start = at
        _ = take("-")
        let whole = digits()
        guard whole.count > 0, whole.count == 1 || bytes[whole.lowerBound] != UInt8(ascii: "0") else {
            throw fault("not a number", at: start)
        }
        if take("."), digits().isEmpty { throw fault("not a number", at: start) }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            if digits().isEmpty { throw fault("not a number", at: start) }
        }
        return .number(String(decoding: bytes[start..<at], as: UTF8.self))
    }
    private mutating func digits() -> Range<Int> {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        return start..<at
    }
    private mutating func string() throws(JSONFault) -> String {
        let start = at
        at += 1
        var text: [UInt8] = []
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw fault("the text is not UTF-8", at: start)
                }
                return valid
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a control character inside a text: is the closing quote missing?")
            default:
                text.append(bytes[at])
                at += 1
            }
        }
        throw fault("the text has no closing quote", at: start)
    }
    private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
        guard at + 1 < bytes.count else { throw fault("the text ends after a backslash") }
        let plain: [UInt8: UInt8] = [
            UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F, UInt8(ascii: "b"): 8,
            UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
        ]
        if let byte = plain[bytes[at + 1]] {
            text.append(byte)
            at += 2
            return
        }
        guard bytes[at + 1] == UInt8(ascii: "u"), let first = unit(at + 2) else { throw fault("unknown escape") }
        var code = first, length = 6
        if (0xD800..<0xDC00).contains(first) {
            guard at + 7 < bytes.count, bytes[at + 6] == UInt8(ascii: "\\"), bytes[at + 7] == UInt8(ascii: "u"),
                let second = unit(at + 8), (0xDC00..<0xE000).contains(second)
            else { throw fault("half of a surrogate pair") }
            code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
            length = 12
        }
        guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair") }
        text += Array(String(Character(scalar)).utf8)
        at += length
    }
    private func unit(_ start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        return UInt32(String(decoding: bytes[start..<start + 4], as: UTF8.self), radix: 16)
    }
    private mutating func skipBlanks() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }
    private func peek(_ character: Unicode.Scalar) -> Bool { at < bytes.count && bytes[at] == UInt8(ascii: character) }
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek(character) else { return false }
        at += 1
        return true
    }
    private func fault(_ reason: String, at place: Int? = nil) -> JSONFault {
        let before = bytes[..<min(place ?? at, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONFault(
            line: line,
            column: String(decoding: before[start...], as: UTF8.self).count + 1,
            reason: reason
        )
    }
}
