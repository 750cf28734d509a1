import ConnectModel

extension Decimal {
    /// Whether it has no more digits than ``Limits/digits``, before or after the point.
    var isBounded: Bool {
        guard abs(Int(scale)) <= Limits.digits else { return false }
        if unscaled.int64 != nil { return true }
        return precision <= Limits.digits
    }
}

/// Exact decimal arithmetic; only a quotient is rounded, to 34 digits, half to even (IEEE 754 decimal128).
enum Arithmetic {
    private static let quotientDigits = 34

    static func compute(_ operation: Operator, _ a: Decimal, _ b: Decimal, _ place: Int) throws(Fault) -> Decimal {
        guard a.isBounded, b.isBounded else { throw tooLong(place) }
        let result: Decimal
        switch operation {
        case .plus: result = a + b
        case .minus: result = a - b
        case .times: result = a * b
        case .divided:
            guard !b.unscaled.isZero else { throw Fault(place, "divides by zero") }
            result = divide(a, b)
        default:
            guard !b.unscaled.isZero else { throw Fault(place, "divides by zero") }
            result = remainder(a, b)
        }
        guard result.isBounded else { throw tooLong(place) }
        return result
    }
    private static func tooLong(_ place: Int) -> Fault {
        Fault(place, "a number has more than \(Limits.digits) digits")
    }
    /// -1, 0 or 1.
    static func order(_ a: Decimal, _ b: Decimal, _ place: Int) throws(Fault) -> Int {
        guard a.isBounded, b.isBounded else { throw tooLong(place) }
        return a.compare(to: b)
    }

    private static func divide(_ a: Decimal, _ b: Decimal) -> Decimal {
        let shift = max(0, quotientDigits + 2 + b.precision - a.precision)
        let (quotient, rest) = divided(magnitude(a.unscaled) * .powerOfTen(shift), by: magnitude(b.unscaled))
        // What is lost beyond the digits kept must still tell a half from more than a half: a last digit stands for it.
        let sticky = quotient * BigInteger(10) + BigInteger(rest.isZero ? 0 : 1)
        let signed = a.unscaled.isNegative != b.unscaled.isNegative ? -sticky : sticky
        let exact = Decimal(unscaled: signed, scale: a.scale - b.scale + Int32(shift) + 1)
        let rounded = exact.rounded(toScale: exact.scale - Int32(exact.precision - quotientDigits), .halfToEven)
        return rounded.shortened(toScale: max(0, a.scale - b.scale))
    }
    private static func remainder(_ a: Decimal, _ b: Decimal) -> Decimal {
        let scale = max(a.scale, b.scale)
        let x = magnitude(a.unscaled) * .powerOfTen(Int(scale - a.scale))
        let y = magnitude(b.unscaled) * .powerOfTen(Int(scale - b.scale))
        let rest = divided(x, by: y).rest
        return Decimal(unscaled: a.unscaled.isNegative ? -rest : rest, scale: scale)
    }
    private static func magnitude(_ number: BigInteger) -> BigInteger { number.isNegative ? -number : number }

    /// Long division of a number without sign by one above zero, digit by digit.
    private static func divided(_ a: BigInteger, by b: BigInteger) -> (quotient: BigInteger, rest: BigInteger) {
        if let a = a.int64, let b = b.int64 { return (BigInteger(a / b), BigInteger(a % b)) }
        var digits = "", rest = BigInteger(0)
        for digit in a.description.utf8 {
            rest = rest * BigInteger(10) + BigInteger(Int64(digit) - 48)
            var count: UInt8 = 0
            while !(rest < b) {
                rest = rest - b
                count += 1
            }
            digits.unicodeScalars.append(Unicode.Scalar(48 + count))
        }
        return (BigInteger(digits) ?? BigInteger(0), rest)
    }
}
