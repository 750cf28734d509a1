extension Decimal {
    /// Which neighbour a number is rounded to.
    public enum Rounding: Sendable, Hashable {
        /// To the even neighbour.
        case halfToEven
        /// Away from zero, as in commerce.
        case halfUp
        /// Everything to the next lower number.
        case down
        /// Everything to the next higher number.
        case up
    }
    /// With at most so many digits after the point; a negative count rounds before it.
    public func rounded(toScale wanted: Int32, _ rounding: Rounding) -> Decimal {
        guard wanted < scale else { return self }
        let drop = Int(scale - wanted)
        let isNegative = unscaled.isNegative
        let whole = isNegative ? -unscaled : unscaled
        let kept = whole.dividedByPowerOfTen(drop)
        let rest = whole - kept.quotient * .powerOfTen(drop)
        let twice = rest + rest, unit = BigInteger.powerOfTen(drop)
        let isUp =
            switch rounding {
            case .halfUp: !(twice < unit)
            case .halfToEven:
                unit < twice || !(twice < unit) && !kept.quotient.isEven
            case .down: isNegative && !kept.isExact
            case .up: !isNegative && !kept.isExact
            }
        let result = isUp ? kept.quotient + BigInteger(1) : kept.quotient
        return Decimal(unscaled: isNegative ? -result : result, scale: wanted)
    }
    /// Without zeros at the end, but with at least so many digits after the point.
    public func shortened(toScale least: Int32) -> Decimal {
        var result = self
        while result.scale > least {
            let shorter = result.unscaled.dividedByPowerOfTen(1)
            guard shorter.isExact else { break }
            result = Decimal(unscaled: shorter.quotient, scale: result.scale - 1)
        }
        return result
    }
}

extension BigInteger {
    /// Whether it is even.
    fileprivate var isEven: Bool { (description.utf8.last ?? 48) % 2 == 0 }
}
