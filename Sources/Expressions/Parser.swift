import ConnectModel

/// Puts the words of an expression together, the tighter operator first (Pratt's way).
struct Parser {
    private let tokens: [Token]
    private var index = 0
    private var depth = 0
    private var operators = 0
    private(set) var fields: [FieldReference] = []

    private let roots: Set<String>

    init(_ tokens: [Token], roots: Set<String>) { (self.tokens, self.roots) = (tokens, roots) }

    /// The whole; nothing may follow.
    mutating func expression() throws(Fault) -> Node {
        let root = try expression(above: 0)
        guard case .end = current.kind else { throw unexpected("an operator or the end") }
        return root
    }

    private static let conditionPower = 10, notPower = 40, isPower = 50, signPower = 80

    private var current: Token { tokens[index] }
    private mutating func advance() { if index < tokens.count - 1 { index += 1 } }
    private mutating func take(_ symbol: String) -> Bool {
        guard case .symbol(symbol) = current.kind else { return false }
        advance()
        return true
    }
    private mutating func take(word: String) -> Bool {
        guard case .word(word) = current.kind else { return false }
        advance()
        return true
    }
    private mutating func need(_ symbol: String) throws(Fault) {
        guard take(symbol) else { throw unexpected("\"\(symbol)\"") }
    }
    private func unexpected(_ wanted: String) -> Fault {
        let found =
            switch current.kind {
            case .end: "the end"
            case .number: "a number"
            case .text: "a text"
            case .name(let name): "the name \(name)"
            case .root(let name): "$\(name)"
            case .word(let text), .symbol(let text): "\"\(text)\""
            }
        return Fault(current.position, "expected \(wanted), found \(found)")
    }

    private mutating func expression(above power: Int) throws(Fault) -> Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Limits.depth else { throw Fault(current.position, "is nested more than \(Limits.depth) deep") }
        var left = try prefix()
        while let next = try infix(left, above: power) {
            left = next
            try count()
        }
        return left
    }

    /// A row of operators is a loop here and a deep branch of the tree: their number bounds its height.
    private mutating func count() throws(Fault) {
        operators += 1
        guard operators <= Limits.operators else {
            throw Fault(current.position, "has more than \(Limits.operators) operators and calls")
        }
    }

    // What begins an expression

    private mutating func prefix() throws(Fault) -> Node {
        let token = current
        switch token.kind {
        case .number(let number):
            advance()
            return .literal(.number(number))
        case .text(let text):
            advance()
            return .literal(.text(text))
        case .word("true"), .word("false"):
            advance()
            return .literal(.boolean(token.kind == .word("true")))
        case .word("null"):
            advance()
            return .literal(.null)
        case .word("not"), .symbol("!"):
            advance()
            return .not(
                try expression(above: token.kind == .symbol("!") ? Self.signPower : Self.notPower),
                token.position
            )
        case .symbol("-"):
            advance()
            return .negative(try expression(above: Self.signPower), token.position)
        case .symbol("("):
            advance()
            let inner = try expression(above: 0)
            try need(")")
            return inner
        case .root(let root):
            guard roots.contains(root) else {
                let known = roots.sorted().map { "$\($0)" }.joined(separator: ", ")
                throw Fault(token.position, "there is no $\(root)" + (roots.isEmpty ? "" : "; there are \(known)"))
            }
            advance()
            return try field(root: root, steps: [], token.position)
        case .name(let name):
            advance()
            if case .symbol("(") = current.kind { return try call(name, token.position) }
            return try field(root: nil, steps: [.name(name)], token.position)
        case .word, .symbol, .end: throw unexpected("a value")
        }
    }
    private mutating func field(
        root: String?,
        steps first: [FieldReference.Step],
        _ position: Int
    ) throws(Fault) -> Node {
        var steps = first
        while true {
            if take(".") {
                switch current.kind {
                case .name(let name), .word(let name): steps.append(.name(name))
                default: throw unexpected("a field's name")
                }
                advance()
            } else if take("[") {
                guard case .number(let number) = current.kind, number.scale == 0, let index = number.unscaled.int64,
                    index <= Int32.max
                else { throw unexpected("an element's number, from 0") }
                steps.append(.index(Int(index)))
                advance()
                try need("]")
            } else {
                break
            }
        }
        let reference = FieldReference(root: root, steps: steps)
        if !fields.contains(reference) { fields.append(reference) }
        return .field(reference, position)
    }
    private mutating func call(_ name: String, _ position: Int) throws(Fault) -> Node {
        guard let function = Function(rawValue: name.lowercased()) else {
            let known = Function.allCases.map(\.rawValue).sorted().joined(separator: ", ")
            throw Fault(position, "there is no function \(name); there are \(known)")
        }
        try count()
        let arguments = try list()
        guard function.counts.contains(arguments.count) else {
            throw Fault(position, "\(function.rawValue) takes \(function.countText), got \(arguments.count)")
        }
        if function == .if { return .condition(arguments[0], arguments[1], arguments[2], position) }
        return .call(function, arguments, position)
    }
    private mutating func list() throws(Fault) -> [Node] {
        try need("(")
        var elements: [Node] = []
        if take(")") { return elements }
        repeat { elements.append(try expression(above: 0)) } while take(",")
        try need(")")
        return elements
    }

    // What follows one

    private mutating func infix(_ left: Node, above power: Int) throws(Fault) -> Node? {
        let token = current
        switch token.kind {
        case .word("is") where power < Self.isPower:
            advance()
            let isNot = take(word: "not")
            guard take(word: "null") else { throw unexpected("null") }
            return .isNull(left, isNot: isNot)
        case .word("in") where power < Self.isPower, .word("not") where power < Self.isPower:
            advance()
            let isNot = token.kind == .word("not")
            if isNot, !take(word: "in") { throw unexpected("in") }
            return .isIn(left, try list(), isNot: isNot, token.position)
        case .symbol("?") where power < Self.conditionPower:
            advance()
            let then = try expression(above: 0)
            try need(":")
            return .condition(left, then, try expression(above: Self.conditionPower - 1), token.position)
        case .word(let text), .symbol(let text):
            guard let found = Operator(text), found.power > power else { return nil }
            advance()
            let node = Node.binary(found, left, try expression(above: found.power), token.position)
            if found.isComparison, case .symbol(let next) = current.kind, Operator(next)?.isComparison == true {
                throw Fault(current.position, "comparisons cannot be chained; join two with and")
            }
            return node
        default: return nil
        }
    }
}
