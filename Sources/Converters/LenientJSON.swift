internal import ConnectModel

/// Reads what Kafka Connect's JSON reader takes beyond JSON: leading zeros, more text after the value, UTF-16 and UTF-32, a
/// byte order mark, halves of surrogate pairs.
struct LenientJSON {
    struct Malformed: Error {}

    private let text: [UInt8]
    private var position = 0
    private static let maxDepth = 1000

    /// The first value of a document; nil when there is nothing but white space.
    static func parse(_ bytes: [UInt8]) throws(Malformed) -> Value? {
        var reader = LenientJSON(text: decoded(bytes))
        reader.skipSpace()
        guard let first = reader.peek else { return nil }
        let value = try reader.value(depth: 0)
        let isNumber = first == UInt8(ascii: "-") || isDigit(first)
        if isNumber, let next = reader.peek, !isSpace(next) { throw Malformed() }
        return value
    }

    private init(text: [UInt8]) { self.text = text }

    /// The document as UTF-8: by byte order mark, or by where the zeros of the first four bytes are.
    private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        let b = Array(bytes.prefix(4))
        // Jackson looks for a mark only where there are four bytes: two that look like one are no text.
        let hasRoom = b.count == 4
        if hasRoom, b.starts(with: [0xEF, 0xBB, 0xBF]) { return Array(bytes.dropFirst(3)) }
        if b == [0, 0, 0xFE, 0xFF] || (hasRoom && b[..<3] == [0, 0, 0]) {
            return utf32(bytes, isBigEndian: true)
        }
        if b == [0xFF, 0xFE, 0, 0] || (hasRoom && b[1...] == [0, 0, 0]) {
            return utf32(bytes, isBigEndian: false)
        }
        if hasRoom, b.starts(with: [0xFE, 0xFF]) || b.starts(with: [0xFF, 0xFE]) {
            return Array(TextEncoding.utf16.decode(bytes).utf8)
        }
        if b.count >= 2, b[0] == 0, b[1] != 0 { return Array(TextEncoding.utf16BigEndian.decode(bytes).utf8) }
        if b.count >= 2, b[0] != 0, b[1] == 0 { return Array(TextEncoding.utf16LittleEndian.decode(bytes).utf8) }
        return bytes
    }

    private static func utf32(_ bytes: [UInt8], isBigEndian: Bool) -> [UInt8] {
        let units = stride(from: 0, to: bytes.count - 3, by: 4).map { start in
            (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[start + (isBigEndian ? $1 : 3 - $1)]) }
        }
        let text = String(decoding: units.first == 0xFEFF ? units.dropFirst() : units[...], as: UTF32.self)
        return Array(text.utf8)
    }

    private var peek: UInt8? { position < text.count ? text[position] : nil }
    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B && byte != 0x0C
    }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private mutating func skipSpace() {
        while let byte = peek, Self.isSpace(byte) { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Malformed) -> Value {
        skipSpace()
        guard let first = peek, depth <= Self.maxDepth else { throw Malformed() }
        switch first {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: Value) throws(Malformed) -> Value {
        guard text[position...].starts(with: word.utf8) else { throw Malformed() }
        position += word.utf8.count
        if let next = peek, Self.isDigit(next) || next >= 0x80 || next == 0x5F || (0x41...0x5A).contains(next & 0xDF) {
            throw Malformed()
        }
        return value
    }

    private mutating func number() throws(Malformed) -> Value {
        var digits = ""
        if peek == UInt8(ascii: "-") {
            digits = "-"
            position += 1
        }
        let start = position
        while let byte = peek, Self.isDigit(byte) { position += 1 }
        guard position > start else { throw Malformed() }
        var first = start
        while first + 1 < position, text[first] == 0x30 { first += 1 }
        digits += String(decoding: text[first..<position], as: UTF8.self)
        let tail = position
        if peek == UInt8(ascii: ".") {
            position += 1
            guard let byte = peek, Self.isDigit(byte) else { throw Malformed() }
            while let byte = peek, Self.isDigit(byte) { position += 1 }
        }
        if let byte = peek, byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            if let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            guard let digit = peek, Self.isDigit(digit) else { throw Malformed() }
            while let byte = peek, Self.isDigit(byte) { position += 1 }
        }
        if position == tail, let value = Int64(digits) { return .int64(value) }
        return .number(JSONNumber(text: digits + String(decoding: text[tail..<position], as: UTF8.self)))
    }

    private mutating func array(depth: Int) throws(Malformed) -> Value {
        position += 1
        var elements: [Value] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw Malformed() }
        }
    }

    private mutating func object(depth: Int) throws(Malformed) -> Value {
        position += 1
        var entries: [MapValue.Entry] = []
        if take(UInt8(ascii: "}")) { return .map(MapValue(entries)) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw Malformed() }
            let name = try string()
            guard take(UInt8(ascii: ":")) else { throw Malformed() }
            entries.append(MapValue.Entry(key: .string(name), value: try value(depth: depth + 1)))
            if take(UInt8(ascii: "}")) { return .map(MapValue(lastOfEachKey: entries)) }
            guard take(UInt8(ascii: ",")) else { throw Malformed() }
        }
    }

    private mutating func string() throws(Malformed) -> String {
        position += 1
        var units: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: units, as: UTF8.self) else { throw Malformed() }
                return text
            case UInt8(ascii: "\\"): try escape(into: &units)
            case ..<0x20: throw Malformed()
            default: units.append(byte)
            }
        }
        throw Malformed()
    }

    private mutating func escape(into units: inout [UInt8]) throws(Malformed) {
        guard let kind = peek else { throw Malformed() }
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(kind)
        case UInt8(ascii: "b"): units.append(8)
        case UInt8(ascii: "f"): units.append(12)
        case UInt8(ascii: "n"): units.append(10)
        case UInt8(ascii: "r"): units.append(13)
        case UInt8(ascii: "t"): units.append(9)
        case UInt8(ascii: "u"):
            var code = try fourDigits()
            if (0xD800..<0xDC00).contains(code), text[position...].starts(with: "\\u".utf8) {
                let mark = position
                position += 2
                let low = try fourDigits()
                if (0xDC00..<0xE000).contains(low) {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    position = mark
                }
            }
            units += Array(String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8)
        default: throw Malformed()
        }
    }

    private mutating func fourDigits() throws(Malformed) -> UInt32 {
        guard position + 4 <= text.count else { throw Malformed() }
        let digits = String(decoding: text[position..<position + 4], as: UTF8.self)
        guard digits.utf8.allSatisfy({ Self.isDigit($0) || (0x41...0x46).contains($0 & 0xDF) }),
            let code = UInt32(digits, radix: 16)
        else { throw Malformed() }
        position += 4
        return code
    }
}
