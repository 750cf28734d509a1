/// Bytes pulled in pieces of at most ``ByteChunk/size``, so that memory does not grow with the input.
///
///     while try source.advance() {
///         try source.withChunk { bytes in try parser.feed(bytes) }
///     }
public protocol ByteSource: AnyObject {
    /// Makes the next piece current; false at the end. Throws when the input is truncated, corrupt or unreadable.
    func advance() throws(CompressionError) -> Bool

    /// Lends the current piece, which is never empty after ``advance()`` said true.
    func withChunk<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R
}

/// The size of the pieces that byte sources hand out.
public enum ByteChunk {
    /// Most bytes in one piece.
    public static let size = 64 << 10
}

/// One fixed block of memory and how much of it is filled.
@safe struct ChunkBuffer: ~Copyable {
    let memory: UnsafeMutableRawBufferPointer
    var count = 0
    let capacity: Int

    init(size: Int = ByteChunk.size) {
        capacity = size
        unsafe memory = .allocate(byteCount: size, alignment: 16)
    }

    deinit { unsafe memory.deallocate() }

    func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[0..<count])))
    }
}
