import CZlib
import CZstd

/// Compresses a stream piece by piece, for files that are written as records come.
///
///     var compressor = try StreamCompressor(.gzip)
///     try compressor.write(line, into: &pending)     // appends whatever is ready
///     try compressor.finish(into: &pending)          // a complete file; the next write starts a new member
///
/// Members (gzip) and frames (zstd) may follow each other in one file: readers see their contents joined.
@safe public struct StreamCompressor: ~Copyable, @unchecked Sendable {  // the one owner of its C state
    /// What to write.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// The bytes as they are.
        case none
        /// RFC 1952, without name and time, so that equal input gives equal output.
        case gzip
        /// RFC 8878, with a checksum.
        case zstd

        /// What a file's name ends in: empty, `.gz` or `.zst`.
        public var fileExtension: String {
            switch self {
            case .none: ""
            case .gzip: ".gz"
            case .zstd: ".zst"
            }
        }
    }

    @safe private enum State {
        case none
        case gzip(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    /// What is written.
    public let format: Format
    private let state: State
    private let scratch = ChunkBuffer()

    /// Starts a stream; `level` is the library's own (gzip 1 to 9, default 6; zstd 1 to 19, default 3).
    ///
    /// Throws ``CompressionError`` with `.library` when the library cannot start or does not know the level.
    public init(_ format: Format, level: Int? = nil) throws(CompressionError) {
        self.format = format
        switch format {
        case .none: state = .none
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            unsafe stream.initialize(to: z_stream())
            let size = unsafe CInt(MemoryLayout<z_stream>.size)
            let status = unsafe deflateInit2_(
                stream,
                CInt(level ?? 6),
                Z_DEFLATED,
                31,
                8,
                Z_DEFAULT_STRATEGY,
                ZLIB_VERSION,
                size
            )
            guard status == Z_OK else {
                unsafe stream.deallocate()
                throw CompressionError(.library, "zlib could not start with level \(level ?? 6)")
            }
            unsafe state = .gzip(stream)
        case .zstd:
            guard let context = unsafe ZSTD_createCCtx() else {
                throw CompressionError(.library, "zstd could not start")
            }
            let level = CInt(level ?? 3)
            let inRange = (1...19).contains(level)
            guard inRange, unsafe ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) == 0,
                unsafe ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) == 0
            else {
                unsafe _ = ZSTD_freeCCtx(context)
                throw CompressionError(.library, "zstd could not start with level \(level)")
            }
            unsafe state = .zstd(context)
        }
    }

    deinit {
        switch state {
        case .none: break
        case .gzip(let stream):
            unsafe deflateEnd(stream)
            unsafe stream.deallocate()
        case .zstd(let context): unsafe _ = ZSTD_freeCCtx(context)
        }
    }

    /// Compresses `bytes` and appends what is ready to `output`.
    ///
    /// Throws `.library` when memory runs out.
    public mutating func write(_ bytes: RawSpan, into output: inout [UInt8]) throws(CompressionError) {
        try run(bytes, .write, &output)
    }

    /// Compresses the bytes of an array; see ``write(_:into:)-(RawSpan,_)``.
    public mutating func write(_ bytes: [UInt8], into output: inout [UInt8]) throws(CompressionError) {
        try unsafe write(bytes.span.bytes, into: &output)
    }

    /// Appends all that was written so far in a form that a reader can inflate up to here, at some cost in size.
    public mutating func flush(into output: inout [UInt8]) throws(CompressionError) {
        let nothing: [UInt8] = []
        try unsafe run(nothing.span.bytes, .flush, &output)
    }

    /// Ends the member or frame and appends its end; the next ``write(_:into:)-(RawSpan,_)`` starts a new one.
    public mutating func finish(into output: inout [UInt8]) throws(CompressionError) {
        let nothing: [UInt8] = []
        try unsafe run(nothing.span.bytes, .finish, &output)
        if case .gzip(let stream) = state { unsafe _ = deflateReset(stream) }
    }

    private enum Mode { case write, flush, finish }

    private func run(_ bytes: RawSpan, _ mode: Mode, _ output: inout [UInt8]) throws(CompressionError) {
        let failure: CompressionError? = unsafe bytes.withUnsafeBytes { input in
            switch state {
            case .none:
                unsafe output.append(contentsOf: input)
                return nil
            case .gzip(let stream): return unsafe deflateAll(stream, input, mode, &output)
            case .zstd(let context): return unsafe zstdAll(context, input, mode, &output)
            }
        }
        if let failure { throw failure }
    }

    private func deflateAll(
        _ stream: UnsafeMutablePointer<z_stream>,
        _ input: UnsafeRawBufferPointer,
        _ mode: Mode,
        _ output: inout [UInt8]
    ) -> CompressionError? {
        let flush = mode == .finish ? Z_FINISH : mode == .flush ? Z_SYNC_FLUSH : Z_NO_FLUSH
        let room = UInt32(scratch.capacity)
        let start = unsafe input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start)
        var left = input.count
        while true {
            let step = min(left, Int(UInt32.max))  // zlib counts in 32 bits
            unsafe stream.pointee.avail_in = UInt32(step)
            unsafe stream.pointee.next_out = unsafe scratch.memory.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = room
            let status = unsafe deflate(stream, step < left ? Z_NO_FLUSH : flush)
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                return CompressionError(.library, "zlib could not compress: code \(status)")
            }
            left -= unsafe step - Int(stream.pointee.avail_in)
            let made = unsafe Int(room - stream.pointee.avail_out)
            unsafe output.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch.memory[0..<made]))
            let isComplete = mode == .finish ? status == Z_STREAM_END : made < Int(room)
            if left == 0, isComplete { return nil }
        }
    }

    private func zstdAll(
        _ context: OpaquePointer,
        _ input: UnsafeRawBufferPointer,
        _ mode: Mode,
        _ output: inout [UInt8]
    ) -> CompressionError? {
        let directive = mode == .finish ? ZSTD_e_end : mode == .flush ? ZSTD_e_flush : ZSTD_e_continue
        var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        while true {
            var target = unsafe ZSTD_outBuffer(dst: scratch.memory.baseAddress, size: scratch.capacity, pos: 0)
            let status = unsafe ZSTD_compressStream2(context, &target, &source, directive)
            guard ZSTD_isError(status) == 0 else {
                let text = unsafe String(cString: ZSTD_getErrorName(status))
                return CompressionError(.library, "zstd could not compress: \(text)")
            }
            unsafe output.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch.memory[0..<target.pos]))
            if mode == .write ? unsafe source.pos == source.size : status == 0 { return nil }
        }
    }
}
