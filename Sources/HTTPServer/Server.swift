public import Lifecycle
internal import Logs

/// An HTTP/1.1 server on one thread of libmicrohttpd; handlers run as tasks.
///
/// ```swift
/// let server = try Server(.init(port: 8083)) { request in .text("hello \(request.path)") }
/// try await ServiceGroup([server]).run()
/// ```
public struct Server: Service {
    /// Answers one request; cancelled when the time for stopping is over.
    public typealias Handler = @Sendable (Request) async -> Response

    /// Certificate and key in memory.
    public struct TLS: Sendable, CustomReflectable {
        /// The certificate and those between it and a trusted one, PEM.
        public var certificate: String
        /// The private key, PEM.
        public var key: String
        /// What opens the private key; nil when it is not locked.
        public var password: String?
        /// Certificate and key in PEM.
        public init(certificate: String, key: String, password: String? = nil) {
            (self.certificate, self.key, self.password) = (certificate, key, password)
        }
        /// Nothing to look into.
        public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
    }

    /// What a server may be told.
    public struct Options: Sendable {
        /// The address or name to listen on; empty for all addresses.
        public var host: String
        /// The port; 0 for any free one.
        public var port: Int
        /// The largest request body in bytes; a larger one is answered 413.
        public var bodyBytesMax = 8 << 20
        /// The most connections at a time; more wait for the system's queue or are refused.
        public var connections = 512
        /// The most handlers at a time; more requests wait.
        public var requests = 256
        /// How long a connection may be silent.
        public var idle: Duration = .seconds(60)
        /// How long requests under way may take once the server stops.
        public var grace: Duration = .seconds(5)
        /// HTTPS when given.
        public var tls: TLS?

        /// Host and port; the other fields have defaults.
        public init(host: String = "127.0.0.1", port: Int = 0, tls: TLS? = nil) {
            (self.host, self.port, self.tls) = (host, port, tls)
        }
    }

    /// Names it in a service group.
    public let name = "http"
    /// The port that it listens on.
    public var port: Int { listener.port }
    private let options: Options
    private let listener: Listener
    private let refuse: @Sendable (Int, String) -> Response
    private let handler: Handler

    /// Listens from here on, and answers once it runs; throws ``ServerError`` when it cannot listen.
    ///
    /// `refuse` makes the answer to what never reaches the handler (400, 413, 503).
    public init(
        _ options: Options,
        refuse: @escaping @Sendable (_ status: Int, _ message: String) -> Response = { .text($1 + "\n", status: $0) },
        handler: @escaping Handler
    ) throws(ServerError) {
        listener = try Listener(host: options.host, port: options.port)
        (self.options, self.refuse, self.handler) = (options, refuse, handler)
    }

    /// Serves until `stop` opens, then finishes what is under way, at most for the grace time; runs once.
    public func run(until stop: Latch) async throws {
        guard let socket = listener.take() else { throw ServerError(description: "this HTTP server has run already") }
        let desk = Desk(bodyBytesMax: options.bodyBytesMax, requests: options.requests, refuse: refuse)
        let daemon = try Daemon(socket: socket, options, desk)
        let outOfTime = Latch()
        await withTaskGroup(of: Void.self) { group in
            group.addTask(name: "http.stop") {
                await stop.wait()
                daemon.quiesce()
                desk.stopTaking()
                _ = try? await Task.sleep(for: options.grace)
                outOfTime.open()
            }
            try? await withCancellation(by: outOfTime) { await serve(desk, until: stop) }
            group.cancelAll()
        }
        for exchange in desk.requests.takeLeft() { exchange.answer(refuse(503, "The server is stopping")) }
        await daemon.stop()  // no connection may be suspended by now: every exchange has been answered
    }

    /// One child per request, alive until the last byte of its response is sent.
    private func serve(_ desk: Desk, until stop: Latch) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled, let exchange = await desk.requests.next() {
                group.addTask {
                    var response = await handler(exchange.request)
                    desk.requests.done()
                    if exchange.request.method == .head, case .stream = response.body { response.body = .bytes([]) }
                    if case .stream(let produce) = response.body {
                        await stream(response, produce, to: exchange, until: stop)
                    } else {
                        exchange.answer(response)
                    }
                    await exchange.over.wait()
                }
            }
        }
    }

    private func stream(
        _ response: Response,
        _ produce: @escaping @Sendable (BodyWriter) async throws -> Void,
        to exchange: Exchange,
        until stop: Latch
    ) async {
        let writer = exchange.stream(response, until: stop)
        do {
            try await withCancellation(by: exchange.over) { try await produce(writer) }
            writer.finish(broken: false)
        } catch {
            // Its client has gone or sees the broken end; why it broke is told to the log.
            if !exchange.over.isOpen { log.warn("A streamed response broke off", ["reason": "\(error)"]) }
            writer.finish(broken: true)
        }
    }
}
