import ConnectConfig

/// One SQL statement with named parameters, `:field`, turned into `$1`, `$2`, ….
struct NamedStatement: Sendable, Hashable {
    /// For the server.
    let sql: String
    /// The fields of `$1`, `$2`, … in order, each once.
    let names: [String]

    /// Splits a text at its semicolons; comments, quotes, dollar quotes and casts (`::type`) are left as they are.
    static func parse(_ text: String) throws(ConfigIssue.Reason) -> [NamedStatement] {
        var scanner = Scanner(text)
        try scanner.run()
        return scanner.statements
    }

    private struct Scanner {
        private let text: [UInt8]
        private var at = 0
        private var sql: [UInt8] = []
        private var names: [String] = []
        var statements: [NamedStatement] = []

        init(_ text: String) { self.text = Array(text.utf8) }

        mutating func run() throws(ConfigIssue.Reason) {
            while at < text.count {
                switch text[at] {
                case UInt8(ascii: "'"), UInt8(ascii: "\""): try quoted(text[at])
                case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"): copy(until: { $0 == 0x0a })
                case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): try blockComment()
                case UInt8(ascii: "$"): try dollarQuoted()
                case UInt8(ascii: ":"): try parameter()
                case UInt8(ascii: ";"):
                    endStatement()
                    at += 1
                default: take(1)
                }
            }
            endStatement()
        }

        private func peek(_ ahead: Int) -> UInt8? { at + ahead < text.count ? text[at + ahead] : nil }
        private mutating func take(_ count: Int) {
            sql += text[at..<(at + count)]
            at += count
        }
        private mutating func copy(until isEnd: (UInt8) -> Bool) {
            while at < text.count, !isEnd(text[at]) { take(1) }
        }
        private mutating func quoted(_ quote: UInt8) throws(ConfigIssue.Reason) {
            // E'…' also escapes with a backslash.
            let last = sql.last.map { $0 | 0x20 }
            let hasBackslashes = quote == UInt8(ascii: "'") && last == UInt8(ascii: "e")
            take(1)
            while at < text.count {
                if text[at] == backslash, hasBackslashes, at + 1 < text.count {
                    take(2)
                } else if text[at] == quote {
                    return take(1)
                } else {
                    take(1)
                }
            }
            throw ConfigIssue.Reason("A quote is not closed")
        }
        private mutating func blockComment() throws(ConfigIssue.Reason) {
            var depth = 0
            repeat {
                guard at + 1 < text.count else { throw ConfigIssue.Reason("A comment is not closed") }
                if text[at] == UInt8(ascii: "/"), text[at + 1] == UInt8(ascii: "*") {
                    depth += 1
                    take(2)
                } else if text[at] == UInt8(ascii: "*"), text[at + 1] == UInt8(ascii: "/") {
                    depth -= 1
                    take(2)
                } else {
                    take(1)
                }
            } while depth > 0
        }
        private mutating func dollarQuoted() throws(ConfigIssue.Reason) {
            var end = at + 1
            while end < text.count, isWord(text[end]) { end += 1 }
            guard end < text.count, text[end] == UInt8(ascii: "$") else { return take(1) }
            let mark = Array(text[at...end])
            take(mark.count)
            while at < text.count {
                if text[at...].starts(with: mark) { return take(mark.count) }
                take(1)
            }
            throw ConfigIssue.Reason("A dollar quote is not closed")
        }
        private mutating func parameter() throws(ConfigIssue.Reason) {
            if peek(1) == UInt8(ascii: ":") || peek(1) == UInt8(ascii: "=") { return take(2) }
            var name: [UInt8] = []
            var end = at + 1
            if peek(1) == UInt8(ascii: "\"") {
                end = at + 2
                while end < text.count, text[end] != UInt8(ascii: "\"") { end += 1 }
                guard end < text.count else { throw ConfigIssue.Reason("A quoted parameter is not closed") }
                name = Array(text[(at + 2)..<end])
                end += 1
            } else {
                while end < text.count, isWord(text[end]) { end += 1 }
                name = Array(text[(at + 1)..<end])
            }
            guard let first = name.first, first < 0x30 || first > 0x39 else { return take(1) }  // an array slice: [1:2]
            at = end
            let field = String(decoding: name, as: UTF8.self)
            let place = names.firstIndex(of: field) ?? names.count
            if place == names.count { names.append(field) }
            sql += Array("$\(place + 1)".utf8)
        }
        private mutating func endStatement() {
            let statement = String(decoding: sql, as: UTF8.self)
            if statement.contains(where: { !$0.isWhitespace }) {
                statements.append(NamedStatement(sql: statement.trimmed, names: names))
            }
            sql = []
            names = []
        }
        private func isWord(_ byte: UInt8) -> Bool {
            byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || byte >= 0x30 && byte <= 0x39 || byte == 0x5f || byte >= 0x80
        }
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
