import ConnectModel

/// Computes the value of a checked expression; null goes through operators and functions as unknown does in SQL.
enum Evaluator {
    typealias Lookup = (FieldReference) throws(LookupError) -> Operand

    static func value(of node: Node, _ lookup: Lookup) throws(Fault) -> Operand {
        switch node {
        case .literal(let operand): return operand
        case .field(let reference, let place):
            do throws(LookupError) { return try lookup(reference) } catch {
                throw Fault(place, "field \(reference) \(error.reason)")
            }
        case .not(let inner, let place):
            return try truth(of: inner, lookup, "not", place).map { .boolean(!$0) } ?? .null
        case .negative(let inner, let place):
            switch try value(of: inner, lookup) {
            case .null: return .null
            case .number(let number): return .number(Decimal(unscaled: -number.unscaled, scale: number.scale))
            case let other: throw Fault(place, "- needs a number, got \(other.kindName)")
            }
        case .binary(let operation, let left, let right, let place):
            return try binary(operation, left, right, lookup, place)
        case .isNull(let inner, let isNot): return .boolean((try value(of: inner, lookup) == .null) != isNot)
        case .isIn(let inner, let list, let isNot, let place):
            return try isIn(try value(of: inner, lookup), list, lookup, place).map { .boolean($0 != isNot) } ?? .null
        case .condition(let test, let then, let other, let place):
            // As in SQL's CASE, unknown is not true.
            let isTrue = try truth(of: test, lookup, "a condition", place) == true
            return try value(of: isTrue ? then : other, lookup)
        case .call(let function, let arguments, let place): return try call(function, arguments, lookup, place)
        }
    }

    /// A truth value; nil for null.
    private static func truth(
        of node: Node,
        _ lookup: Lookup,
        _ what: String,
        _ place: Int
    ) throws(Fault) -> Bool? {
        switch try value(of: node, lookup) {
        case .null: nil
        case .boolean(let flag): flag
        case let other: throw Fault(place, "\(what) needs a boolean, got \(other.kindName)")
        }
    }

    private static func binary(
        _ operation: Operator,
        _ left: Node,
        _ right: Node,
        _ lookup: Lookup,
        _ place: Int
    ) throws(Fault) -> Operand {
        if operation == .and || operation == .or {
            // What decides alone: false for and, true for or.
            let decisive = operation == .or
            let first = try truth(of: left, lookup, operation.rawValue, place)
            if first == decisive { return .boolean(decisive) }
            let second = try truth(of: right, lookup, operation.rawValue, place)
            if second == decisive { return .boolean(decisive) }
            return first == nil || second == nil ? .null : .boolean(!decisive)
        }
        let a = try value(of: left, lookup), b = try value(of: right, lookup)
        if operation.isComparison { return try compare(operation, a, b, place).map(Operand.boolean) ?? .null }
        switch (a, b) {
        case (.number(let a), .number(let b)): return .number(try Arithmetic.compute(operation, a, b, place))
        case (.null, .number), (.number, .null), (.null, .null): return .null
        default:
            throw Fault(place, "\(operation.rawValue) needs two numbers, got \(a.kindName) and \(b.kindName)")
        }
    }

    /// Whether the comparison holds; nil when a side is null.
    static func compare(_ operation: Operator, _ a: Operand, _ b: Operand, _ place: Int) throws(Fault) -> Bool? {
        let order: Int
        switch (a, b) {
        case (.null, _), (_, .null): return nil
        case (.number(let a), .number(let b)): order = try Arithmetic.order(a, b, place)
        case (.text(let a), .text(let b)):
            order =
                a.utf8.elementsEqual(b.utf8) ? 0 : a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars) ? -1 : 1
        case (.boolean(let a), .boolean(let b)) where operation == .equal || operation == .notEqual:
            order = a == b ? 0 : 1
        case (.boolean, .boolean):
            throw Fault(place, "\(operation.rawValue) compares two numbers or two texts, got booleans")
        default: throw Checker.mismatch(operation, a.kindName, b.kindName, place)
        }
        return switch operation {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        default: order >= 0
        }
    }

    /// Nil when the value is null, or when it is none of the others and one of them is null.
    private static func isIn(
        _ wanted: Operand,
        _ list: [Node],
        _ lookup: Lookup,
        _ place: Int
    ) throws(Fault) -> Bool? {
        var isUnknown = wanted == .null && !list.isEmpty
        for element in list {
            switch try compare(.equal, wanted, try value(of: element, lookup), place) {
            case true?: return true
            case false?: continue
            case nil: isUnknown = true
            }
        }
        return isUnknown ? nil : false
    }

    static func wrong(_ function: Function, _ index: Int, _ wanted: Operand.Kind, _ found: String) -> String {
        let which = function.counts.upperBound > 1 ? "argument \(index + 1) of " : ""
        return "\(which)\(function.rawValue) needs a \(wanted.rawValue), got \(found)"
    }

    private static func call(
        _ function: Function,
        _ nodes: [Node],
        _ lookup: Lookup,
        _ place: Int
    ) throws(Fault) -> Operand {
        if function == .coalesce {
            for node in nodes {
                let found = try value(of: node, lookup)
                if found != .null { return found }
            }
            return .null
        }
        var arguments: [Operand] = []
        for (index, node) in nodes.enumerated() {
            let found = try value(of: node, lookup)
            if let wanted = function.wants(index), found != .null, found.kind != wanted {
                throw Fault(place, wrong(function, index, wanted, found.kindName))
            }
            arguments.append(found)
        }
        return try Calls.value(of: function, arguments, place)
    }
}
