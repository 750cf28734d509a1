public import ConnectRuntime
public import HTTPServer
public import Metrics

/// Kafka Connect's REST API over a herder; a value that only answers, without a socket.
public struct RESTAPI: Sendable {
    /// What a worker's properties say about its REST API.
    public struct Options: Sendable {
        /// `access.control.allow.origin`: other origins whose scripts may call, none by default.
        public var allowedOrigins = ""
        /// `access.control.allow.methods`: what they may call; GET, POST and HEAD when empty.
        public var allowedMethods = ""
        /// `response.http.headers.config`: headers for every response, none by default.
        public var responseHeaders = ""
        /// Asks for user and password when set; `/health` and `/` stay open, as probes have none.
        public var credentials: (@Sendable (_ user: String, _ password: String) -> Bool)?
        /// How long a request may take, 90 seconds as in Kafka Connect.
        public var requestTimeout: Duration = .seconds(90)
        /// Which routes answer.
        public var surface = Surface.all

        /// How a standby hands requests to the leader; without it they are refused with 409 and the leader's URL.
        public var forwarding: Forwarding?

        /// Kafka Connect's defaults.
        public init() {}
    }
    /// Parts of the API, as `admin.listeners` spreads them over listeners; `/`, `/health` and `/metrics` answer on all.
    public enum Surface: Sendable {
        /// Everything on one listener.
        case all
        /// Without `/admin`.
        case withoutAdmin
        /// Only `/admin`.
        case onlyAdmin
    }

    private let handler: Server.Handler

    /// `advertisedURL` is the base of `Location` headers, known only once the port is.
    ///
    /// Throws for a `responseHeaders` text that is not in the language of `response.http.headers.config`.
    public init(
        herder: any Herder,
        metrics: MetricsRegistry,
        options: Options = Options(),
        advertisedURL: @escaping @Sendable () -> String
    ) throws(ResponseHeaders.Invalid) {
        var router = Router(failure: RESTError.of)
        router.addWorkerRoutes(herder, metrics: metrics)
        if options.surface != .onlyAdmin {
            router.addPluginRoutes(herder)
            router.addConnectorRoutes(herder, advertisedURL: advertisedURL)
        }
        if options.surface != .withoutAdmin { router.addAdminRoutes(herder) }
        let headers = try ResponseHeaders(options.responseHeaders)
        var handler = timeLimit(
            options.requestTimeout,
            message: { herder.timeoutMessage() },
            next: leaderOnly(herder, options.forwarding, next: router.respond)
        )
        if let check = options.credentials {
            let probes = [[], ["health"]]
            handler = basicAuth(realm: "sluice", except: { probes.contains($0.path) }, check: check, next: handler)
        }
        if let cors = CORS(origins: options.allowedOrigins, methods: options.allowedMethods) {
            handler = cors(next: handler)
        }
        self.handler = accessLog(next: headers(next: handler))
    }

    /// Answers one request; never throws.
    @Sendable public func respond(to request: Request) async -> Response { await handler(request) }
}

extension RESTError {
    /// Every error of the runtime has its status here, and nowhere else.
    static func of(_ error: any Error) -> RESTError {
        guard let error = error as? HerderError else { return RESTError(500, "\(error)") }
        let status =
            switch error {
            case .unknownConnector, .unknownTask, .noStatus, .notFound: 404
            case .alreadyExists, .conflict: 409
            case .badRequest, .invalidConfig: 400
            case .forbidden: 403
            case .starting: 503
            case .timeout, .internalError: 500
            }
        return RESTError(status, error.message)
    }
}
