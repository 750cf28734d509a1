/// Why a document could not be read, and where.
public struct XMLReadingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of trouble it is; the set may grow.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's word.
        public let description: String

        /// The document is not well-formed.
        public static let malformed = Code(description: "malformed")
        /// The document ends in the middle.
        public static let truncated = Code(description: "truncated")
        /// There are bytes that the encoding does not know.
        public static let invalidBytes = Code(description: "invalid bytes")
        /// The document declares an encoding that is not read here.
        public static let unsupportedEncoding = Code(description: "unsupported encoding")
        /// The document has a document type declaration, which is never followed.
        public static let documentType = Code(description: "document type")
        /// The document is an HTML page.
        public static let html = Code(description: "html")
        /// One text is longer than the reader's limit.
        public static let tooLong = Code(description: "too long")
        /// libxml2 ran out of memory.
        public static let library = Code(description: "library")
    }

    /// What kind of trouble it is.
    public let code: Code
    /// What is wrong, in words.
    public let reason: String
    /// The line it was noticed on, from 1; 0 when unknown.
    public let line: Int
    /// The column, from 1; nil when unknown.
    public let column: Int?
    /// The offset in the (inflated) document's bytes; nil when unknown.
    public let byteOffset: Int?

    /// Makes an error; a zero line, nil column and nil offset are unknown.
    public init(_ code: Code, _ reason: String, line: Int, column: Int? = nil, byteOffset: Int? = nil) {
        (self.code, self.reason) = (code, reason)
        (self.line, self.column, self.byteOffset) = (line, column, byteOffset)
    }

    /// The reason with line, column and offset as far as they are known.
    public var description: String {
        var places: [String] = []
        if line > 0 { places.append("line \(line)") }
        if let column { places.append("column \(column)") }
        if let byteOffset { places.append("byte \(byteOffset)") }
        return places.isEmpty ? reason : "\(reason) (\(places.joined(separator: ", ")))"
    }
}
