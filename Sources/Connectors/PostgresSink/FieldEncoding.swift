import ConnectModel
import JSONReading

/// What became of one field.
enum FieldOutcome: Sendable, Equatable {
    case written
    /// The column is too narrow for the number; a wider type would take it.
    case tooNarrow
    case hasNUL, notATime, notBase64, notAnArray

    /// Why a value can never go into such a column; names no value.
    var reason: String {
        switch self {
        case .written: "it is written"
        case .tooNarrow: "the number does not fit the column's integer type"
        case .hasNUL: "the text contains U+0000, which PostgreSQL cannot store"
        case .notATime: "the number is too large for a time"
        case .notBase64: "a bytea column takes Base64 text"
        case .notAnArray: "an element does not fit the array's type"
        }
    }
}

/// Appends one JSON value in COPY's text format for a column of `kind`.
///
/// `content` is a string's text without quotes and escapes, else the raw text; `raw` is the JSON text as it stood. What only
/// PostgreSQL can judge (dates, enums, lengths) goes to it as text.
func encodeField(
    _ value: JSONKind,
    content: RawSpan,
    raw: RawSpan,
    as kind: ColumnKind,
    into out: inout [UInt8]
) -> FieldOutcome {
    if value == .null {
        appendNull(to: &out)
        return .written
    }
    switch kind {
    case .text, .other, .number, .boolean:
        break
    case .integer(let min, let max):
        if value == .integer || value == .number { return encodeInteger(value, content, min, max, into: &out) }
    case .json:
        return appendEscaped(raw, to: &out) ? .written : .hasNUL
    case .timestamp, .timestampWithZone, .date, .time:
        return encodeTime(value, content, kind, into: &out)
    case .bytes:
        return encodeBytes(value, content, into: &out)
    case .array(let element):
        if value == .array { return encodeArray(raw, of: element, into: &out) }
    }
    if value == .string {
        // A string without escapes has nothing in it that COPY would take for its own.
        if raw.byteCount == content.byteCount + 2 {
            append(content, to: &out)
            return .written
        }
        return appendEscaped(content, to: &out) ? .written : .hasNUL
    }
    if value == .object || value == .array { return appendEscaped(raw, to: &out) ? .written : .hasNUL }
    append(content, to: &out)
    return .written
}

/// The same for a value in arrays.
private func encodeField(
    _ value: JSONKind,
    content: [UInt8],
    raw: [UInt8],
    as kind: ColumnKind,
    into out: inout [UInt8]
) -> FieldOutcome {
    let content = unsafe content.span.bytes, raw = unsafe raw.span.bytes
    return encodeField(value, content: content, raw: raw, as: kind, into: &out)
}

private func encodeInteger(
    _ value: JSONKind,
    _ content: RawSpan,
    _ min: Int64,
    _ max: Int64,
    into out: inout [UInt8]
) -> FieldOutcome {
    // Nine digits fit every type but smallint; nearly all numbers end here.
    if value == .integer, content.byteCount <= (max <= Int64(Int16.max) ? 4 : 9) {
        append(content, to: &out)
        return .written
    }
    let text = string(content)
    // 1.0 and 1e3 are whole numbers, too.
    let whole = value == .integer ? Int64(text) : Decimal(text)?.rescaled(0).flatMap { Int64($0.unscaled.description) }
    guard let whole, whole >= min, whole <= max else { return .tooNarrow }
    append(whole, to: &out)
    return .written
}

private func encodeTime(
    _ value: JSONKind,
    _ content: RawSpan,
    _ kind: ColumnKind,
    into out: inout [UInt8]
) -> FieldOutcome {
    if value == .integer {
        // Connect's logical types: days, milliseconds of the day, milliseconds since 1970.
        guard let number = Int64(string(content)), abs(number) < 200_000_000_000_000 else {
            return .notATime
        }
        switch kind {
        case .date: appendDate(ofDay: number, to: &out)
        case .time: appendTime(ofDay: number.modulo(86_400_000), to: &out)
        default:
            appendDate(ofDay: number.dividedDown(by: 86_400_000), to: &out)
            out.append(UInt8(ascii: " "))
            appendTime(ofDay: number.modulo(86_400_000), to: &out)
            if kind == .timestampWithZone { out.append(contentsOf: "+00".utf8) }
        }
        return .written
    }
    if kind == .timestamp, value == .string, let moved = TimestampText.inUTC(content) {
        out += moved
        return .written
    }
    return appendEscaped(content, to: &out) ? .written : .hasNUL
}

