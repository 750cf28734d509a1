/// A part of an expression with the place of its operator.
indirect enum Node: Sendable {
    case literal(Operand)
    case field(FieldReference, Int)
    case not(Node, Int)
    case negative(Node, Int)
    case binary(Operator, Node, Node, Int)
    /// `a is null`; turned around with `isNot`.
    case isNull(Node, isNot: Bool)
    /// `a in (b, c)`; turned around with `isNot`.
    case isIn(Node, [Node], isNot: Bool, Int)
    case condition(Node, Node, Node, Int)
    case call(Function, [Node], Int)

    /// Where the part begins to say what it does.
    var position: Int? {
        switch self {
        case .literal, .isNull: nil
        case .field(_, let place), .not(_, let place), .negative(_, let place), .binary(_, _, _, let place),
            .isIn(_, _, _, let place), .condition(_, _, _, let place), .call(_, _, let place):
            place
        }
    }
}

/// An operator between two values.
enum Operator: String, Sendable {
    case or, and
    case equal = "=", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    case plus = "+", minus = "-", times = "*", divided = "/", remainder = "%"

    init?(_ symbol: String) {
        switch symbol {
        case "||": self = .or
        case "&&": self = .and
        case "==": self = .equal
        case "<>": self = .notEqual
        default: self.init(rawValue: symbol)
        }
    }
    /// How tightly it binds.
    var power: Int {
        switch self {
        case .or: 20
        case .and: 30
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 50
        case .plus, .minus: 60
        case .times, .divided, .remainder: 70
        }
    }
    var isComparison: Bool { power == 50 }
    var isArithmetic: Bool { power >= 60 }
}
