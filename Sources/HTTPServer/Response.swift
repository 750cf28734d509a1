/// The answer to a request.
public struct Response: Sendable {
    /// What follows the head.
    public enum Body: Sendable {
        /// All of it.
        case bytes([UInt8])
        /// Pieces as they come; the closure is cancelled when the client goes, and an error that leaves it breaks the
        /// connection off, so that the client sees that something is missing.
        case stream(@Sendable (BodyWriter) async throws -> Void)
    }
    /// 200 and so on.
    public var status: Int
    /// Header fields; the length, the date and the connection's are added.
    public var headers: Headers
    /// What follows the head.
    public var body: Body

    /// A response; without a body an empty one.
    public init(_ status: Int, headers: Headers = [:], body: Body = .bytes([])) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
    /// A text with its type.
    public static func text(_ text: String, type: String = "text/plain; charset=utf-8", status: Int = 200) -> Self {
        Response(status, headers: ["Content-Type": type], body: .bytes(Array(text.utf8)))
    }
}
