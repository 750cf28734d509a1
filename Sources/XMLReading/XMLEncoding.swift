/// The encodings that are read.
public enum XMLEncoding: String, Sendable, Hashable, CaseIterable {
    /// UTF-8, checked strictly.
    case utf8 = "UTF-8"
    /// UTF-16, low byte first.
    case utf16LE = "UTF-16LE"
    /// UTF-16, high byte first.
    case utf16BE = "UTF-16BE"
    /// The Hebrew code page, also for documents that declare ISO-8859-8.
    case windows1255 = "windows-1255"
}

/// What the first bytes of a document say about its encoding.
struct EncodingGuess {
    /// Where the knowledge comes from.
    enum Origin { case mark, declaration, none }

    var encoding: XMLEncoding
    var origin: Origin
    /// How many bytes of byte order mark to skip.
    var markLength = 0

    /// Whether more bytes are needed before ``init(_:)`` can tell.
    static func needsMore(_ head: [UInt8]) -> Bool {
        guard head.count >= 4 else { return true }
        guard head.starts(with: Array("<?xm".utf8)) else { return false }
        return head.count < 1_024 && !head.contains(UInt8(ascii: ">"))
    }

    /// Whether the document is a web page: those are often not well-formed, so it is worth telling early.
    static func isHTML(_ head: [UInt8]) -> Bool {
        let start = head.drop { $0 <= 0x20 || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }.prefix(16)
        let text = String(decoding: start, as: UTF8.self).lowercased()
        return text.hasPrefix("<!doctype html") || text.hasPrefix("<html")
    }

    /// Reads byte order mark and declaration.
    ///
    /// Throws `.unsupportedEncoding` for a declared encoding not known here.
    init(_ head: [UInt8]) throws(XMLReadingError) {
        (encoding, origin) = (.utf8, .mark)
        if head.starts(with: [0xEF, 0xBB, 0xBF]) {
            markLength = 3
        } else if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
            throw XMLReadingError(.unsupportedEncoding, "the document is UTF-32, which is not read here", line: 1)
        } else if head.starts(with: [0xFF, 0xFE]) {
            (encoding, markLength) = (.utf16LE, 2)
        } else if head.starts(with: [0xFE, 0xFF]) {
            (encoding, markLength) = (.utf16BE, 2)
        } else if head.count >= 2, head[0] == UInt8(ascii: "<"), head[1] == 0 {
            encoding = .utf16LE
        } else if head.count >= 2, head[0] == 0, head[1] == UInt8(ascii: "<") {
            encoding = .utf16BE
        } else if let name = Self.declaredName(head) {
            origin = .declaration
            encoding = try Self.encoding(named: name)
        } else {
            origin = .none
        }
    }

    private static func encoding(named name: String) throws(XMLReadingError) -> XMLEncoding {
        switch name.lowercased() {
        // A declaration of UTF-16 in bytes that are not is a known slip of .NET writers: the bytes are UTF-8.
        case "utf-8", "utf8", "us-ascii", "ascii", "utf-16": return .utf8
        case "iso-8859-8", "iso-8859-8-i", "iso-8859-8-e", "iso8859-8", "iso_8859-8", "hebrew", "windows-1255",
            "cp1255", "cp-1255", "x-cp1255", "ms-hebr":
            return .windows1255
        default:
            throw XMLReadingError(
                .unsupportedEncoding,
                "the document declares encoding \"\(name)\"; UTF-8, UTF-16, ISO-8859-8 and windows-1255 are read",
                line: 1
            )
        }
    }

    /// The value of `encoding` in the XML declaration, if there is one.
    private static func declaredName(_ head: [UInt8]) -> String? {
        guard head.starts(with: Array("<?xml".utf8)), let end = head.firstIndex(of: UInt8(ascii: ">")) else {
            return nil
        }
        let text = head[..<end]
        let word = Array("encoding".utf8)
        guard let start = text.indices.first(where: { text[$0...].starts(with: word) }) else { return nil }
        let rest = text[(start + word.count)...].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "=") }
        guard let quote = rest.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
        return String(decoding: rest.dropFirst().prefix { $0 != quote }, as: UTF8.self)
    }
}
