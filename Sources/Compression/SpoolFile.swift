import Glibc

/// A temporary file without a name: bytes go in once, are read back in order, and vanish with the process.
///
/// What does not fit into memory waits here, so that a reader's memory stays constant however large its input is.
@safe public final class SpoolFile {
    private let descriptor: CInt
    /// How many bytes were written.
    public private(set) var count = 0

    /// Makes one in `directory`, which needs space for what will be written.
    ///
    /// Throws `.system` when it cannot.
    public init(directory: String) throws(CompressionError) {
        let made = Self.openAndUnlink(directory)
        guard made >= 0 else { throw .system("making a temporary file in", directory) }
        descriptor = made
    }

    deinit { close(descriptor) }

    /// Appends bytes.
    ///
    /// Throws `.system`, for example when the disk is full.
    public func append(_ bytes: RawSpan) throws(CompressionError) {
        let complete = unsafe bytes.withUnsafeBytes { source in
            var done = 0
            while done < source.count {
                let rest = source.count - done
                let wrote = unsafe pwrite(descriptor, source.baseAddress?.advanced(by: done), rest, count + done)
                if wrote < 0, errno == EINTR { continue }
                guard wrote > 0 else { return false }
                done += wrote
            }
            count += done
            return true
        }
        guard complete else { throw .system("writing to a temporary file", nil) }
    }

    /// Appends the bytes of an array; see ``append(_:)-(RawSpan)``.
    public func append(_ bytes: [UInt8]) throws(CompressionError) { try unsafe append(bytes.span.bytes) }

    /// Replaces the content of `buffer` by up to `most` bytes from `offset` on; fewer only at the end.
    public func read(at offset: Int, most: Int, into buffer: inout [UInt8]) throws(CompressionError) {
        let wanted = max(0, min(most, count - offset))
        var failed = false
        buffer = unsafe [UInt8](unsafeUninitializedCapacity: wanted) { memory, filled in
            while filled < wanted {
                let start = unsafe memory.baseAddress?.advanced(by: filled)
                let got = unsafe pread(descriptor, start, wanted - filled, offset + filled)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    failed = true
                    return
                }
                filled += got
            }
        }
        if failed { throw .system("reading a temporary file", nil) }
    }

    private static func openAndUnlink(_ directory: String) -> CInt {
        var template = Array("\(directory)/.sluice-spool-XXXXXX".utf8CString)
        return unsafe template.withUnsafeMutableBufferPointer { name in
            guard let start = name.baseAddress else { return -1 }
            let made = unsafe mkstemp(start)
            if made >= 0 {
                unsafe _ = unlink(start)
                _ = fcntl(made, F_SETFD, FD_CLOEXEC)
            }
            return made
        }
    }
}
