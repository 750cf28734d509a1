/// A condition or a computed value over fields, in a small total language.
///
/// It has fields, literals, exact decimal arithmetic, comparison, boolean operators and functions. There are no loops, work
/// is bounded, and every fault is either found when the text is read or is an ``ExpressionError`` with its position.
///
/// ```swift
/// let deal = try Expression("current_price <= target_price * 1.01")
/// let isDeal = try deal.evaluate { field in record[field] }         // .boolean(true)
/// ```
public struct Expression: Sendable, CustomStringConvertible {
    /// The longest text, in bytes.
    public static let lengthMax = 8_192

    /// The text as it was given.
    public let text: String
    /// What the value can be, as far as the text tells; nil when that depends on the fields.
    public let kind: Operand.Kind?
    /// The fields that it reads, each once, in order of appearance.
    public let fields: [FieldReference]
    private let root: Node

    /// Reads and checks a text; throws what is wrong with it and where.
    ///
    /// `roots` are the words that may follow `$`.
    public init(_ text: String, roots: Set<String> = []) throws(ExpressionError) {
        guard text.utf8.count <= Self.lengthMax else {
            throw ExpressionError(in: text, at: 1, "is longer than \(Self.lengthMax) bytes")
        }
        do throws(Fault) {
            var parser = Parser(try Lexer.tokens(of: text), roots: roots)
            root = try parser.expression()
            kind = try Checker.kind(of: root)
            fields = parser.fields
        } catch { throw ExpressionError(in: text, at: error.position, error.reason) }
        self.text = text
    }

    /// The value over the fields that `lookup` knows; a field that does not exist is null there, or an error by throwing.
    ///
    /// Throws type mismatches, divisions by zero and numbers or texts beyond ``Limits``; no error shows a field's value.
    public func evaluate(
        _ lookup: (FieldReference) throws(LookupError) -> Operand
    ) throws(ExpressionError) -> Operand {
        do throws(Fault) { return try Evaluator.value(of: root, lookup) } catch {
            throw ExpressionError(in: text, at: error.position, error.reason)
        }
    }

    /// The text.
    public var description: String { text }
}

/// What bounds the work of an expression, beside its length.
public enum Limits {
    /// How deep parentheses and calls may be nested.
    public static let depth = 64
    /// How many operators and calls there may be.
    public static let operators = 500
    /// Digits of a number, before or after the point.
    public static let digits = 1_000
    /// Bytes of a text that a function makes.
    public static let textBytes = 1 << 20
}

/// What is wrong with an expression or with the values it met, and where in its text.
public struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The expression.
    public let expression: String
    /// The place in it, in characters from 1.
    public let position: Int
    /// Why; names kinds of values, never values.
    public let reason: String

    init(in expression: String, at position: Int, _ reason: String) {
        (self.expression, self.position, self.reason) = (expression, position, reason)
    }

    /// `expression "a < 'x'", position 3: < compares two numbers or two texts, got number and text`.
    public var description: String {
        let shown = expression.count > 120 ? expression.prefix(117) + "..." : Substring(expression)
        return "expression \"\(shown)\", position \(position): \(reason)"
    }
}

/// Why a field has no value, said by whoever looks fields up.
public struct LookupError: Error, Sendable, Hashable {
    /// The reason, without the field's name and without values.
    public let reason: String

    /// Makes the error.
    public init(_ reason: String) { self.reason = reason }
}

/// A field as an expression names it: `a.b[0]`, `` `odd name`.x ``, or something beside the fields: `$key.id`, `$topic`.
public struct FieldReference: Sendable, Hashable, CustomStringConvertible {
    /// One step of the way.
    public enum Step: Sendable, Hashable {
        /// A field or a map's entry.
        case name(String)
        /// A list's element, from 0.
        case index(Int)
    }
    /// The word after `$` when it starts with one: `key`, `topic`.
    public let root: String?
    /// The steps from there.
    public let steps: [Step]

    /// As an expression would write it.
    public var description: String {
        var text = root.map { "$\($0)" } ?? ""
        for step in steps {
            switch step {
            case .name(let name): text += (text.isEmpty ? "" : ".") + Self.quoted(name)
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }
    private static func quoted(_ name: String) -> String {
        let isPlain =
            name.unicodeScalars.first.map(Lexer.startsWord) == true && name.unicodeScalars.allSatisfy(Lexer.isWord)
        return isPlain && !Lexer.words.contains(name.lowercased()) ? name : "`\(name)`"
    }
}

/// A fault at a place, before the expression's text is known.
struct Fault: Error {
    let position: Int
    let reason: String

    init(_ position: Int, _ reason: String) { (self.position, self.reason) = (position, reason) }
}
