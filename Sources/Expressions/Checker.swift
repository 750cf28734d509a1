import ConnectModel

/// Finds what can be seen to be wrong before any record: operators over literals and results of the wrong kind.
enum Checker {
    /// The kind of a part's value; nil when it depends on fields, or when it is always null.
    static func kind(of node: Node) throws(Fault) -> Operand.Kind? {
        switch node {
        case .literal(let operand): return operand.kind
        case .field: return nil
        case .not(let inner, let place):
            try want(.boolean, inner, "not", place)
            return .boolean
        case .negative(let inner, let place):
            try want(.number, inner, "-", place)
            return .number
        case .isNull(let inner, _):
            _ = try kind(of: inner)
            return .boolean
        case .isIn(let inner, let list, _, let place):
            let wanted = try kind(of: inner)
            for element in list {
                if let wanted, let found = try kind(of: element), found != wanted {
                    throw Fault(place, "in compares values of one kind, got \(wanted.rawValue) and \(found.rawValue)")
                }
            }
            return .boolean
        case .condition(let test, let then, let other, let place):
            try want(.boolean, test, "a condition", place)
            let kinds = (try kind(of: then), try kind(of: other))
            if case .literal(.null) = then { return kinds.1 }
            if case .literal(.null) = other { return kinds.0 }
            return kinds.0 == kinds.1 ? kinds.0 : nil
        case .binary(let operation, let left, let right, let place): return try kind(operation, left, right, place)
        case .call(let function, let arguments, let place): return try kind(function, arguments, place)
        }
    }

    private static func kind(
        _ operation: Operator,
        _ left: Node,
        _ right: Node,
        _ place: Int
    ) throws(Fault) -> Operand.Kind? {
        if operation.isComparison {
            let kinds = (try kind(of: left), try kind(of: right))
            if let a = kinds.0, let b = kinds.1, a != b { throw mismatch(operation, a.rawValue, b.rawValue, place) }
            if operation != .equal, operation != .notEqual, kinds.0 == .boolean || kinds.1 == .boolean {
                throw Fault(place, "\(operation.rawValue) compares two numbers or two texts, got boolean")
            }
            return .boolean
        }
        let wanted: Operand.Kind = operation.isArithmetic ? .number : .boolean
        try want(wanted, left, operation.rawValue, place)
        try want(wanted, right, operation.rawValue, place)
        if operation == .divided || operation == .remainder, case .literal(.number(let number)) = right,
            number.unscaled.isZero
        {
            throw Fault(place, "divides by zero")
        }
        return wanted
    }
    static func mismatch(_ operation: Operator, _ a: String, _ b: String, _ place: Int) -> Fault {
        Fault(place, "\(operation.rawValue) compares values of one kind, got \(a) and \(b)")
    }

    private static func kind(_ function: Function, _ arguments: [Node], _ place: Int) throws(Fault) -> Operand.Kind? {
        var kinds: [Operand.Kind?] = []
        for (index, argument) in arguments.enumerated() {
            let found = try kind(of: argument)
            kinds.append(found)
            guard let wanted = function.wants(index), let found, found != wanted else { continue }
            throw Fault(place, Evaluator.wrong(function, index, wanted, found.rawValue))
        }
        if let gives = function.gives { return gives }
        if function == .nullif { return kinds[0] }
        return kinds.allSatisfy { $0 == kinds[0] } ? kinds[0] : nil
    }

    private static func want(_ wanted: Operand.Kind, _ node: Node, _ what: String, _ place: Int) throws(Fault) {
        guard let found = try kind(of: node), found != wanted else { return }
        throw Fault(place, "\(what) needs a \(wanted.rawValue), got \(found.rawValue)")
    }
}

extension Operand {
    /// The kind that operators ask for; nil for null and for what has none.
    var kind: Kind? {
        switch self {
        case .null, .other: nil
        case .boolean: .boolean
        case .number: .number
        case .text: .text
        }
    }
}
