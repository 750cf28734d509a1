import Compression

/// How one row lies in the spool: the length of its body and of its key, the body without its closing brace, the key.
enum RowFrame {
    static let headSize = 8

    static func write(body: Int, key: Int, at index: Int, in bytes: inout [UInt8]) {
        for shift in 0..<4 {
            bytes[index + shift] = UInt8(truncatingIfNeeded: body >> (shift * 8))
            bytes[index + 4 + shift] = UInt8(truncatingIfNeeded: key >> (shift * 8))
        }
    }

    static func word(_ bytes: [UInt8], _ index: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[index + $1]) << ($1 * 8) }
    }
}

/// The rows of one file between reading and sending: a file is read to its end before its first row goes out.
///
/// So nothing of a broken file is ever sent, a header field after the rows reaches all of them, and the document is
/// parsed once. Small files wait in memory, large ones in a temporary file without a name.
struct RowSpool {
    private let directory: String
    private let memoryMax: Int
    private var memory: [UInt8] = []
    private var file: SpoolFile?
    private var window: [UInt8] = []
    private var position = 0
    private var fileOffset = 0

    /// At most about `memoryMax` bytes of rows stay in memory.
    init(directory: String, memoryMax: Int) {
        (self.directory, self.memoryMax) = (directory, memoryMax)
    }

    /// Appends whole frames.
    mutating func append(_ frames: [UInt8]) throws(ImportFailure) {
        guard file == nil else { return try write(frames) }
        memory.append(contentsOf: frames)
        guard memory.count > memoryMax else { return }
        do throws(CompressionError) { file = try SpoolFile(directory: directory) } catch {
            throw ImportFailure(.spool, error.description)
        }
        try write(memory)
        memory = []
    }

    /// Says that all rows are in, before the first ``next(_:)``.
    mutating func finish() {
        window = memory
        memory = []
    }

    /// Hands out the next row: bytes, where its body lies in them, and its key; false when there is none.
    mutating func next(
        _ body: (_ bytes: [UInt8], _ row: Range<Int>, _ key: Range<Int>) -> Void
    ) throws(ImportFailure) -> Bool {
        guard try reach(RowFrame.headSize) else { return false }
        let length = RowFrame.word(window, position)
        let keyLength = RowFrame.word(window, position + 4)
        guard try reach(RowFrame.headSize + length + keyLength) else {
            throw ImportFailure(.spool, "the temporary file of rows is shorter than what was written")
        }
        let start = position + RowFrame.headSize
        body(window, start..<(start + length), (start + length)..<(start + length + keyLength))
        position = start + length + keyLength
        return true
    }

    /// Makes `count` bytes from the position on available; false at the end.
    private mutating func reach(_ count: Int) throws(ImportFailure) -> Bool {
        if position + count <= window.count { return true }
        guard let file else { return false }
        let from = fileOffset + position
        guard from < file.count else { return false }
        do throws(CompressionError) {
            try file.read(at: from, most: max(count, 1 << 20), into: &window)
        } catch { throw ImportFailure(.spool, error.description) }
        (fileOffset, position) = (from, 0)
        return count <= window.count
    }

    private func write(_ frames: [UInt8]) throws(ImportFailure) {
        do throws(CompressionError) { try file?.append(frames) } catch {
            throw ImportFailure(.spool, error.description)
        }
    }
}
