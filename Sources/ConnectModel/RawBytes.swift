import Glibc

extension [UInt8] {
    /// Appends borrowed bytes.
    public mutating func append(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { bytes in unsafe append(contentsOf: bytes) }
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
