import ConnectModel

/// A word of an expression with its place.
struct Token {
    enum Kind: Equatable {
        case number(Decimal)
        case text(String)
        /// A word that is no keyword, or one in backticks.
        case name(String)
        /// `$word`.
        case root(String)
        /// A keyword, in small letters.
        case word(String)
        case symbol(String)
        case end
    }
    let kind: Kind
    /// In characters from 1.
    let position: Int
}

/// Cuts an expression into words.
enum Lexer {
    static let words: Set<String> = ["and", "or", "not", "is", "in", "null", "true", "false"]
    private static let symbols = [
        "<=", ">=", "==", "!=", "<>", "&&", "||", "<", ">", "=", "!", "+", "-", "*", "/", "%", "(", ")", ",", ".", "[",
        "]",
        "?", ":",
    ]

    static func startsWord(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || scalar.properties.isAlphabetic }
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        startsWord(scalar) || scalar.properties.numericType != nil
            || scalar.properties.generalCategory == .nonspacingMark
    }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    static func tokens(of text: String) throws(Fault) -> [Token] {
        var cursor = Cursor(scalars: Array(text.unicodeScalars))
        var tokens: [Token] = []
        while let scalar = cursor.current {
            let position = cursor.index + 1
            if scalar.properties.isWhitespace {
                cursor.index += 1
                continue
            }
            tokens.append(Token(kind: try kind(scalar, &cursor), position: position))
        }
        return tokens + [Token(kind: .end, position: cursor.index + 1)]
    }

    private struct Cursor {
        let scalars: [Unicode.Scalar]
        var index = 0
        var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
        func peek(_ count: Int = 1) -> Unicode.Scalar? {
            index + count < scalars.count ? scalars[index + count] : nil
        }
        mutating func take(while matches: (Unicode.Scalar) -> Bool) -> String {
            let start = index
            while let scalar = current, matches(scalar) { index += 1 }
            return String(String.UnicodeScalarView(scalars[start..<index]))
        }
    }

    private static func kind(_ scalar: Unicode.Scalar, _ cursor: inout Cursor) throws(Fault) -> Token.Kind {
        if isDigit(scalar) || scalar == "." && cursor.peek().map(isDigit) == true { return try number(&cursor) }
        if scalar == "'" || scalar == "\"" { return .text(try quoted(scalar, &cursor)) }
        if scalar == "`" { return .name(try quoted(scalar, &cursor)) }
        if scalar == "$" {
            let position = cursor.index + 1
            cursor.index += 1
            let word = cursor.take(while: isWord)
            guard !word.isEmpty else { throw Fault(position, "a word must follow $") }
            return .root(word)
        }
        if startsWord(scalar) {
            let word = cursor.take(while: isWord)
            return words.contains(word.lowercased()) ? .word(word.lowercased()) : .name(word)
        }
        let pair = [scalar, cursor.peek()].compactMap(\.self)
        for length in [2, 1] where length <= pair.count {
            let candidate = String(String.UnicodeScalarView(pair.prefix(length)))
            if symbols.contains(candidate) {
                cursor.index += length
                return .symbol(candidate)
            }
        }
        throw Fault(cursor.index + 1, "\"\(scalar)\" has no meaning here; texts are in quotes, odd names in backticks")
    }

    private static func number(_ cursor: inout Cursor) throws(Fault) -> Token.Kind {
        let position = cursor.index + 1
        var text = cursor.take(while: isDigit)
        if cursor.current == ".", cursor.peek().map(isDigit) == true {
            cursor.index += 1
            text += "." + cursor.take(while: isDigit)
        }
        if let letter = cursor.current, letter == "e" || letter == "E" {
            let sign = cursor.peek() == "-" || cursor.peek() == "+"
            guard cursor.peek(sign ? 2 : 1).map(isDigit) == true else {
                throw Fault(cursor.index + 1, "a number's exponent needs digits")
            }
            cursor.index += 1
            text += "e"
            if sign, let mark = cursor.current {
                text.unicodeScalars.append(mark)
                cursor.index += 1
            }
            text += cursor.take(while: isDigit)
        }
        if let next = cursor.current, startsWord(next) {
            throw Fault(cursor.index + 1, "a number cannot be followed by a letter; odd names need backticks")
        }
        guard let decimal = Decimal(text.hasPrefix(".") ? "0" + text : text), decimal.isBounded else {
            throw Fault(position, "the number has more than \(Limits.digits) digits")
        }
        return .number(decimal)
    }

    /// Between two marks; the mark itself is written twice.
    private static func quoted(_ mark: Unicode.Scalar, _ cursor: inout Cursor) throws(Fault) -> String {
        let position = cursor.index + 1
        var text = String.UnicodeScalarView()
        cursor.index += 1
        while let scalar = cursor.current {
            cursor.index += 1
            if scalar != mark {
                text.append(scalar)
            } else if cursor.current == mark {
                text.append(mark)
                cursor.index += 1
            } else {
                return String(text)
            }
        }
        throw Fault(position, "\(mark) is opened and never closed")
    }
}
