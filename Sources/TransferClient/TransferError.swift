/// A request that got no answer.
///
/// An answer with an error status is a ``TransferResponse``, not an error.
public struct TransferError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is; an open set.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// A stable word.
        public let description: String

        /// Nobody listens at the address.
        public static let refused = Code(description: "refused")
        /// The host name is not known.
        public static let unknownHost = Code(description: "unknown host")
        /// A time limit is over: connecting, without a byte moving, or in all.
        public static let timeout = Code(description: "timeout")
        /// The connection broke before the answer was complete.
        public static let connectionLost = Code(description: "connection lost")
        /// TLS could not be agreed on.
        public static let tls = Code(description: "tls")
        /// The server's certificate, or ours, is not accepted.
        public static let certificate = Code(description: "certificate")
        /// The URL cannot be used.
        public static let badURL = Code(description: "bad url")
        /// The answer is larger than ``TransferSettings/responseBytesMax``.
        public static let tooLarge = Code(description: "too large")
        /// The answer leads from one address to the next for too long.
        public static let tooManyRedirects = Code(description: "too many redirects")
        /// The receiver of the body, or ``TransferSession/cancelAll()``, ended it.
        public static let cancelled = Code(description: "cancelled")
        /// Anything else; the reason says what.
        public static let other = Code(description: "other")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened, in libcurl's words, without user name or password.
    public let reason: String
    /// Whether the same request may succeed later without any change of settings.
    public let isRetriable: Bool

    /// Makes an error.
    public init(_ code: Code, _ reason: String, isRetriable: Bool) {
        (self.code, self.reason, self.isRetriable) = (code, reason, isRetriable)
    }
    /// `refused: Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server`.
    public var description: String { "\(code): \(reason)" }
}
