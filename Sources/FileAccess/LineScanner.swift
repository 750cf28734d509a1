import Glibc

/// Finds the complete lines in a block of bytes, at the speed of `memchr`.
///
/// A line ends with `\n`, `\r\n` or a lone `\r` (Kafka Connect 4.3, `FileStreamSourceTask`); the end is not part of it.
public enum LineScanner {
    /// Appends to `lines` where the lines of `block[part]` lie, at most `most`, and gives where the rest begins.
    ///
    /// What has no end yet is not a line; nor is what ends with a `\r` at the block's end, as a `\n` may follow.
    public static func scan(
        _ block: [UInt8],
        _ part: Range<Int>,
        most: Int,
        into lines: inout [Range<Int>]
    ) -> Int {
        unsafe block.withUnsafeBytes { bytes in
            var (start, left) = (part.lowerBound, most)
            var newline = unsafe firstIndex(of: UInt8(ascii: "\n"), bytes, start..<part.upperBound)
            while left > 0, start < part.upperBound {
                let stop = newline ?? part.upperBound
                if let carriage = unsafe firstIndex(of: UInt8(ascii: "\r"), bytes, start..<stop) {
                    guard carriage + 1 < part.upperBound else { break }
                    lines.append(start..<carriage)
                    start = carriage + 1
                } else if let newline {
                    lines.append(start..<newline)
                    start = newline
                } else {
                    break
                }
                if start == newline {
                    start += 1
                    newline = unsafe firstIndex(of: UInt8(ascii: "\n"), bytes, start..<part.upperBound)
                }
                left -= 1
            }
            return start
        }
    }

    private static func firstIndex(of byte: UInt8, _ bytes: UnsafeRawBufferPointer, _ part: Range<Int>) -> Int? {
        guard !part.isEmpty, let base = bytes.baseAddress else { return nil }
        guard let found = unsafe memchr(base + part.lowerBound, Int32(byte), part.count) else { return nil }
        return unsafe UnsafeRawPointer(found) - base
    }
}
