/// A JSON number kept as the text it had, because binary floating point would change it.
///
/// Prices such as `19.90` reach a NUMERIC column as they were written. Where Connect's class matters the number counts as
/// what JsonConverter makes of it: a `Double` when it has a fraction or an exponent, else a `Long` of its low 64 bits.
public struct JSONNumber: Sendable, Hashable {
    /// The number as it stood in the document: valid JSON.
    public let text: String

    /// Keeps a number's text, which must be a valid JSON number.
    public init(text: String) { self.text = text }

    /// Whether the text has neither point nor exponent.
    public var isIntegral: Bool { !text.utf8.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") } }

    /// The exact number.
    public var decimal: Decimal? { Decimal(text) }

    /// The nearest double; infinite when too large; minus zero is zero, as in Connect.
    public var doubleValue: Double { (Double(text) ?? .nan) + 0 }

    /// What Connect's JsonConverter makes of it: `int64`, wrapped around, or `float64`.
    public var asConnect: Value {
        if isIntegral, let integer = BigInteger(text) { return .int64(integer.wrapped) }
        return .float64(doubleValue)
    }
}
