internal import FoundationEssentials
public import HTTPServer

/// A request that matched: its parameters by name, and the request itself.
public struct Call: Sendable {
    /// What the client sent.
    public let request: Request
    let parameters: [String: String]

    /// The value of a `:name` of the pattern; asking for one that is not there is a programmer's error.
    public subscript(name: String) -> String {
        guard let value = parameters[name] else { preconditionFailure("the pattern has no :\(name)") }
        return value
    }
    /// The first value of this name in the query.
    public func query(_ name: String) -> String? { request.query.first { $0.name == name }?.value }
    /// All values of this name in the query.
    public func queries(_ name: String) -> [String] { request.query.filter { $0.name == name }.map(\.value) }
    /// A query flag: false without it, as Java reads `true`; a bare `?name` counts as true.
    public func flag(_ name: String, default fallback: Bool = false) throws(RESTError) -> Bool {
        switch query(name)?.lowercased() {
        case nil: return fallback
        case "true", "": return true
        case "false": return false
        case let other?: throw RESTError(400, "Query parameter \(name) is true or false, not \"\(other)\"")
        }
    }
    /// The body as JSON; throws 400 when it is something else.
    public func body<T: Decodable>(as type: T.Type) throws(RESTError) -> T {
        if request.body.isEmpty { throw RESTError(400, "The request body is empty, JSON is expected") }
        do { return try JSONDecoder().decode(type, from: Data(request.body)) } catch {
            throw RESTError.unreadableBody(error)
        }
    }
}

/// Method and path pattern to handler; a value that is built once and then only answers.
///
/// ```swift
/// var router = Router { error in RESTError(500, "\(error)") }
/// router.on(.get, "/connectors/:name/status") { call in try await herder.status(of: call["name"]) }
/// ```
public struct Router: Sendable {
    /// Answers a call; what it throws becomes a ``RESTError``.
    public typealias Handler = @Sendable (Call) async throws -> Response

    private struct Route: Sendable {
        var method: Method
        var pattern: [String]
        var handler: Handler
    }
    private var routes: [Route] = []
    private let failure: @Sendable (any Error) -> RESTError

    /// `failure` is the one place that turns a domain's error into status and message.
    public init(failure: @escaping @Sendable (any Error) -> RESTError) { self.failure = failure }

    /// Adds a route; segments of `pattern` that start with a colon are parameters; of two routes that match, the first
    /// added answers.
    public mutating func on(_ method: Method, _ pattern: String, _ handler: @escaping Handler) {
        routes.append(Route(method: method, pattern: pattern.split(separator: "/").map(String.init), handler: handler))
    }
    /// Adds a route whose handler returns a body: 200 with its JSON.
    public mutating func on<Body: Encodable & SendableMetatype>(
        _ method: Method,
        _ pattern: String,
        _ handler: @escaping @Sendable (Call) async throws -> Body
    ) {
        on(method, pattern) { call in Response.json(try await handler(call)) }
    }

    /// Finds the route and answers; unknown paths get 404, unknown methods of known paths 405 with `Allow`.
    @Sendable public func respond(to request: Request) async -> Response {
        let here = routes.compactMap { route in parameters(route.pattern, request.path).map { (route, $0) } }
        let method = request.method == .head ? .get : request.method  // the server leaves a HEAD's body out
        if let (route, found) = here.first(where: { $0.0.method == method }) {
            do { return try await route.handler(Call(request: request, parameters: found)) } catch {
                return (error as? RESTError ?? failure(error)).response
            }
        }
        guard !here.isEmpty else { return RESTError(404, "HTTP 404 Not Found").response }
        let more = here.contains { $0.0.method == .get } ? ["OPTIONS", "HEAD"] : ["OPTIONS"]
        let allow = Set(here.map(\.0.method.rawValue) + more)
        var response = method == .options ? Response(200) : RESTError(405, "HTTP 405 Method Not Allowed").response
        response.headers.add("Allow", allow.sorted().joined(separator: ","))
        return response
    }

    private func parameters(_ pattern: [String], _ path: [String]) -> [String: String]? {
        guard pattern.count == path.count else { return nil }
        var found: [String: String] = [:]
        for (wanted, given) in zip(pattern, path) {
            if wanted.hasPrefix(":") {
                found[String(wanted.dropFirst())] = given
            } else if wanted != given {
                return nil
            }
        }
        return found
    }
}
