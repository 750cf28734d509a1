import Glibc

/// The bytes of a file as they are.
@safe public final class FileSource: ByteSource {
    private let descriptor: CInt
    private var buffer = ChunkBuffer()
    /// How many bytes were read so far.
    public private(set) var offset = 0

    /// Opens a file for reading.
    ///
    /// Throws ``CompressionError`` with `.system` when the system refuses.
    public init(path: String) throws(CompressionError) {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("opening", path) }
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit { close(descriptor) }

    /// The file's size in bytes now; 0 for what is not a file.
    var size: Int {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Reads the next piece.
    public func advance() throws(CompressionError) -> Bool {
        while true {
            let got = unsafe read(descriptor, buffer.memory.baseAddress, buffer.memory.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .system("reading", nil) }
            buffer.count = got
            offset += got
            return got > 0
        }
    }

    /// Lends the current piece.
    public func withChunk<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        try buffer.withBytes(body)
    }

    /// The current piece, for the decoders of this module.
    var chunk: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: buffer.memory[0..<buffer.count])
    }
}

extension CompressionError {
    /// The system's last error, in words.
    static func system(_ doing: String, _ path: String?) -> Self {
        let text = unsafe String(cString: strerror(errno))
        return Self(.system, path.map { "\(doing) \($0): \(text)" } ?? "\(doing): \(text)")
    }
}
