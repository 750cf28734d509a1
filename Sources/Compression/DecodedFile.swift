/// A file's content with any compression undone, decided by the first bytes and never by the name.
///
/// gzip (any number of members), ZIP (its first file, stored or deflated) and zstd are undone; everything else is
/// handed on as it is. Memory is constant: a few pieces of ``ByteChunk/size``. Large files are
/// inflated on a thread of their own, ahead of the reader.
public final class DecodedFile: ByteSource {
    /// How a file is stored.
    public enum Format: String, Sendable, Hashable {
        /// As it is.
        case plain
        /// gzip members.
        case gzip
        /// A ZIP archive.
        case zip
        /// zstd frames.
        case zstd
    }

    /// How this file is stored.
    public let format: Format
    private let source: any ByteSource

    /// Opens a file and looks at its first bytes.
    ///
    /// Throws ``CompressionError``: `.system` when it cannot be read, `.unsupported` for an archive of a kind that is
    /// not read here.
    public init(path: String) throws(CompressionError) {
        format = Self.format(of: try StoredInput(FileSource(path: path)).take(4))
        let file = try FileSource(path: path)
        let decoder: any ByteSource =
            switch format {
            case .plain: file
            case .gzip: try GzipSource(StoredInput(file))
            case .zip: try ZipSource(StoredInput(file))
            case .zstd: try ZstdSource(StoredInput(file))
            }
        // A thread pays off for files that take milliseconds.
        source = format != .plain && file.size > 256 << 10 ? ReadAhead(decoder) : decoder
    }

    /// Makes the next piece current; false at the end.
    ///
    /// Throws `.truncated` or `.corrupt` for damaged input.
    public func advance() throws(CompressionError) -> Bool { try source.advance() }

    /// Lends the current piece.
    public func withChunk<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try source.withChunk(body)
    }

    /// The format that the first bytes of a file announce.
    public static func format(of head: [UInt8]) -> Format {
        if head.starts(with: [0x1F, 0x8B]) { return .gzip }
        if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || head.starts(with: [0x50, 0x4B, 0x05, 0x06]) { return .zip }
        return head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) ? .zstd : .plain
    }
}
