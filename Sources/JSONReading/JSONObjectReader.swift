import CSimdJSON
import Glibc

/// Reads the top-level fields of JSON objects, one record after the other, without an allocation per field.
///
/// The whole record is checked, also what lies inside nested values; those are given as raw JSON text. A field given twice
/// is listed twice; the last one counts. Not for use from two places at once; make one per task.
///
/// ```swift
/// try reader.read(record)
/// for field in 0..<reader.count where reader.kind(field) == .string {
///     reader.withContent(field) { text in … }
/// }
/// ```
@safe
public final class JSONObjectReader {
    private let reader: ReaderHandle
    private var bytes: UnsafePointer<UInt8>?
    private var tokens: UnsafePointer<csimdjson_token>?
    private var mayRepeat = false
    /// How many fields the record has; 0 after an error.
    public private(set) var count = 0

    /// Makes a reader that refuses records with more than `maxDepth` brackets inside each other.
    public init(maxDepth: Int = 1000) { reader = ReaderHandle(maxDepth: maxDepth) }

    /// Reads a record; the fields are good until the next call.
    public func read(_ record: RawSpan) throws(JSONError) {
        count = 0
        let result = unsafe try reader.readFields(record)
        unsafe bytes = result.bytes
        unsafe tokens = result.tokens
        mayRepeat = unsafe result.may_repeat != 0
        count = unsafe Int(result.count) / 2
    }

    /// Reads a record; the fields are good until the next call.
    public func read(_ record: [UInt8]) throws(JSONError) { try read(unsafe record.span.bytes) }

    /// Lends the fields as a table for tight loops; nothing is called when the record has no field.
    public func withFields(_ body: (JSONFieldTable) -> Void) {
        guard count > 0, let bytes = unsafe bytes, let tokens = unsafe tokens else { return }
        // The table knows the words of a token by number.
        typealias Token = csimdjson_token
        precondition(MemoryLayout<Token>.stride == 28 && MemoryLayout<Token>.offset(of: \.kind) == 16)
        unsafe UnsafeRawPointer(tokens).withMemoryRebound(to: UInt32.self, capacity: count * 14) { words in
            unsafe body(JSONFieldTable(bytes: bytes, words: words, count: count))
        }
    }

    /// What the field's value is.
    public func kind(_ field: Int) -> JSONKind {
        JSONKind(rawValue: token(field * 2 + 1).kind) ?? .null
    }

    /// Hands the field's name, without escapes, to `body`.
    public func withKey<R, E: Error>(_ field: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try with(start: token(field * 2).start, token(field * 2).length, body)
    }

    /// The field's name.
    public func key(_ field: Int) -> String { withKey(field) { String(copying: $0) } }

    /// Whether the field has this name, given as UTF-8.
    public func isKey(_ field: Int, _ name: [UInt8]) -> Bool {
        let token = token(field * 2)
        guard Int(token.length) == name.count, let bytes = unsafe bytes else { return false }
        return unsafe memcmp(bytes + Int(token.start), name, name.count) == 0
    }

    /// The last field of this name, or nil.
    ///
    /// `hint` is where it is expected, which saves the search in records that are built alike.
    public func field(_ name: [UInt8], hint: Int = -1) -> Int? {
        if !mayRepeat, hint >= 0, hint < count, isKey(hint, name) { return hint }
        var field = count - 1
        while field >= 0, !isKey(field, name) { field -= 1 }
        return field < 0 ? nil : field
    }

    /// Hands the field's value to `body`: a string's text without quotes and escapes, else the raw JSON text.
    public func withContent<R, E: Error>(_ field: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try with(start: token(field * 2 + 1).start, token(field * 2 + 1).length, body)
    }

    /// Hands the field's raw JSON text to `body`, with a string's quotes and escapes.
    public func withRaw<R, E: Error>(_ field: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try with(start: token(field * 2 + 1).raw_start, token(field * 2 + 1).raw_length, body)
    }

    /// A string's text, or the raw JSON text of any other value.
    public func text(_ field: Int) -> String { withContent(field) { String(copying: $0) } }

    /// The value of an ``JSONKind/integer`` field, or nil when it does not fit 64 bits.
    public func int64(_ field: Int) -> Int64? {
        guard kind(field) == .integer else { return nil }
        let token = token(field * 2 + 1)
        guard let bytes = unsafe bytes else { return nil }
        return unsafe wholeNumber(UnsafeBufferPointer(start: bytes + Int(token.start), count: Int(token.length)))
    }

    /// Where the raw text of the field's value lies in the record that was read.
    public func rawRange(_ field: Int) -> Range<Int> {
        let token = token(field * 2 + 1)
        return Int(token.raw_start)..<Int(token.raw_start + token.raw_length)
    }

    private func token(_ index: Int) -> csimdjson_token {
        precondition(index < count * 2, "field \(index / 2) of \(count)")
        guard let tokens = unsafe tokens else { preconditionFailure("no record was read") }
        return unsafe tokens[index]
    }

    private func with<R, E: Error>(
        start: UInt32,
        _ length: UInt32,
        _ body: (RawSpan) throws(E) -> R
    ) throws(E) -> R {
        guard let bytes = unsafe bytes else { preconditionFailure("no record was read") }
        let buffer = unsafe UnsafeRawBufferPointer(start: bytes + Int(start), count: Int(length))
        return try withExtendedLifetime(self) { () throws(E) in try body(unsafe buffer.bytes) }
    }
}

extension String {
    /// Copies UTF-8 that is known to be valid.
    init(copying bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
