/// Text of header values: written, and read by guessing the type, as Connect's `Values` does.
public struct HeaderText {
    private let original: String
    private let bytes: [UInt8]
    private var position = 0
    private var nextToken: String?
    private var previousToken: String?

    private init(_ text: String) {
        original = text
        bytes = Array(text.utf8)
    }

    /// The value that `text` spells: the smallest type that fits, or the text itself.
    public static func parse(_ text: String) throws(ConnectError) -> SchemaAndValue {
        if text.isEmpty { return SchemaAndValue(.string, .string(text)) }
        var reader = HeaderText(text)
        return try reader.parse(isEmbedded: false) ?? .null
    }

    /// The value; nil for a null.
    ///
    /// Throws when an embedded value cannot be read.
    private mutating func parse(isEmbedded: Bool) throws(ConnectError) -> SchemaAndValue? {
        guard hasNext else { return nil }
        if isEmbedded, consume("\"") { return quoted() }
        if literal("null", isEmbedded) { return nil }
        if literal("true", isEmbedded) { return SchemaAndValue(.required(.boolean), .boolean(true)) }
        if literal("false", isEmbedded) { return SchemaAndValue(.required(.boolean), .boolean(false)) }
        let start = mark
        do throws(ConnectError) {
            if consume("[") { return try array() }
            if consume("{") { return try map() }
        } catch { rewind(to: start) }
        let token = next()
        let trimmed = Self.trimmed(token)
        if trimmed.isEmpty { return SchemaAndValue(.string, .string(token)) }
        return try scalar(trimmed, isEmbedded)
    }

    private mutating func literal(_ word: String, _ isEmbedded: Bool) -> Bool {
        let start = mark
        if consume(word), isEmbedded || !hasNext { return true }
        rewind(to: start)
        return false
    }

    private mutating func scalar(_ token: String, _ isEmbedded: Bool) throws(ConnectError) -> SchemaAndValue {
        let first = token.unicodeScalars.first ?? " "
        let isDigit = first.properties.numericType == .decimal
        if isDigit, let moment = temporal(from: token) { return moment }
        if isDigit || first == "+" || first == "-", let decimal = Decimal(JavaNumber.withPlainDigits(token)) {
            return Self.number(decimal)
        }
        if isEmbedded { throw .data("Failed to parse embedded value") }
        return SchemaAndValue(.string, .string(original))
    }

    /// A time has colons in it, so it is made of five tokens.
    private mutating func temporal(from token: String) -> SchemaAndValue? {
        let start = mark
        let from = start
        var count = 0
        while count < 4, hasNext {
            _ = next()
            count += 1
        }
        if count == 4, let moment = Self.temporal(token + String(decoding: bytes[from..<position], as: UTF8.self)) {
            return moment
        }
        rewind(to: start)
        return Self.temporal(token)
    }

    private mutating func quoted() -> SchemaAndValue {
        var text = ""
        while hasNext, !consume("\"") { text += next() }
        return Self.temporal(text) ?? SchemaAndValue(.string, .string(text))
    }

    private mutating func array() throws(ConnectError) -> SchemaAndValue {
        var elements: [Value] = []
        var schema = CommonSchema()
        while hasNext {
            if consume("]") {
                guard let common = schema.common else {
                    return SchemaAndValue(SchemaBuilder.array(of: nil).build(), .array(elements))
                }
                var aligned: [Value] = []
                for element in elements { aligned.append(try common.aligned(element)) }
                return SchemaAndValue(SchemaBuilder.array(of: common).build(), .array(aligned))
            }
            if consume(",") { throw .data("Unable to parse an empty array element: \(original)") }
            let element = try parse(isEmbedded: true)
            schema.merge(element?.schema)
            elements.append(element?.value ?? .null)
            let end = mark
            if consume("]") {
                rewind(to: end)
            } else if !consume(",") {
                throw .data("Array elements missing ',' delimiter")
            }
        }
        throw .data("Array is missing terminating ']': \(original)")
    }

