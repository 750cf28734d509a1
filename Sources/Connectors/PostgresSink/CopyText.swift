// The text format of COPY: fields end with a tab, rows with a line feed, and a backslash escapes (PostgreSQL 15, "COPY").

let tab = UInt8(ascii: "\t"), lineFeed = UInt8(ascii: "\n"), backslash = UInt8(ascii: "\\")

/// Appends bytes as they are.
@inline(__always)
func append(_ bytes: RawSpan, to out: inout [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe out.append(contentsOf: $0) }
}

/// Appends `\N`.
@inline(__always)
func appendNull(to out: inout [UInt8]) {
    out.append(backslash)
    out.append(UInt8(ascii: "N"))
}

/// Appends bytes with what COPY takes for its own escaped.
///
/// False when there is a NUL, which PostgreSQL cannot store.
func appendEscaped(_ bytes: RawSpan, to out: inout [UInt8]) -> Bool {
    unsafe bytes.withUnsafeBytes { bytes in
        var isClean = true
        var start = 0
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            guard byte == backslash || byte < 0x20 else { continue }
            guard let letter = escapeLetter(byte) else { continue }
            if byte == 0 { isClean = false }
            unsafe out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
            out.append(backslash)
            out.append(letter)
            start = index + 1
        }
        unsafe out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start...]))
        return isClean
    }
}

/// The same for bytes in an array.
func appendEscaped(_ bytes: [UInt8], to out: inout [UInt8]) -> Bool {
    unsafe appendEscaped(bytes.span.bytes, to: &out)
}

/// The same for text.
func appendEscaped(_ text: String, to out: inout [UInt8]) -> Bool { appendEscaped(Array(text.utf8), to: &out) }

private func escapeLetter(_ byte: UInt8) -> UInt8? {
    switch byte {
    case backslash: backslash
    case 0x0a: UInt8(ascii: "n")
    case 0x0d: UInt8(ascii: "r")
    case 0x09: UInt8(ascii: "t")
    case 0x08: UInt8(ascii: "b")
    case 0x0b: UInt8(ascii: "v")
    case 0x0c: UInt8(ascii: "f")
    case 0: UInt8(ascii: "0")
    default: nil
    }
}

/// Appends a whole number.
func append(_ number: Int64, to out: inout [UInt8]) { out.append(contentsOf: "\(number)".utf8) }
