internal import FoundationEssentials

/// A request that has been read to its end.
public struct Request: Sendable {
    /// GET and so on.
    public var method: Method
    /// The path's segments, each percent-decoded by itself, so that `%2F` does not split; a slash at the end counts for
    /// nothing.
    public var path: [String]
    /// The query's pairs in order, decoded, `+` as a space; a name without `=` has an empty value.
    public var query: [(name: String, value: String)]
    /// Header fields.
    public var headers: Headers
    /// The body, never longer than ``Server/Options/bodyBytesMax``.
    public var body: [UInt8]
    /// The client's address without its port; nil when nobody is connected.
    public var remoteAddress: String?

    /// A request as a test or another handler makes it.
    public init(
        _ method: Method,
        path: [String],
        query: [(name: String, value: String)] = [],
        headers: Headers = [:],
        body: [UInt8] = [],
        remoteAddress: String? = nil
    ) {
        (self.method, self.path, self.query) = (method, path, query)
        (self.headers, self.body, self.remoteAddress) = (headers, body, remoteAddress)
    }

    /// User and password of basic authentication (RFC 7617); nil when there are none or they are not readable.
    public var basicCredentials: (user: String, password: String)? {
        guard let parts = headers["Authorization"]?.split(separator: " ", maxSplits: 1), parts.count == 2,
            parts[0].lowercased() == "basic",
            let data = Data(base64Encoded: String(parts[1].drop { $0 == " " })),
            let text = String(validating: data, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { return nil }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}

/// The segments of a path that still has its escapes; nil when they are not percent-encoded UTF-8.
func segments(of path: String) -> [String]? {
    var parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)[...]
    if parts.first?.isEmpty == true { parts = parts.dropFirst() }
    if parts.last?.isEmpty == true { parts = parts.dropLast() }
    var result: [String] = []
    for part in parts {
        guard let text = percentDecoded(part) else { return nil }
        result.append(text)
    }
    return result
}

/// Nil for an incomplete escape, for bytes that are not UTF-8, and for a NUL, which no name of ours may hold.
func percentDecoded(_ text: some Sequence<UInt8>) -> String? {
    var bytes: [UInt8] = []
    var rest = text.makeIterator()
    while let byte = rest.next() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.next().flatMap(hexDigit), let low = rest.next().flatMap(hexDigit) else { return nil }
        bytes.append(high << 4 | low)
    }
    return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