    private mutating func map() throws(ConnectError) -> SchemaAndValue {
        var entries: [MapValue.Entry] = []
        var keys = CommonSchema()
        var values = CommonSchema()
        while hasNext {
            if consume("}") { return try aligned(entries, keys.common, values.common) }
            if consume(",") { throw .data("Unable to parse a map entry with no key or value: \(original)") }
            guard let key = try parse(isEmbedded: true), !key.value.isNull else {
                throw .data("Map entry may not have a null key: \(original)")
            }
            guard consume(":") else { throw .data("Map entry is missing ':' at \(position) in \(original)") }
            let value = try parse(isEmbedded: true)
            entries.append(.init(key: key.value, value: value?.value ?? .null))
            _ = consume(",")
            keys.merge(key.schema)
            values.merge(value?.schema)
        }
        throw .data("Map is missing terminating '}': \(original)")
    }

    private func aligned(
        _ entries: [MapValue.Entry],
        _ keys: Schema?,
        _ values: Schema?
    ) throws(ConnectError) -> SchemaAndValue {
        var aligned: [MapValue.Entry] = []
        for entry in entries {
            guard let keys else {
                aligned.append(entry)
                continue
            }
            let key = try keys.aligned(entry.key)
            aligned.append(.init(key: key, value: try values?.aligned(entry.value) ?? entry.value))
        }
        let schema = SchemaBuilder.map(keys, keys == nil ? nil : values).build()
        return SchemaAndValue(schema, .map(MapValue(lastOfEachKey: aligned)))
    }
}

// The tokens: runs of text between delimiters, and the delimiters; a backslash makes a delimiter text.
extension HeaderText {
    private var hasNext: Bool { nextToken != nil || position < bytes.count }
    private var mark: Int { position - (nextToken?.utf8.count ?? 0) }

    private mutating func rewind(to place: Int) {
        position = place
        nextToken = nil
        previousToken = nil
    }

    private mutating func next() -> String {
        let token = nextToken ?? readToken()
        nextToken = nil
        previousToken = token
        return token
    }

    private mutating func consume(_ expected: String) -> Bool {
        if nextToken == nil {
            guard hasNext else { return false }
            nextToken = readToken()
        }
        while let token = nextToken, Self.trimmed(token).isEmpty, position < bytes.count { nextToken = readToken() }
        guard let token = nextToken, Self.trimmed(token) == expected else { return false }
        nextToken = nil
        return true
    }

    private mutating func readToken() -> String {
        let start = position
        var isEscaped = false
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\\"): isEscaped.toggle()
            case UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"),
                UInt8(ascii: "{"), UInt8(ascii: "}"):
                if !isEscaped {
                    if position == start { position += 1 }
                    return String(decoding: bytes[start..<position], as: UTF8.self)
                }
                isEscaped = false
            default: isEscaped = false
            }
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func trimmed(_ text: String) -> String {
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { $0 > 0x20 }), let last = bytes.lastIndex(where: { $0 > 0x20 })
        else {
            return ""
        }
        return String(text[first...last])
    }
}