private func encodeBytes(_ value: JSONKind, _ content: RawSpan, into out: inout [UInt8]) -> FieldOutcome {
    guard value == .string else { return .notBase64 }
    let bytes = Array(string(content).utf8)
    if bytes.starts(with: [backslash, UInt8(ascii: "x")]) {
        return appendEscaped(bytes, to: &out) ? .written : .hasNUL
    }
    guard let decoded = Base64.decode(bytes) else { return .notBase64 }
    appendHex(decoded, to: &out)
    return .written
}

/// Appends bytea's hexadecimal form: `\\x…`, the backslash doubled for COPY.
func appendHex(_ bytes: [UInt8], to out: inout [UInt8]) {
    out += [backslash, backslash, UInt8(ascii: "x")]
    let digits = Array("0123456789abcdef".utf8)
    for byte in bytes {
        out.append(digits[Int(byte >> 4)])
        out.append(digits[Int(byte & 15)])
    }
}

private func encodeArray(_ raw: RawSpan, of element: ColumnKind, into out: inout [UInt8]) -> FieldOutcome {
    guard case .array(let values)? = try? JSONParser().parse(raw) else { return .notAnArray }
    var literal: [UInt8] = []
    guard appendArray(values, element, to: &literal) else {
        return .notAnArray
    }
    return appendEscaped(literal, to: &out) ? .written : .hasNUL
}

private func appendArray(_ values: [Value], _ element: ColumnKind, to literal: inout [UInt8]) -> Bool {
    literal.append(UInt8(ascii: "{"))
    for (index, value) in values.enumerated() {
        if index > 0 { literal.append(UInt8(ascii: ",")) }
        switch value {
        case .null: literal.append(contentsOf: "NULL".utf8)
        case .array(let inner) where element != .json:
            guard appendArray(inner, element, to: &literal) else { return false }
        default:
            guard let text = elementText(value, element) else { return false }
            literal.append(UInt8(ascii: "\""))
            for byte in text {
                if byte == backslash || byte == UInt8(ascii: "\"") { literal.append(backslash) }
                literal.append(byte)
            }
            literal.append(UInt8(ascii: "\""))
        }
    }
    literal.append(UInt8(ascii: "}"))
    return true
}

/// One element as its type's input function reads it: the field's encoding with COPY's escapes taken away again.
private func elementText(_ value: Value, _ kind: ColumnKind) -> [UInt8]? {
    var json: [UInt8] = []
    guard (try? JSONWriter(decimals: .numeric).append(value, to: &json)) != nil else { return nil }
    let type: JSONKind, content: [UInt8]
    switch value {
    case .string(let text): (type, content) = (.string, Array(text.utf8))
    case .boolean(let flag): (type, content) = (flag ? .true : .false, json)
    case .int64: (type, content) = (.integer, json)
    case .map: (type, content) = (.object, json)
    case .array: (type, content) = (.array, json)
    default: (type, content) = (.number, json)
    }
    var out: [UInt8] = []
    let outcome = encodeField(type, content: content, raw: json, as: kind, into: &out)
    return outcome == .written ? unescaped(out) : nil
}

/// Takes COPY's escapes away.
func unescaped(_ field: [UInt8]) -> [UInt8] {
    guard field.contains(backslash) else { return field }
    var result: [UInt8] = []
    var rest = field[...]
    while let byte = rest.popFirst() {
        guard byte == backslash, let letter = rest.popFirst() else {
            result.append(byte)
            continue
        }
        switch letter {
        case UInt8(ascii: "n"): result.append(0x0a)
        case UInt8(ascii: "r"): result.append(0x0d)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "v"): result.append(0x0b)
        case UInt8(ascii: "f"): result.append(0x0c)
        default: result.append(letter)
        }
    }
    return result
}

func string(_ bytes: RawSpan) -> String {
    unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
}
