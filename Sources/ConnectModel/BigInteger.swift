/// A whole number of any size, small ones without storage of their own.
///
/// It has what exact decimals need: addition, subtraction, multiplication, powers of ten, text and two's-complement bytes.
public enum BigInteger: Sendable {
    /// Fits 64 bits; every value that fits is kept this way, so that equality is by case.
    case small(Int64)
    /// Does not fit; limbs from the least significant, without leading zeros.
    case large(isNegative: Bool, limbs: [UInt32])

    /// A number that fits 64 bits.
    public init(_ value: Int64) { self = .small(value) }

    init(isNegative: Bool, magnitude: [UInt32]) {
        var limbs = magnitude
        while limbs.last == 0 { limbs.removeLast() }
        guard limbs.count > 2 else {
            let low = limbs.indices.reversed().reduce(into: UInt64(0)) { $0 = $0 << 32 | UInt64(limbs[$1]) }
            if isNegative, low <= UInt64(1) << 63 {
                self = .small(low == UInt64(1) << 63 ? Int64.min : -Int64(low))
                return
            }
            if !isNegative, low <= UInt64(Int64.max) {
                self = .small(Int64(low))
                return
            }
            self = .large(isNegative: isNegative, limbs: limbs)
            return
        }
        self = .large(isNegative: isNegative, limbs: limbs)
    }

    /// Decimal digits with an optional sign; nil for anything else.
    public init?(_ text: some StringProtocol) {
        if text.utf8.count <= 18, let value = Int64(text) {
            self = .small(value)
            return
        }
        var isNegative = false
        var limbs: [UInt32] = []
        var digits = 0
        var chunk: UInt64 = 0
        var scale: UInt64 = 1
        for (index, byte) in text.utf8.enumerated() {
            if index == 0, byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
                isNegative = byte == UInt8(ascii: "-")
                continue
            }
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            digits += 1
            chunk = chunk * 10 + UInt64(byte - 0x30)
            scale *= 10
            if scale == 1_000_000_000 {
                Magnitude.multiply(&limbs, by: UInt32(scale), adding: UInt32(chunk))
                (chunk, scale) = (0, 1)
            }
        }
        guard digits > 0 else { return nil }
        if scale > 1 { Magnitude.multiply(&limbs, by: UInt32(scale), adding: UInt32(chunk)) }
        self.init(isNegative: isNegative, magnitude: limbs)
    }

    /// The value as 64 bits, or nil when it does not fit.
    public var int64: Int64? {
        if case .small(let value) = self { return value }
        return nil
    }

    /// The low 64 bits, as Java's `longValue()`.
    public var wrapped: Int64 {
        switch self {
        case .small(let value): return value
        case .large(let isNegative, let limbs):
            let low = UInt64(limbs[0]) | (limbs.count > 1 ? UInt64(limbs[1]) << 32 : 0)
            return Int64(bitPattern: isNegative ? ~low &+ 1 : low)
        }
    }

    /// Whether the value is below zero.
    public var isNegative: Bool {
        switch self {
        case .small(let value): value < 0
        case .large(let isNegative, _): isNegative
        }
    }

    /// Whether the value is zero.
    public var isZero: Bool {
        if case .small(0) = self { return true }
        return false
    }

    var magnitude: [UInt32] {
        switch self {
        case .small(let value):
            let bits = value.magnitude
            if bits == 0 { return [] }
            return bits >> 32 == 0 ? [UInt32(bits)] : [UInt32(truncatingIfNeeded: bits), UInt32(bits >> 32)]
        case .large(_, let limbs): return limbs
        }
    }

    /// The nearest double; infinite when too large.
    public var doubleValue: Double {
        if case .small(let value) = self { return Double(value) }
        return Double(description) ?? .nan
    }
}

extension BigInteger: Hashable, Comparable, CustomStringConvertible {
    /// By value.
    public static func < (a: Self, b: Self) -> Bool {
        if case .small(let x) = a, case .small(let y) = b { return x < y }
        if a.isNegative != b.isNegative { return a.isNegative }
        let order = Magnitude.compare(a.magnitude, b.magnitude)
        return a.isNegative ? order > 0 : order < 0
    }

    /// Decimal digits, with a minus sign below zero.
    public var description: String {
        switch self {
        case .small(let value): return "\(value)"
        case .large(let isNegative, var limbs):
            var chunks: [UInt32] = []
            while !limbs.isEmpty { chunks.append(Magnitude.divide(&limbs, by: 1_000_000_000)) }
            var text = isNegative ? "-" : ""
            for (index, chunk) in chunks.reversed().enumerated() {
                let digits = "\(chunk)"
                if index > 0 { text += String(repeating: "0", count: 9 - digits.utf8.count) }
                text += digits
            }
            return text
        }
    }
}

extension BigInteger {
    /// The sum.
    public static func + (a: Self, b: Self) -> Self {
        if case .small(let x) = a, case .small(let y) = b {
            let (sum, overflow) = x.addingReportingOverflow(y)
            if !overflow { return .small(sum) }
        }
        let (x, y) = (a.magnitude, b.magnitude)
        if a.isNegative == b.isNegative {
            return Self(isNegative: a.isNegative, magnitude: Magnitude.add(x, y))
        }
        return Magnitude.compare(x, y) >= 0
            ? Self(isNegative: a.isNegative, magnitude: Magnitude.subtract(x, y))
            : Self(isNegative: b.isNegative, magnitude: Magnitude.subtract(y, x))
    }

    /// The difference.
    public static func - (a: Self, b: Self) -> Self { a + -b }

