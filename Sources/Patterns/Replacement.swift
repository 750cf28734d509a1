/// What takes a match's place, in Java's language: `$1` and `${name}` are groups, `\` takes the next character as it is.
public struct Replacement: Sendable, Hashable, CustomStringConvertible {
    private enum Part: Sendable, Hashable {
        case text([UInt8])
        case group(Int)
    }
    /// As it was given.
    public let description: String
    private let parts: [Part]

    /// Reads a replacement for one pattern; throws ``PatternError`` in Java's words when it names a group that is not
    /// there.
    public init(_ source: String, for pattern: Pattern) throws(PatternError) {
        func invalid(_ reason: String) -> PatternError {
            PatternError(code: .replacement, description: "replacement \"\(source)\" for \"\(pattern)\": \(reason)")
        }
        var parts: [Part] = []
        var text = ""
        var rest = source[...]
        while let character = rest.popFirst() {
            guard character == "$" else {
                if character != "\\" {
                    text.append(character)
                } else if let next = rest.popFirst() {
                    text.append(next)
                } else {
                    throw invalid("character to be escaped is missing")
                }
                continue
            }
            parts.append(.text(Array(text.utf8)))
            text = ""
            if rest.first == "{" {
                let name = rest.dropFirst().prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }
                guard !name.isEmpty else { throw invalid("named capturing group has 0 length name") }
                rest = rest.dropFirst(name.count + 1)
                guard rest.popFirst() == "}" else { throw invalid("named capturing group is missing trailing '}'") }
                guard let group = pattern.groupNames[String(name)] else {
                    throw invalid("No group with name {\(name)}")
                }
                parts.append(.group(group))
                continue
            }
            guard let first = rest.popFirst() else {
                throw invalid("Illegal group reference: group index is missing")
            }
            guard first.isASCII, var group = first.wholeNumberValue else { throw invalid("Illegal group reference") }
            guard group <= pattern.groupCount else { throw invalid("No group \(group)") }
            // As many digits as still name a group: $12 is group 1 and a "2" when there are fewer than twelve.
            while let next = rest.first, next.isASCII, let digit = next.wholeNumberValue,
                group * 10 + digit <= pattern.groupCount
            {
                group = group * 10 + digit
                rest = rest.dropFirst()
            }
            parts.append(.group(group))
        }
        parts.append(.text(Array(text.utf8)))
        (description, self.parts) = (source, parts.filter { $0 != .text([]) })
    }

    /// `offsets` are those of a match in `bytes`; a group that took no part adds nothing.
    func append(to result: inout [UInt8], _ bytes: [UInt8], _ offsets: [Int]) {
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .group(let group):
                guard group * 2 + 1 < offsets.count, offsets[group * 2] >= 0 else { continue }
                result += bytes[offsets[group * 2]..<offsets[group * 2 + 1]]
            }
        }
    }
}
