import Glibc

extension [UInt8] {
    /// Appends borrowed bytes.
    public mutating func append(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { bytes in unsafe append(contentsOf: bytes) }
    }

    /// Appends a JSON text so that it takes one line.
    ///
    /// Line breaks are blanks between the tokens of JSON, never inside them: each becomes one blank, without the
    /// indentation behind it. The text is not checked; one without line breaks is copied as it is.
    public mutating func append(jsonOnOneLine json: RawSpan) {
        guard json.contains(UInt8(ascii: "\n")) || json.contains(UInt8(ascii: "\r")) else { return append(json) }
        var isAfterBreak = false
        for index in 0..<json.byteCount {
            let byte = unsafe json.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if !isAfterBreak { append(UInt8(ascii: " ")) }
                isAfterBreak = true
            case UInt8(ascii: " ") where isAfterBreak, UInt8(ascii: "\t") where isAfterBreak: break
            default:
                isAfterBreak = false
                append(byte)
            }
        }
    }
}

extension RawSpan {
    /// Whether `byte` occurs, at the speed of `memchr`.
    public func contains(_ byte: UInt8) -> Bool {
        unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe memchr(base, Int32(byte), bytes.count) != nil
        }
    }
}
