/// Numbers as Java prints and reads them.
public enum JavaNumber {
    /// As `Double.toString`: `1.0E10`, `3.0`, `1.0E-4`, `NaN`, `Infinity`.
    public static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        // Java prints at least two digits, which matters for the smallest number only.
        if value.magnitude == .leastNonzeroMagnitude { return value < 0 ? "-4.9E-324" : "4.9E-324" }
        return respell(value.description, isPlain: value == 0 || (value.magnitude >= 1e-3 && value.magnitude < 1e7))
    }

    /// As `Float.toString`.
    public static func text(_ value: Float) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        // Java prints at least two digits, which matters for the smallest number only.
        if value.magnitude == .leastNonzeroMagnitude { return value < 0 ? "-1.4E-45" : "1.4E-45" }
        return respell(value.description, isPlain: value == 0 || (value.magnitude >= 1e-3 && value.magnitude < 1e7))
    }

    /// The text with the decimal digits of all scripts as ASCII, which Java's readers of whole numbers do not tell apart.
    public static func withPlainDigits(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    guard scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue else {
                        return scalar
                    }
                    return Unicode.Scalar(0x30 + UInt8(value))
                }
            )
        )
    }

    /// Turns Swift's shortest text (`1e+16`, `0.0001`) into Java's spelling of the same digits.
    private static func respell(_ text: String, isPlain: Bool) -> String {
        var digits: [UInt8] = []
        var isNegative = false
        var point = 0  // how many digits stand left of the point
        var seenPoint = false
        var exponent = 0
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."): seenPoint = true
            case UInt8(ascii: "e"):
                exponent = Int(text.utf8.dropFirst(index + 1).map { $0 }.withoutPlus) ?? 0
            default:
                digits.append(byte)
                if !seenPoint { point += 1 }
            }
            if byte == UInt8(ascii: "e") { break }
        }
        point += exponent
        let leading = digits.prefix { $0 == 0x30 }.count
        if leading < digits.count {
            digits.removeFirst(leading)
            point -= leading
        }
        while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
        let sign = isNegative ? "-" : ""
        if isPlain {
            if digits == [0x30] { return sign + "0.0" }
            var all = String(decoding: digits, as: UTF8.self)
            if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + all }
            if point >= digits.count { return sign + all + String(repeating: "0", count: point - digits.count) + ".0" }
            all.insert(".", at: all.index(all.startIndex, offsetBy: point))
            return sign + all
        }
        let rest = digits.count > 1 ? String(decoding: digits[1...], as: UTF8.self) : "0"
        return sign + String(decoding: digits[..<1], as: UTF8.self) + "." + rest + "E\(point - 1)"
    }
}

extension [UInt8] {
    /// The ASCII text, without a leading plus.
    fileprivate var withoutPlus: String {
        String(decoding: first == UInt8(ascii: "+") ? dropFirst() : self[...], as: UTF8.self)
    }
}