extension HeaderText {
    /// A date, time or timestamp by its length.
    fileprivate static func temporal(_ text: String) -> SchemaAndValue? {
        let plain = text.split(separator: "\\:", omittingEmptySubsequences: false).joined(separator: ":")
        let (type, pattern): (LogicalType, String)
        switch plain.utf16.count {
        case 10: (type, pattern) = (.date, "yyyy-MM-dd")
        case 13: (type, pattern) = (.time, "HH:mm:ss.SSS'Z'")
        case 24: (type, pattern) = (.timestamp, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
        default: return nil
        }
        guard let moment = try? JavaDateFormat(pattern).milliseconds(plain) else { return nil }
        return SchemaAndValue(.logical(type), .date(moment))
    }

    /// The smallest whole type, else a float, a double or a decimal.
    fileprivate static func number(_ number: Decimal) -> SchemaAndValue {
        if let whole = wholeNumber(number) {
            if let small = Int8(exactly: whole) { return SchemaAndValue(.required(.int8), .int8(small)) }
            if let small = Int16(exactly: whole) { return SchemaAndValue(.required(.int16), .int16(small)) }
            if let small = Int32(exactly: whole) { return SchemaAndValue(.required(.int32), .int32(small)) }
            return SchemaAndValue(.required(.int64), .int64(whole))
        }
        let double = number.doubleValue
        let float = Float("\(number.unscaled)e\(-Int64(number.scale))") ?? .nan
        if float.isFinite, number.scale != 0 { return SchemaAndValue(.required(.float32), .float32(float)) }
        if double.isFinite, number.scale != 0 { return SchemaAndValue(.required(.float64), .float64(double)) }
        return SchemaAndValue(.decimal(scale: number.scale), .decimal(number))
    }

    private static func wholeNumber(_ number: Decimal) -> Int64? {
        if number.unscaled.isZero { return 0 }
        // More digits left of the point than 64 bits have, or none.
        let digits = Int64(number.precision) - Int64(number.scale)
        guard digits >= 1, digits <= 20 else { return nil }
        return number.rescaled(0)?.unscaled.int64
    }
}

/// The schema that all elements seen so far fit into.
struct CommonSchema {
    private(set) var common: Schema?
    private var isCompatible = true
    private static let widening: [SchemaType] = [.int8, .int16, .int32, .int64, .float32, .float64]

    mutating func merge(_ schema: Schema?) {
        guard let schema, isCompatible else { return }
        guard let known = common else { return common = schema }
        common = Self.merge(known, schema)
        isCompatible = common != nil
    }

    private static func merge(_ a: Schema, _ b: Schema) -> Schema? {
        if a.type == b.type {
            if a.isOptional == b.isOptional { return a.isOptional ? a : b }
            return a == b ? a : nil
        }
        guard let first = widening.firstIndex(of: a.type), let second = widening.firstIndex(of: b.type) else {
            return nil
        }
        return first > second ? a : b
    }
}

extension Schema {
    /// The value converted to this schema.
    ///
    /// Throws a `DataException` when that is not possible.
    fileprivate func aligned(_ value: Value) throws(ConnectError) -> Value {
        if value.isNull {
            if isOptional { return .null }
            throw .data("Unable to convert a null value to a schema that requires a value")
        }
        if case .date = value, logicalType != nil { return value }
        switch type {
        case .int8, .int16, .int32, .int64, .float32, .float64:
            guard let whole = value.wholeNumber else {
                guard let number = value.floatingNumber else {
                    throw .data("Unable to convert \(value.javaText) (class \(value.javaClass)) to \(description)")
                }
                return type == .float32 ? .float32(Float(number)) : .float64(number)
            }
            switch type {
            case .int8: return .int8(Int8(truncatingIfNeeded: whole))
            case .int16: return .int16(Int16(truncatingIfNeeded: whole))
            case .int32 where logicalType == .date: return .date(whole * 86_400_000)
            case .int32 where logicalType == .time: return .date(whole)
            case .int32: return .int32(Int32(truncatingIfNeeded: whole))
            case .int64: return logicalType == .timestamp ? .date(whole) : .int64(whole)
            case .float32: return .float32(Float(whole))
            default: return .float64(Double(whole))
            }
        default: return value
        }
    }
}

extension Value {
    fileprivate var wholeNumber: Int64? {
        switch self {
        case .int8(let number): Int64(number)
        case .int16(let number): Int64(number)
        case .int32(let number): Int64(number)
        case .int64(let number): number
        default: nil
        }
    }
    fileprivate var floatingNumber: Double? {
        switch self {
        case .float32(let number): Double(number)
        case .float64(let number): number
        default: nil
        }
    }
}
