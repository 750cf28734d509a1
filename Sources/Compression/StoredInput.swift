/// A file's stored bytes with a read position, for decoders that look at them piece by piece.
@safe final class StoredInput {
    private let file: FileSource
    private var position = 0
    private var isAtEnd = false

    init(_ file: FileSource) { self.file = file }

    /// How many stored bytes were consumed.
    var consumed: Int { unsafe file.offset - (file.chunk.count - position) }

    /// Reads on when nothing is left; false at the end of the file.
    func fill() throws(CompressionError) -> Bool {
        if unsafe position < file.chunk.count { return true }
        if isAtEnd { return false }
        position = 0
        isAtEnd = try !file.advance()
        return !isAtEnd
    }

    /// Lends what is left of the current piece; `body` returns how many bytes it used.
    func consume(_ body: (UnsafeRawBufferPointer) -> Int) {
        position += unsafe body(UnsafeRawBufferPointer(rebasing: file.chunk[position...]))
    }

    /// Takes up to `count` bytes; fewer only at the end of the file.
    func take(_ count: Int) throws(CompressionError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, try fill() {
            let missing = count - bytes.count
            unsafe consume { left in
                let part = unsafe left.prefix(missing)
                unsafe bytes.append(contentsOf: part)
                return unsafe part.count
            }
        }
        return bytes
    }

    /// Skips `count` bytes; throws `.truncated` when there are fewer.
    func skip(_ count: Int) throws(CompressionError) {
        var missing = count
        while missing > 0 {
            guard try fill() else { throw CompressionError(.truncated, "the file ends too early", offset: consumed) }
            unsafe consume { left in
                let step = min(missing, left.count)
                missing -= step
                return step
            }
        }
    }
}
