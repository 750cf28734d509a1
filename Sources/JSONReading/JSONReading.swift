import CSimdJSON

/// Why bytes are not the JSON that was asked for, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Int32, Sendable, Hashable, CaseIterable {
        /// There is nothing but white space.
        case empty = 1
        /// A byte sequence that is not UTF-8.
        case invalidUTF8
        /// A control character inside a string.
        case controlCharacter
        /// A string without its closing quote.
        case unclosedString
        /// A backslash followed by something else than JSON's escapes.
        case invalidEscape
        /// Not a JSON number.
        case invalidNumber
        /// Something that is no value.
        case invalidValue
        /// Not a quoted field name.
        case expectedKey
        /// No colon after a field name.
        case expectedColon
        /// Neither a comma nor the closing bracket.
        case expectedComma
        /// The text ends inside a value.
        case unexpectedEnd
        /// More text after the value.
        case trailingText
        /// Too many brackets inside each other.
        case tooDeep
        /// A value of another kind where an object was asked for.
        case notAnObject
        /// More than 2 GB.
        case tooLarge
        /// The system has no memory left.
        case noMemory
    }

    /// What is wrong.
    public let reason: Reason
    /// The byte at which it was found, from 0.
    public let offset: Int

    /// Makes an error.
    public init(_ reason: Reason, at offset: Int) { (self.reason, self.offset) = (reason, offset) }

    /// `invalid JSON at byte 17: a string is not closed`.
    public var description: String { "invalid JSON at byte \(offset): \(explanation)" }

    /// Line and column, both from 1, of the error in the text it was found in.
    public func position(in text: [UInt8]) -> (line: Int, column: Int) {
        let before = text.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let lastBreak = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return (line, offset - lastBreak + 1)
    }

    private var explanation: String {
        switch reason {
        case .empty: "there is no value"
        case .invalidUTF8: "the text is not UTF-8"
        case .controlCharacter: "a control character stands unescaped in a string"
        case .unclosedString: "a string is not closed"
        case .invalidEscape: "a backslash is not followed by an escape that JSON knows"
        case .invalidNumber: "not a number"
        case .invalidValue: "expected a value"
        case .expectedKey: "expected a field name in double quotes"
        case .expectedColon: "expected a colon after the field name"
        case .expectedComma: "expected a comma or the closing bracket"
        case .unexpectedEnd: "the text ends inside a value"
        case .trailingText: "more text follows the value"
        case .tooDeep: "too many brackets inside each other"
        case .notAnObject: "expected an object"
        case .tooLarge: "the text is larger than 2 GB"
        case .noMemory: "out of memory"
        }
    }
}

/// What a value is, seen before it is read.
public enum JSONKind: UInt16, Sendable, Hashable {
    /// `null`.
    case null
    /// `true`.
    case `true`
    /// `false`.
    case `false`
    /// A number without fraction and exponent, of any size.
    case integer
    /// A number with a fraction or an exponent.
    case number
    /// Text.
    case string
    /// An object.
    case object
    /// An array.
    case array
}

/// The C reader with its buffers; whoever owns it uses it from one place at a time.
@safe
struct ReaderHandle: ~Copyable {
    private let pointer: OpaquePointer

    init(maxDepth: Int) {
        guard let made = unsafe csimdjson_reader_create(maxDepth) else {
            preconditionFailure("no memory for a JSON reader")
        }
        unsafe pointer = made
    }
    deinit { unsafe csimdjson_reader_destroy(pointer) }

    /// The result points into the reader's buffers and is good until the next call.
    func readFields(_ json: RawSpan) throws(JSONError) -> csimdjson_result {
        let result = unsafe json.withUnsafeBytes { unsafe csimdjson_read_fields(pointer, $0.baseAddress, $0.count) }
        return unsafe try Self.check(result)
    }

    /// As ``readFields(_:)``, for all values of the document.
    func readTree(_ json: RawSpan) throws(JSONError) -> csimdjson_result {
        let result = unsafe json.withUnsafeBytes { unsafe csimdjson_read_tree(pointer, $0.baseAddress, $0.count) }
        return unsafe try Self.check(result)
    }

    private static func check(_ result: csimdjson_result) throws(JSONError) -> csimdjson_result {
        guard unsafe result.error != 0 else { return unsafe result }
        throw unsafe JSONError(JSONError.Reason(rawValue: result.error) ?? .invalidValue, at: Int(result.error_offset))
    }
}
