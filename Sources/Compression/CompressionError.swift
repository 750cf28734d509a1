/// Why bytes could not be read, inflated or compressed.
public struct CompressionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of trouble it is; the set may grow.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's word, as it stands in messages.
        public let description: String

        /// The input ends before its format says so.
        public static let truncated = Code(description: "truncated")
        /// The input contradicts its own format or checksum.
        public static let corrupt = Code(description: "corrupt")
        /// The input uses a part of the format that is not read here (encryption, zip64, an unknown method).
        public static let unsupported = Code(description: "unsupported")
        /// The system refused to open, read or write.
        public static let system = Code(description: "system")
        /// The library ran out of memory or was given a wrong parameter.
        public static let library = Code(description: "library")
    }

    /// What kind of trouble it is.
    public let code: Code
    /// What is wrong, in words; never holds content of the file.
    public let reason: String
    /// How many bytes of the stored (compressed) input were used when it was noticed; nil where that means nothing.
    public let offset: Int?

    /// Makes an error; `offset` counts bytes of the stored input.
    public init(_ code: Code, _ reason: String, offset: Int? = nil) {
        (self.code, self.reason, self.offset) = (code, reason, offset)
    }

    /// The reason, with the byte offset where there is one.
    public var description: String {
        offset.map { "\(reason) (at byte \($0))" } ?? reason
    }
}