    /// The number with the other sign.
    public static prefix func - (a: Self) -> Self {
        if case .small(let value) = a, value != .min { return .small(-value) }
        return Self(isNegative: !a.isNegative, magnitude: a.magnitude)
    }

    /// The product.
    public static func * (a: Self, b: Self) -> Self {
        if case .small(let x) = a, case .small(let y) = b {
            let (product, overflow) = x.multipliedReportingOverflow(by: y)
            if !overflow { return .small(product) }
        }
        return Self(
            isNegative: a.isNegative != b.isNegative,
            magnitude: Magnitude.multiply(a.magnitude, b.magnitude)
        )
    }

    /// Ten to the power of `exponent`, which must not be negative.
    public static func powerOfTen(_ exponent: Int) -> Self {
        precondition(exponent >= 0, "negative exponent: \(exponent)")
        var limbs: [UInt32] = [1]
        var left = exponent
        while left >= 9 {
            Magnitude.multiply(&limbs, by: 1_000_000_000, adding: 0)
            left -= 9
        }
        var factor: UInt32 = 1
        for _ in 0..<left { factor *= 10 }
        Magnitude.multiply(&limbs, by: factor, adding: 0)
        return Self(isNegative: false, magnitude: limbs)
    }

    /// Divides by ten to the power of `exponent`, toward zero; the second part says whether the remainder was zero.
    public func dividedByPowerOfTen(_ exponent: Int) -> (quotient: Self, isExact: Bool) {
        var limbs = magnitude
        var isExact = true
        var left = exponent
        while left > 0, !limbs.isEmpty {
            var divisor: UInt32 = 1
            for _ in 0..<min(9, left) { divisor *= 10 }
            if Magnitude.divide(&limbs, by: divisor) != 0 { isExact = false }
            left -= 9
        }
        return (Self(isNegative: isNegative, magnitude: limbs), isExact)
    }

    /// Big-endian two's complement without needless bytes, as Java's `BigInteger.toByteArray`.
    public var twosComplement: [UInt8] {
        var bytes: [UInt8] = []
        var limbs = magnitude
        if isNegative {
            var carry: UInt64 = 1
            for index in limbs.indices {
                carry += UInt64(~limbs[index])
                limbs[index] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
        }
        for limb in limbs.reversed() {
            for shift in stride(from: 24, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: limb >> UInt32(shift)))
            }
        }
        let filler: UInt8 = isNegative ? 0xFF : 0
        bytes.insert(filler, at: 0)
        var first = 0
        while first + 1 < bytes.count, bytes[first] == filler, bytes[first + 1] & 0x80 == filler & 0x80 { first += 1 }
        return Array(bytes[first...])
    }

    /// Reads big-endian two's complement; no bytes are zero.
    public init(twosComplement bytes: some Collection<UInt8>) {
        let isNegative = (bytes.first ?? 0) & 0x80 != 0
        var limbs: [UInt32] = []
        var limb: UInt32 = 0
        var shift: UInt32 = 0
        for byte in bytes.reversed() {
            limb |= UInt32(isNegative ? ~byte : byte) << shift
            shift += 8
            if shift == 32 {
                limbs.append(limb)
                (limb, shift) = (0, 0)
            }
        }
        if shift > 0 { limbs.append(limb) }
        if isNegative { limbs = Magnitude.add(limbs, [1]) }
        self.init(isNegative: isNegative, magnitude: limbs)
    }
}

/// Arithmetic on limbs without sign, least significant first.
enum Magnitude {
    static func compare(_ a: [UInt32], _ b: [UInt32]) -> Int {
        if a.count != b.count { return a.count < b.count ? -1 : 1 }
        for index in a.indices.reversed() where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
        return 0
    }

    static func add(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
        var sum: [UInt32] = []
        sum.reserveCapacity(max(a.count, b.count) + 1)
        var carry: UInt64 = 0
        for index in 0..<max(a.count, b.count) {
            carry += UInt64(index < a.count ? a[index] : 0) + UInt64(index < b.count ? b[index] : 0)
            sum.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        if carry > 0 { sum.append(UInt32(carry)) }
        return sum
    }

    /// `a` must not be smaller than `b`.
    static func subtract(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
        var difference = a
        var borrow: Int64 = 0
        for index in a.indices {
            var digit = Int64(a[index]) - borrow - (index < b.count ? Int64(b[index]) : 0)
            borrow = digit < 0 ? 1 : 0
            if digit < 0 { digit += 1 << 32 }
            difference[index] = UInt32(digit)
        }
        return difference
    }

    static func multiply(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
        var product = [UInt32](repeating: 0, count: a.count + b.count)
        for i in a.indices {
            var carry: UInt64 = 0
            for j in b.indices {
                carry += UInt64(a[i]) * UInt64(b[j]) + UInt64(product[i + j])
                product[i + j] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            product[i + b.count] = UInt32(carry)
        }
        return product
    }

    static func multiply(_ a: inout [UInt32], by factor: UInt32, adding summand: UInt32) {
        var carry = UInt64(summand)
        for index in a.indices {
            carry += UInt64(a[index]) * UInt64(factor)
            a[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { a.append(UInt32(carry)) }
    }

    /// Leaves the quotient in `a`, without leading zeros, and returns the remainder.
    static func divide(_ a: inout [UInt32], by divisor: UInt32) -> UInt32 {
        var remainder: UInt64 = 0
        for index in a.indices.reversed() {
            remainder = remainder << 32 | UInt64(a[index])
            a[index] = UInt32(remainder / UInt64(divisor))
            remainder %= UInt64(divisor)
        }
        while a.last == 0 { a.removeLast() }
        return UInt32(remainder)
    }
}
