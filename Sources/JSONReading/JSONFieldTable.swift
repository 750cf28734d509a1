/// The fields of the record that a ``JSONObjectReader`` has just read, for loops that run for every field of every record:
/// its methods are inlined into the caller.
///
/// Lent by ``JSONObjectReader/withFields(_:)`` and good only within it.
@safe
@frozen
public struct JSONFieldTable {
    @usableFromInline let bytes: UnsafePointer<UInt8>
    // Tokens in pairs, name and value, of seven words: start, length, raw start, raw length, kind (the low half), …
    @usableFromInline let words: UnsafePointer<UInt32>
    /// How many fields there are.
    public let count: Int

    @usableFromInline
    init(bytes: UnsafePointer<UInt8>, words: UnsafePointer<UInt32>, count: Int) {
        unsafe (self.bytes, self.words, self.count) = (bytes, words, count)
    }

    @inlinable
    @inline(__always)
    func word(_ field: Int, _ place: Int) -> Int {
        precondition(field >= 0 && field < count, "no such field")
        return unsafe Int(words[field * 14 + place])
    }

    /// What the field's value is, as ``JSONKind``'s raw value.
    @inlinable
    @inline(__always)
    public func rawKind(_ field: Int) -> UInt16 { UInt16(truncatingIfNeeded: word(field, 11)) }

    /// How long the content is: a string's text without quotes and escapes, else the raw text.
    @inlinable
    @inline(__always)
    public func contentLength(_ field: Int) -> Int { word(field, 8) }

    /// Whether the value is a string without any escape, and so without control characters, quotes and backslashes.
    @inlinable
    @inline(__always)
    public func isPlainString(_ field: Int) -> Bool {
        rawKind(field) == 5 && word(field, 10) == word(field, 8) + 2
    }

    /// A byte of the content, which must have that many.
    @inlinable
    @inline(__always)
    public func byte(_ field: Int, at index: Int) -> UInt8 {
        precondition(index >= 0 && index < word(field, 8), "no such byte")
        return unsafe bytes[word(field, 7) + index]
    }

    /// Copies the content to memory that has room for it.
    @inlinable
    @inline(__always)
    public func copyContent(_ field: Int, to memory: UnsafeMutablePointer<UInt8>) {
        unsafe memory.update(from: bytes + word(field, 7), count: word(field, 8))
    }

    /// Whether the fields have these names: all UTF-8 in one piece, each ending where `ends` says.
    @inlinable
    public func haveNames(_ names: [UInt8], ends: [Int]) -> Bool {
        guard ends.count == count else { return false }
        return unsafe names.withUnsafeBufferPointer { names in
            var start = 0
            for field in 0..<count {
                let length = ends[field] - start
                guard word(field, 1) == length else { return false }
                let name = unsafe bytes + word(field, 0)
                for index in 0..<length where unsafe name[index] != names[start + index] { return false }
                start = ends[field]
            }
            return true
        }
    }
}
