import Glibc

/// The lines of a file, one after the other, each as soon as it is there; waits for a pipe that has nothing yet.
///
/// A line ends with `\n`, which is not part of it, nor is a `\r` before it; the last line needs no end.
public struct LineReader: ~Copyable {
    private static let blockBytes = 64 << 10

    private let file: OpenFile
    private let longest: Int
    private var block = [UInt8](repeating: 0, count: blockBytes)
    private var unread = 0..<0
    private var isAtEnd = false

    /// Reads from where the file stands; a line of more than `longest` bytes is refused.
    public init(_ file: OpenFile, longest: Int = 64 << 20) { (self.file, self.longest) = (file, longest) }

    /// The next line; nil after the last.
    public mutating func next() throws(FileError) -> [UInt8]? {
        var searched = unread.lowerBound
        while true {
            if let end = block[searched..<unread.upperBound].firstIndex(of: UInt8(ascii: "\n")) {
                let line = block[unread.lowerBound..<end]
                unread = (end + 1)..<unread.upperBound
                return Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            }
            if isAtEnd {
                defer { unread = 0..<0 }
                return unread.isEmpty ? nil : Array(block[unread])
            }
            searched = try fill()
        }
    }

    /// Reads behind what is unread; gives where that begins.
    private mutating func fill() throws(FileError) -> Int {
        if unread.lowerBound > 0 {
            block.replaceSubrange(0..<unread.count, with: block[unread])
            unread = 0..<unread.count
        }
        if unread.count == block.count {
            guard block.count < longest else { throw FileError("reading a line of", file.path, number: EMSGSIZE) }
            block += [UInt8](repeating: 0, count: block.count)
        }
        let start = unread.upperBound
        while true {
            if let got = try file.read(into: &block, start..<block.count) {
                isAtEnd = got == 0
                unread = unread.lowerBound..<(start + got)
                return start
            }
            _ = try file.waitUntilReadable(.seconds(1))
        }
    }
}
