/// An exact decimal number: `unscaled` times ten to the power of minus `scale`, as Java's `BigDecimal`.
///
/// Equality is by unscaled value and scale (1.0 is not 1.00); ``compare(to:)`` is by number.
public struct Decimal: Sendable, Hashable {
    /// All digits, without the point.
    public let unscaled: BigInteger
    /// How many of the digits stand right of the point; negative means zeros to add on the left of it.
    public let scale: Int32

    /// Puts a number together.
    public init(unscaled: BigInteger, scale: Int32) { (self.unscaled, self.scale) = (unscaled, scale) }

    /// A whole number, scale 0.
    public init(_ value: Int64) { self.init(unscaled: BigInteger(value), scale: 0) }

    /// Reads what Java's `BigDecimal(String)` reads: sign, digits, point, exponent; nil for anything else.
    public init?(_ text: some StringProtocol) {
        var digits: [UInt8] = []
        var fraction = 0
        var exponent: Int64 = 0
        var hasDigits = false
        var inFraction = false
        var bytes = Array(text.utf8)[...]
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            if sign == UInt8(ascii: "-") { digits.append(sign) }
            bytes = bytes.dropFirst()
        }
        while let byte = bytes.first {
            if byte >= 0x30, byte <= 0x39 {
                hasDigits = true
                digits.append(byte)
                if inFraction { fraction += 1 }
            } else if byte == UInt8(ascii: "."), !inFraction {
                inFraction = true
            } else if byte | 0x20 == UInt8(ascii: "e") {
                let tail = String(decoding: bytes.dropFirst(), as: UTF8.self)
                guard let value = Int64(tail), tail.utf8.count <= 12 else { return nil }
                exponent = value
                break
            } else {
                return nil
            }
            bytes = bytes.dropFirst()
        }
        guard hasDigits, let unscaled = BigInteger(String(decoding: digits, as: UTF8.self)),
            let scale = Int32(exactly: Int64(fraction) - exponent)
        else { return nil }
        self.init(unscaled: unscaled, scale: scale)
    }

    /// Big-endian two's-complement bytes of the unscaled value, as Connect's Decimal carries them.
    public init(twosComplement bytes: some Collection<UInt8>, scale: Int32) {
        self.init(unscaled: BigInteger(twosComplement: bytes), scale: scale)
    }

    /// How many digits the unscaled value has; zero has one.
    public var precision: Int { unscaled.description.utf8.count - (unscaled.isNegative ? 1 : 0) }

    /// The nearest double; infinite when too large.
    public var doubleValue: Double {
        if scale == 0 { return unscaled.doubleValue }
        return Double("\(unscaled)e\(-Int64(scale))") ?? .nan
    }

    /// The whole part, toward zero.
    public var integerPart: BigInteger {
        if scale <= 0 { return unscaled.isZero ? unscaled : unscaled * .powerOfTen(-Int(scale)) }
        return unscaled.dividedByPowerOfTen(Int(scale)).quotient
    }

    /// The same number with another scale, or nil when that would lose digits.
    public func rescaled(_ scale: Int32) -> Self? {
        let more = Int(scale) - Int(self.scale)
        if more >= 0 { return Self(unscaled: unscaled * .powerOfTen(more), scale: scale) }
        let (quotient, isExact) = unscaled.dividedByPowerOfTen(-more)
        return isExact ? Self(unscaled: quotient, scale: scale) : nil
    }

    /// Below zero, zero or above zero as this number is less than, equal to or greater than `other`.
    public func compare(to other: Self) -> Int {
        let difference = self - other
        return difference.unscaled.isZero ? 0 : difference.unscaled.isNegative ? -1 : 1
    }

    /// The sum, with the larger scale.
    public static func + (a: Self, b: Self) -> Self { aligned(a, b) { $0 + $1 } }
    /// The difference, with the larger scale.
    public static func - (a: Self, b: Self) -> Self { aligned(a, b) { $0 - $1 } }
    /// The product; its scale is the sum of both.
    public static func * (a: Self, b: Self) -> Self {
        Self(unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale)
    }

    private static func aligned(_ a: Self, _ b: Self, _ combine: (BigInteger, BigInteger) -> BigInteger) -> Self {
        if a.scale == b.scale { return Self(unscaled: combine(a.unscaled, b.unscaled), scale: a.scale) }
        let scale = max(a.scale, b.scale)
        let left = a.unscaled * .powerOfTen(Int(scale) - Int(a.scale))
        let right = b.unscaled * .powerOfTen(Int(scale) - Int(b.scale))
        return Self(unscaled: combine(left, right), scale: scale)
    }
}

extension Decimal: CustomStringConvertible {
    /// As Java's `BigDecimal.toString`: plain, or with an exponent where the number is very small or the scale negative.
    public var description: String {
        if scale == 0 { return unscaled.description }
        let sign = unscaled.isNegative ? "-" : ""
        let digits = Array(unscaled.description.utf8.dropFirst(sign.utf8.count))
        let adjusted = Int64(digits.count) - 1 - Int64(scale)
        if scale > 0, adjusted >= -6 { return plainText }
        var text = sign + String(decoding: digits[..<1], as: UTF8.self)
        if digits.count > 1 { text += "." + String(decoding: digits[1...], as: UTF8.self) }
        if adjusted != 0 { text += adjusted > 0 ? "E+\(adjusted)" : "E\(adjusted)" }
        return text
    }

    /// Without an exponent, however long.
    public var plainText: String {
        let sign = unscaled.isNegative ? "-" : ""
        var digits = String(unscaled.description.dropFirst(sign.count))
        if scale <= 0 { return unscaled.isZero ? "0" : sign + digits + String(repeating: "0", count: -Int(scale)) }
        if digits.utf8.count <= Int(scale) {
            digits = String(repeating: "0", count: Int(scale) - digits.utf8.count + 1) + digits
        }
        let point = digits.index(digits.endIndex, offsetBy: -Int(scale))
        return sign + digits[..<point] + "." + digits[point...]
    }
}
