/// Strict UTF-8 after table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF.
enum UTF8Check {
    /// How many bytes from the start are complete, valid characters.
    static func validPrefix(of bytes: UnsafeRawBufferPointer) -> Int {
        let count = bytes.count
        var index = 0
        while index < count {
            if unsafe bytes[index] < 0x80 {
                // Eight bytes at a time: most of a price file is ASCII.
                while index + 8 <= count {
                    let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    let high = word & 0x8080_8080_8080_8080
                    if high != 0 {
                        index += high.trailingZeroBitCount >> 3
                        break
                    }
                    index += 8
                }
                while index < count, unsafe bytes[index] < 0x80 { index += 1 }
                continue
            }
            // Hebrew comes in runs of two-byte characters.
            while index + 1 < count, unsafe (0xC2..<0xE0).contains(bytes[index]), unsafe bytes[index + 1] & 0xC0 == 0x80
            {
                index += 2
            }
            if index == count { return index }
            if unsafe bytes[index] < 0x80 { continue }
            let length = unsafe length(of: bytes, at: index)
            if length == 0 { return index }
            index += length
        }
        return index
    }

    /// Whether `bytes` could be the beginning of a valid character but are not all of it.
    static func isPrefixOfCharacter(_ bytes: [UInt8]) -> Bool {
        guard let lead = bytes.first, let (length, second) = shape(lead), bytes.count < length else { return false }
        return bytes.count < 2 || (second.contains(bytes[1]) && bytes.dropFirst(2).allSatisfy { $0 & 0xC0 == 0x80 })
    }

    /// The length of the character beyond ASCII at `index`; 0 when it is invalid or not all there.
    private static func length(of bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let lead = unsafe bytes[index]
        if lead >= 0xC2, lead < 0xE0 {  // the whole Hebrew block
            return unsafe index + 1 < bytes.count && bytes[index + 1] & 0xC0 == 0x80 ? 2 : 0
        }
        guard let (length, second) = shape(lead), index + length <= bytes.count else { return 0 }
        guard unsafe second.contains(bytes[index + 1]) else { return 0 }
        for position in (index + 2)..<(index + length) where unsafe bytes[position] & 0xC0 != 0x80 { return 0 }
        return length
    }

    private static func shape(_ lead: UInt8) -> (length: Int, second: ClosedRange<UInt8>)? {
        switch lead {
        case 0xC2...0xDF: (2, 0x80...0xBF)
        case 0xE0: (3, 0xA0...0xBF)
        case 0xED: (3, 0x80...0x9F)
        case 0xE1...0xEF: (3, 0x80...0xBF)
        case 0xF0: (4, 0x90...0xBF)
        case 0xF1...0xF3: (4, 0x80...0xBF)
        case 0xF4: (4, 0x80...0x8F)
        default: nil
        }
    }
}
