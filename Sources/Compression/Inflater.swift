import CZlib

/// zlib's inflate with an address that does not move, as zlib demands.
@safe final class Inflater {
    /// What one step did.
    enum Step { case progressed, ended }

    private let stream: UnsafeMutablePointer<z_stream>

    /// `windowBits` as zlib counts them: 31 for gzip, -15 for bare deflate.
    init(windowBits: CInt) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let size = unsafe CInt(MemoryLayout<z_stream>.size)
        guard unsafe inflateInit2_(stream, windowBits, ZLIB_VERSION, size) == Z_OK else {
            throw CompressionError(.library, "zlib could not start")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Makes ready for the next member.
    func reset() { unsafe _ = inflateReset(stream) }

    /// Inflates from `input` to `output`, moving both on; one of them is used up unless the data ended.
    func step(_ input: StoredInput, _ output: inout ChunkBuffer) throws(CompressionError) -> Step {
        var status = Z_OK
        let room = output.capacity - output.count
        unsafe stream.pointee.next_out = output.memory.baseAddress?
            .advanced(by: output.count).assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(room)
        unsafe input.consume { left in
            let start = unsafe left.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start)
            unsafe stream.pointee.avail_in = UInt32(left.count)
            status = unsafe inflate(stream, Z_NO_FLUSH)
            return unsafe left.count - Int(stream.pointee.avail_in)
        }
        output.count += unsafe room - Int(stream.pointee.avail_out)
        switch status {
        case Z_OK, Z_BUF_ERROR: return .progressed
        case Z_STREAM_END: return .ended
        case Z_MEM_ERROR: throw CompressionError(.library, "zlib is out of memory")
        default:
            let text = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "code \(status)"
            throw CompressionError(.corrupt, "the compressed data are corrupt: \(text)", offset: input.consumed)
        }
    }
}

/// The content of a gzip file, of all its members.
@safe final class GzipSource: ByteSource {
    private let input: StoredInput
    private let inflater: Inflater
    private var buffer = ChunkBuffer()
    private var isInsideMember = true

    init(_ input: StoredInput) throws(CompressionError) {
        self.input = input
        inflater = try Inflater(windowBits: 31)
    }

    func advance() throws(CompressionError) -> Bool {
        buffer.count = 0
        while buffer.count < buffer.capacity {
            if !isInsideMember, try !startNextMember() { break }
            guard try input.fill() else {
                throw CompressionError(
                    .truncated,
                    "the gzip data end in the middle: the file is truncated",
                    offset: input.consumed
                )
            }
            if try inflater.step(input, &buffer) == .ended { isInsideMember = false }
        }
        return buffer.count > 0
    }

    func withChunk<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R { try buffer.withBytes(body) }

    /// After a member comes another, padding of zero bytes (tapes, some portals), or the end.
    private func startNextMember() throws(CompressionError) -> Bool {
        var first: UInt8?
        while try input.fill() {
            unsafe input.consume { left in
                let padding = unsafe left.prefix { $0 == 0 }.count
                if padding < left.count { first = unsafe left[padding] }
                return padding
            }
            if first != nil { break }
        }
        guard let first else { return false }
        guard first == 0x1F else {
            throw CompressionError(.corrupt, "bytes that are not gzip follow the gzip data", offset: input.consumed)
        }
        inflater.reset()
        isInsideMember = true
        return true
    }
}
