internal import ConnectModel

/// Conversions between numbers, booleans and text as Java's do them.
enum CastNumber {
    static func cast(_ value: Value, _ target: SchemaType) throws(ConnectError) -> Value {
        if case .string(let text) = value { return try parse(text, target) }
        if case .boolean(let flag) = value { return number(flag ? 1 : 0, target) }
        if case .number(let number) = value { return try cast(number.asConnect, target) }
        switch target {
        case .float32:
            if case .float32 = value { return value }
            if let float = float(value) { return .float32(float) }
        case .float64:
            if case .float64 = value { return value }
            if let double = double(value) { return .float64(double) }
        case .int64, .boolean:
            if let long = long(value) { return number(long, target) }
        default:
            if let int = int(value) { return number(Int64(int), target) }
        }
        throw .data("Unexpected type in Cast transformation: class \(value.javaClass)")
    }

    private static func number(_ number: Int64, _ target: SchemaType) -> Value {
        switch target {
        case .int8: .int8(Int8(truncatingIfNeeded: number))
        case .int16: .int16(Int16(truncatingIfNeeded: number))
        case .int32: .int32(Int32(truncatingIfNeeded: number))
        case .float32: .float32(Float(number))
        case .float64: .float64(Double(number))
        case .boolean: .boolean(number != 0)
        default: .int64(number)
        }
    }

    /// Java's `longValue`: toward zero, stuck at the ends; decimals are cut to their low bits.
    private static func long(_ value: Value) -> Int64? {
        switch value {
        case .int8(let number): Int64(number)
        case .int16(let number): Int64(number)
        case .int32(let number): Int64(number)
        case .int64(let number): number
        case .float32(let number): stuck(Double(number))
        case .float64(let number): stuck(number)
        case .decimal(let number): wholePart(number)
        case .bigInteger(let number): number.wrapped
        default: nil
        }
    }

    /// Java's `intValue`: a float stops at the ends of 32 bits, a whole number is cut to them.
    private static func int(_ value: Value) -> Int32? {
        switch value {
        case .float32(let number): stuck(Double(number))
        case .float64(let number): stuck(number)
        default: long(value).map { Int32(truncatingIfNeeded: $0) }
        }
    }

    private static func wholePart(_ number: Decimal) -> Int64 {
        // Beyond these exponents all of the low 64 bits are zero.
        if number.scale < -64 || Int(number.scale) > number.precision { return 0 }
        return number.integerPart.wrapped
    }

    private static func stuck<I: FixedWidthInteger>(_ number: Double) -> I {
        if number.isNaN { return 0 }
        return I(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max)
    }

    private static func double(_ value: Value) -> Double? {
        switch value {
        case .float32(let number): Double(number)
        case .float64(let number): number
        case .decimal(let number): number.doubleValue
        case .bigInteger(let number): number.doubleValue
        default: long(value).map(Double.init)
        }
    }

    private static func float(_ value: Value) -> Float? {
        switch value {
        case .float64(let number): Float(number)
        case .decimal(let number): Float("\(number.unscaled)e\(-Int64(number.scale))")
        case .bigInteger(let number): Float(number.description)
        default: long(value).map { Float($0) }
        }
    }

    private static func parse(_ text: String, _ target: SchemaType) throws(ConnectError) -> Value {
        let digits = JavaNumber.withPlainDigits(text)
        let value: Value? =
            switch target {
            case .int8: Int8(digits).map { .int8($0) }
            case .int16: Int16(digits).map { .int16($0) }
            case .int32: Int32(digits).map { .int32($0) }
            case .int64: Int64(digits).map { .int64($0) }
            case .float32: floating(text).flatMap { Float($0) }.map { .float32($0) }
            case .float64: floating(text).flatMap { Double($0) }.map { .float64($0) }
            default: .boolean(text.lowercased() == "true")
            }
        guard let value else { throw .data("Value (\(text)) was out of range for requested data type") }
        return value
    }

    /// What Java's `parseDouble` takes, in Swift's spelling; nil when it does not.
    ///
    /// Blanks around it, a `d` or `f` behind it, `NaN` and `Infinity` spelled so, a hexadecimal only with its exponent.
    private static func floating(_ text: String) -> String? {
        var bytes = Array(text.utf8)[...]
        while let first = bytes.first, first <= 0x20 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last <= 0x20 { bytes = bytes.dropLast() }
        let sign = bytes.first == UInt8(ascii: "-") ? "-" : ""
        if bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
        var body = String(decoding: bytes, as: UTF8.self)
        if body == "NaN" { return "nan" }
        if body == "Infinity" { return sign + "inf" }
        let isHexadecimal = body.hasPrefix("0x") || body.hasPrefix("0X")
        if isHexadecimal, !body.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "p") }) { return nil }
        if let last = body.utf8.last, [UInt8(ascii: "d"), UInt8(ascii: "f")].contains(last | 0x20) {
            body.removeLast()
        }
        guard let first = body.utf8.first, (0x30...0x39).contains(first) || first == UInt8(ascii: ".") else {
            return nil
        }
        if first == UInt8(ascii: ".") { body = "0" + body }
        guard body != "0." || first != UInt8(ascii: ".") else { return nil }
        return sign + body
    }
}
