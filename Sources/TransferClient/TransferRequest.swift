/// A name and a value in a request or an answer.
public struct TransferHeader: Sendable, Hashable {
    /// The name; case does not matter.
    public var name: String
    /// The value.
    public var value: String

    /// Makes a header.
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}

/// One HTTP request.
public struct TransferRequest: Sendable {
    /// The HTTP method: `GET`, `POST`, `PUT` and so on.
    public var method: String
    /// The whole address: `http` or `https`, host, path and query, escaped.
    public var url: String
    /// Headers beyond those that the session adds.
    public var headers: [TransferHeader]
    /// What is sent; nil for nothing.
    public var body: [UInt8]?
    /// A limit for the whole of it, connecting and answer included; nil for none beyond the session's own limits.
    public var timeout: Duration?

    /// Makes a request.
    public init(
        _ method: String = "GET",
        _ url: String,
        headers: [TransferHeader] = [],
        body: [UInt8]? = nil,
        timeout: Duration? = nil
    ) {
        (self.method, self.url, self.headers, self.body, self.timeout) = (method, url, headers, body, timeout)
    }
}

/// An answer, whatever its status.
public struct TransferResponse: Sendable {
    /// The HTTP status, such as 200 or 429.
    public let status: Int
    /// Its headers in order.
    public let headers: [TransferHeader]
    /// Its content, with any transfer compression undone; empty when the request had a receiver of its own.
    public let body: [UInt8]
    /// How long to wait before the next request, by the answer's `Retry-After`, as seconds or as a date.
    public let retryAfter: Duration?

    /// The first header of that name, in any case.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }
    /// Whether the status is 200 to 299.
    public var isSuccess: Bool { 200...299 ~= status }
    /// The content as text.
    public var text: String { String(decoding: body, as: UTF8.self) }
}
