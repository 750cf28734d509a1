/// JSON's escapes (RFC 8259, section 7): quote, backslash and control characters; everything else stays UTF-8.
enum JSONText {
    static func append(_ text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        var done = 0
        var index = 0
        let count = text.count
        while index < count {
            // Eight bytes at a time as long as none is special: the usual trick of "has a byte less than / equal to".
            if index + 8 <= count, unsafe isPlain(text.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
                index += 8
                continue
            }
            let byte = unsafe text[index]
            guard byte < 0x20 || byte == 0x22 || byte == 0x5C else {
                index += 1
                continue
            }
            unsafe output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[done..<index]))
            escape(byte, to: &output)
            index += 1
            done = index
        }
        unsafe output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[done..<count]))
    }

    private static func isPlain(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        func hasZero(_ value: UInt64) -> UInt64 { (value &- ones) & ~value & highs }
        let control = (word &- ones &* 0x20) & ~word & highs
        return control | hasZero(word ^ ones &* 0x22) | hasZero(word ^ ones &* 0x5C) == 0
    }

    private static func escape(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: output.append(byte)
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            output += [UInt8(ascii: "u"), 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}
