public import ConnectModel

/// A value as expressions know it.
public enum Operand: Sendable, Hashable {
    /// No value: a field that is missing or null, or what an operator makes of null.
    case null
    /// A truth value.
    case boolean(Bool)
    /// A number, exact.
    case number(Decimal)
    /// A text.
    case text(String)
    /// Anything else (a list, an object, bytes), by the name of its kind; it only is, or is not, null.
    case other(String)

    /// The kinds that operators and functions ask for.
    public enum Kind: String, Sendable, Hashable {
        case boolean
        case number
        case text
    }
    /// The kind, in words for messages.
    public var kindName: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .text: "text"
        case .other(let name): name
        }
    }
}
