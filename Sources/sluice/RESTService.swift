import ConnectREST
import ConnectRuntime
import HTTPServer
import Lifecycle
import Metrics

/// The worker's `listeners`: one HTTP server each, all answering alike.
struct RESTService: Service {
    let name = "rest"
    private let servers: [Server]
    /// Address of the first listener, for people and `Location` headers.
    let url: String
    /// `host:port` that statuses name this worker by.
    let advertisedID: String
    /// Base address for other workers.
    let advertisedURL: String
    /// What the first listener is bound to.
    let port: Int

    /// Opens the sockets; throws when an address is taken or a listener is none.
    init(_ config: WorkerConfig, herder: any Herder, metrics: MetricsRegistry) throws {
        let listeners = try (config.listeners.isEmpty ? ["http://127.0.0.1:8083"] : config.listeners).map(Listener.init)
        guard let first = listeners.first else { throw Listener.Invalid(text: "") }
        var options = RESTAPI.Options()
        options.allowedOrigins = config.allowOrigin
        options.allowedMethods = config.allowMethods
        options.responseHeaders = config.responseHeaders
        options.forwarding = try Forwarder.forwarding()
        let base = BaseURL()
        let api = try RESTAPI(herder: herder, metrics: metrics, options: options) { base.text }
        servers = try listeners.map { listener in
            try Server(
                Server.Options(host: listener.bindHost, port: listener.port),
                refuse: { RESTError($0, $1).response },
                handler: api.respond
            )
        }
        let port = config.advertisedPort ?? servers[0].port
        let host = config.advertisedHost ?? (first.host.isEmpty ? "localhost" : first.host)
        advertisedID = "\(host):\(port)"
        advertisedURL = "http://\(host):\(port)"
        self.port = servers[0].port
        url = "http://\(first.host.isEmpty ? "localhost" : first.host):\(servers[0].port)"
        base.set(advertisedURL)
    }

    /// Serves until `stop` opens.
    func run(until stop: Latch) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for server in servers { group.addTask { try await server.run(until: stop) } }
            try await group.waitForAll()
        }
    }
}

/// `http://host:port` of the `listeners` property; an empty host is every interface, as in Kafka Connect.
private struct Listener {
    struct Invalid: Error, CustomStringConvertible {
        let text: String
        var description: String {
            "listeners: \"\(text)\" is not a listener; expected http://host:port, for example http://127.0.0.1:8083"
        }
    }
    let host: String
    let port: Int
    var bindHost: String { host.isEmpty ? "0.0.0.0" : host }

    init(_ text: String) throws(Invalid) {
        let lower = text.lowercased()
        guard lower.hasPrefix("http://"), let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port)
        else { throw Invalid(text: text) }
        let start = text.index(text.startIndex, offsetBy: "http://".count)
        guard start <= colon else { throw Invalid(text: text) }
        (host, self.port) = (String(text[start..<colon]), port)
    }
}
