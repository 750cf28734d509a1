import CSimdJSON
public import ConnectModel

/// Reads JSON documents into values, one after the other, in buffers that it keeps.
///
/// Numbers with a fraction, an exponent or more than 64 bits keep their text. Of a field given twice the last value counts,
/// as in Kafka Connect. Not for use from two places at once; make one per task, or put it behind a lock.
///
/// ```swift
/// let parser = JSONParser()
/// let value = try parser.parse(Array(#"{"id":1,"price":19.90}"#.utf8))
/// ```
public final class JSONParser {
    private let reader: ReaderHandle

    /// Makes a parser that refuses documents with more than `maxDepth` brackets inside each other.
    public init(maxDepth: Int = 1000) { reader = ReaderHandle(maxDepth: maxDepth) }

    /// The value of a whole document.
    public func parse(_ json: [UInt8]) throws(JSONError) -> Value { try parse(unsafe json.span.bytes) }

    /// The value of a whole document.
    public func parse(_ json: RawSpan) throws(JSONError) -> Value {
        let result = unsafe try reader.readTree(json)
        let tree = unsafe Tree(bytes: unsafe result.bytes, tokens: unsafe result.tokens)
        var index = 0
        // The tree lies in the reader's buffers, and nothing below mentions the reader.
        return withExtendedLifetime(self) { unsafe tree.value(&index) }
    }
}

/// The token table of one document, on its way to a value.
@unsafe
private struct Tree {
    let bytes: UnsafePointer<UInt8>
    let tokens: UnsafePointer<csimdjson_token>

    /// The value at `index`, which moves past it.
    ///
    /// The document's depth limit bounds the recursion.
    func value(_ index: inout Int) -> Value {
        let token = unsafe tokens[index]
        index += 1
        switch JSONKind(rawValue: token.kind) {
        case .true: return .boolean(true)
        case .false: return .boolean(false)
        case .integer: return unsafe integer(token)
        case .number: return unsafe .number(JSONNumber(text: text(token)))
        case .string: return unsafe .string(text(token))
        case .array:
            var elements: [Value] = []
            elements.reserveCapacity(Int(token.count))
            let end = Int(token.next)
            while index < end { unsafe elements.append(value(&index)) }
            return .array(elements)
        case .object: return unsafe object(&index, token)
        case .null, nil: return .null
        }
    }

    private func object(_ index: inout Int, _ token: csimdjson_token) -> Value {
        var entries: [MapValue.Entry] = []
        entries.reserveCapacity(Int(token.count))
        while index < Int(token.next) {
            let name = unsafe text(tokens[index])
            index += 1
            unsafe entries.append(MapValue.Entry(key: .string(name), value: value(&index)))
        }
        return .map(token.may_repeat == 0 ? MapValue(entries) : MapValue(lastOfEachKey: entries))
    }

    private func text(_ token: csimdjson_token) -> String {
        unsafe String(
            decoding: UnsafeBufferPointer(start: bytes + Int(token.start), count: Int(token.length)),
            as: UTF8.self
        )
    }

    private func integer(_ token: csimdjson_token) -> Value {
        let digits = unsafe UnsafeBufferPointer(start: bytes + Int(token.start), count: Int(token.length))
        guard let value = unsafe wholeNumber(digits) else { return unsafe .number(JSONNumber(text: text(token))) }
        return .int64(value)
    }
}

/// The number that valid JSON digits spell, or nil when it does not fit 64 bits.
func wholeNumber(_ digits: UnsafeBufferPointer<UInt8>) -> Int64? {
    var value: Int64 = 0
    let isNegative = unsafe digits.first == UInt8(ascii: "-")
    for index in (isNegative ? 1 : 0)..<digits.count {
        let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
        let digit = unsafe Int64(digits[index] & 15)
        let (next, overflowToo) =
            isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
        if overflow || overflowToo { return nil }
        value = next
    }
    return value
}
