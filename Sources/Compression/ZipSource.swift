import CZlib

/// The first file of a ZIP archive, read from its local header on, so that the archive is read once and in order.
@safe final class ZipSource: ByteSource {
    private struct Entry {
        var flags: UInt16
        var method: UInt16
        var checksum: UInt32
        var stored: Int
        var length: Int
        var isDirectory: Bool

        var hasDescriptor: Bool { flags & 8 != 0 }
    }

    private let input: StoredInput
    private let entry: Entry
    private let inflater: Inflater?
    private var buffer = ChunkBuffer()
    private var checksum: UInt = crc32(0, nil, 0)
    private var length = 0
    private var remaining: Int
    private var isDone = false

    init(_ input: StoredInput) throws(CompressionError) {
        self.input = input
        var entry = try Self.header(input)
        while entry.isDirectory {
            try input.skip(entry.stored)
            entry = try Self.header(input)
        }
        self.entry = entry
        remaining = entry.stored
        inflater = entry.method == 8 ? try Inflater(windowBits: -15) : nil
    }

    func advance() throws(CompressionError) -> Bool {
        buffer.count = 0
        while !isDone, buffer.count < buffer.capacity {
            if let inflater {
                guard try input.fill() else { throw truncated() }
                isDone = try inflater.step(input, &buffer) == .ended
            } else {
                isDone = try copyStored()
            }
        }
        if buffer.count > 0 {
            length += buffer.count
            let start = unsafe buffer.memory.bindMemory(to: UInt8.self).baseAddress
            checksum = unsafe crc32(checksum, start, UInt32(buffer.count))
        }
        if isDone, buffer.count < buffer.capacity, remaining >= 0 { try verify() }
        return buffer.count > 0
    }

    func withChunk<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R { try buffer.withBytes(body) }

    /// Copies what is left of a stored entry; true when it is complete.
    private func copyStored() throws(CompressionError) -> Bool {
        guard remaining > 0 else { return true }
        guard try input.fill() else { throw truncated() }
        unsafe input.consume { left in
            let step = min(remaining, left.count, buffer.capacity - buffer.count)
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.memory[buffer.count...])
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: left[0..<step]))
            buffer.count += step
            remaining -= step
            return step
        }
        return remaining == 0
    }

    /// Checks length and checksum once, against the header or against the descriptor behind the data.
    private func verify() throws(CompressionError) {
        remaining = -1
        var expected = (checksum: entry.checksum, length: entry.length)
        if entry.hasDescriptor {
            var descriptor = try input.take(12)
            if descriptor.starts(with: [0x50, 0x4B, 0x07, 0x08]) { descriptor += try input.take(4) }
            let start = descriptor.count - 12
            guard start >= 0, descriptor.count >= 12 else { throw truncated() }
            expected = (descriptor.word(at: start), Int(descriptor.word(at: start + 8)))
        }
        guard expected.checksum == UInt32(truncatingIfNeeded: checksum), expected.length == length else {
            throw CompressionError(.corrupt, "the ZIP entry's checksum or length is wrong", offset: input.consumed)
        }
    }

    private func truncated() -> CompressionError {
        CompressionError(
            .truncated,
            "the ZIP entry ends in the middle: the file is truncated",
            offset: input.consumed
        )
    }

    private static func header(_ input: StoredInput) throws(CompressionError) -> Entry {
        let head = try input.take(30)
        guard head.starts(with: [0x50, 0x4B, 0x03, 0x04]) else {
            throw CompressionError(.unsupported, "the ZIP archive has no file in it", offset: input.consumed)
        }
        guard head.count == 30 else {
            throw CompressionError(.truncated, "the ZIP header ends in the middle", offset: input.consumed)
        }
        let name = try input.take(Int(head.half(at: 26)))
        try input.skip(Int(head.half(at: 28)))
        let entry = Entry(
            flags: head.half(at: 6),
            method: head.half(at: 8),
            checksum: head.word(at: 14),
            stored: Int(head.word(at: 18)),
            length: Int(head.word(at: 22)),
            isDirectory: name.last == UInt8(ascii: "/")
        )
        func refused(_ what: String) -> CompressionError {
            CompressionError(.unsupported, "the ZIP archive \(what), which is not read here", offset: input.consumed)
        }
        if entry.flags & 1 != 0 { throw refused("is encrypted") }
        if head.word(at: 18) == .max || head.word(at: 22) == .max { throw refused("uses zip64") }
        if entry.method != 0, entry.method != 8 { throw refused("uses compression method \(entry.method)") }
        if entry.method == 0, entry.hasDescriptor { throw refused("stores a file of unknown length") }
        return entry
    }
}

extension [UInt8] {
    fileprivate func half(at index: Int) -> UInt16 { UInt16(self[index]) | UInt16(self[index + 1]) << 8 }
    fileprivate func word(at index: Int) -> UInt32 { UInt32(half(at: index)) | UInt32(half(at: index + 2)) << 16 }
}
