/// Turns the bytes of one encoding into UTF-8 that is known to be valid and cut between characters.
///
/// Nothing is ever replaced: a byte that the encoding does not know is an error with offset; the parser knows the line.
@safe struct TextDecoder: ~Copyable {
    private let encoding: XMLEncoding
    /// Bytes of the document before the current input.
    private var offset: Int
    /// The start of a character whose rest has not come yet.
    private var carry: [UInt8] = []
    private var output: [UInt8] = []

    init(_ encoding: XMLEncoding, offset: Int) {
        (self.encoding, self.offset) = (encoding, offset)
    }

    /// Decodes `input` and hands valid UTF-8 to `emit`, perhaps in two pieces; what comes before an error is handed on.
    mutating func decode(
        _ input: UnsafeRawBufferPointer,
        _ emit: (UnsafeRawBufferPointer) throws(XMLReadingError) -> Void
    ) throws(XMLReadingError) {
        var input = unsafe input
        while !carry.isEmpty, let first = unsafe input.first {
            carry.append(first)
            unsafe input = UnsafeRawBufferPointer(rebasing: input.dropFirst())
            let held = carry
            carry = []
            try unsafe decodePiece(held, emit)
        }
        try unsafe decodePiece(input, emit)
    }

    /// Checks that the document does not end inside a character.
    func finish() throws(XMLReadingError) {
        guard carry.isEmpty else {
            throw XMLReadingError(.truncated, "the document ends inside a character", line: 0, byteOffset: offset)
        }
    }

    private mutating func decodePiece(
        _ piece: [UInt8],
        _ emit: (UnsafeRawBufferPointer) throws(XMLReadingError) -> Void
    ) throws(XMLReadingError) {
        var failure: XMLReadingError?
        unsafe piece.withUnsafeBytes { bytes in
            do throws(XMLReadingError) { try unsafe decodePiece(bytes, emit) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private mutating func decodePiece(
        _ input: UnsafeRawBufferPointer,
        _ emit: (UnsafeRawBufferPointer) throws(XMLReadingError) -> Void
    ) throws(XMLReadingError) {
        let used: Int
        var failure: XMLReadingError?
        switch encoding {
        case .utf8:
            used = unsafe UTF8Check.validPrefix(of: input)
            try unsafe emit(UnsafeRawBufferPointer(rebasing: input[..<used]))
        case .utf16LE, .utf16BE:
            used = unsafe decodeUTF16(input, isBigEndian: encoding == .utf16BE)
        case .windows1255:
            used = unsafe decodeWindows1255(input)
        }
        if encoding != .utf8, !output.isEmpty {
            unsafe output.withUnsafeBytes { bytes in
                do throws(XMLReadingError) { try unsafe emit(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
        }
        let rest = unsafe input[used...]
        offset += used
        guard let bad = unsafe rest.first else { return }
        guard unsafe isIncomplete(rest) else {
            let byte = "0x" + String(bad, radix: 16, uppercase: true)
            throw XMLReadingError(
                .invalidBytes,
                "byte \(byte) is not valid \(encoding.rawValue)",
                line: 0,
                byteOffset: offset
            )
        }
        unsafe carry = Array(rest)
    }

    /// Whether `rest` may be the start of a character that the next input completes.
    private func isIncomplete(_ rest: Slice<UnsafeRawBufferPointer>) -> Bool {
        switch encoding {
        case .utf8: unsafe UTF8Check.isPrefixOfCharacter(Array(rest.prefix(4)))
        case .utf16LE, .utf16BE: unsafe rest.count < 4 && (rest.count < 2 || isHighSurrogate(rest))
        case .windows1255: false
        }
    }

    private func isHighSurrogate(_ rest: Slice<UnsafeRawBufferPointer>) -> Bool {
        let high = unsafe encoding == .utf16BE ? rest[rest.startIndex] : rest[rest.startIndex + 1]
        return high & 0xFC == 0xD8
    }

    /// Fills ``output``; returns how many bytes were good.
    private mutating func decodeUTF16(_ input: UnsafeRawBufferPointer, isBigEndian: Bool) -> Int {
        output.removeAll(keepingCapacity: true)
        output.reserveCapacity(input.count * 3 / 2 + 4)
        func unit(_ index: Int) -> UInt32 {
            let (low, high) = unsafe isBigEndian ? (input[index + 1], input[index]) : (input[index], input[index + 1])
            return UInt32(high) << 8 | UInt32(low)
        }
        var index = 0
        while index + 2 <= input.count {
            var scalar = unit(index)
            var length = 2
            if scalar & 0xF800 == 0xD800 {
                guard scalar < 0xDC00, index + 4 <= input.count else { break }
                let second = unit(index + 2)
                guard second & 0xFC00 == 0xDC00 else { break }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (second - 0xDC00)
                length = 4
            }
            output.append(scalar: scalar)
            index += length
        }
        return index
    }

    /// Fills ``output``; returns how many bytes were good.
    private mutating func decodeWindows1255(_ input: UnsafeRawBufferPointer) -> Int {
        output.removeAll(keepingCapacity: true)
        output.reserveCapacity(input.count * 3)
        let table = Windows1255.upperHalf
        for index in 0..<input.count {
            let byte = unsafe input[index]
            if byte < 0x80 {
                output.append(byte)
                continue
            }
            let scalar = table[Int(byte) - 0x80]
            guard scalar != 0 else { return index }
            output.append(scalar: UInt32(scalar))
        }
        return input.count
    }
}

extension [UInt8] {
    /// Appends a character outside the surrogates as UTF-8.
    fileprivate mutating func append(scalar: UInt32) {
        func byte(_ lead: UInt32, _ shift: UInt32, _ mask: UInt32) -> UInt8 { UInt8(lead | scalar >> shift & mask) }
        if scalar < 0x80 {
            append(UInt8(scalar))
        } else if scalar < 0x800 {
            append(byte(0xC0, 6, 0x1F))
            append(byte(0x80, 0, 0x3F))
        } else if scalar < 0x10000 {
            append(byte(0xE0, 12, 0x0F))
            append(byte(0x80, 6, 0x3F))
            append(byte(0x80, 0, 0x3F))
        } else {
            append(byte(0xF0, 18, 0x07))
            append(byte(0x80, 12, 0x3F))
            append(byte(0x80, 6, 0x3F))
            append(byte(0x80, 0, 0x3F))
        }
    }
}
