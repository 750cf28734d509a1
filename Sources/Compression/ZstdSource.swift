import CZstd

/// The content of a zstd file, of all its frames.
@safe final class ZstdSource: ByteSource {
    private let input: StoredInput
    private let context: OpaquePointer
    private var buffer = ChunkBuffer()
    private var isInsideFrame = false

    init(_ input: StoredInput) throws(CompressionError) {
        self.input = input
        guard let context = unsafe ZSTD_createDCtx() else {
            throw CompressionError(.library, "zstd could not start")
        }
        unsafe self.context = unsafe context
    }

    deinit { unsafe _ = ZSTD_freeDCtx(context) }

    func advance() throws(CompressionError) -> Bool {
        buffer.count = 0
        while buffer.count < buffer.capacity {
            let hasInput = try input.fill()
            if !hasInput, !isInsideFrame { break }
            let before = buffer.count
            try step()
            guard hasInput || buffer.count > before || !isInsideFrame else {
                throw CompressionError(
                    .truncated,
                    "the zstd data end in the middle: the file is truncated",
                    offset: input.consumed
                )
            }
        }
        return buffer.count > 0
    }

    func withChunk<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R { try buffer.withBytes(body) }

    private func step() throws(CompressionError) {
        var status = 0
        var output = unsafe ZSTD_outBuffer(dst: buffer.memory.baseAddress, size: buffer.capacity, pos: buffer.count)
        unsafe input.consume { left in
            var source = unsafe ZSTD_inBuffer(src: left.baseAddress, size: left.count, pos: 0)
            status = unsafe ZSTD_decompressStream(context, &output, &source)
            return unsafe source.pos
        }
        guard ZSTD_isError(status) == 0 else {
            let text = unsafe String(cString: ZSTD_getErrorName(status))
            throw CompressionError(.corrupt, "the zstd data are corrupt: \(text)", offset: input.consumed)
        }
        buffer.count = unsafe output.pos
        isInsideFrame = status != 0
    }
}
