import ConnectConfig
import ConnectREST
import ConnectRuntime
import HTTPServer
import Lifecycle
import Metrics
import SluiceCLI

/// The worker's `listeners` and `admin.listeners`: one HTTP server each.
struct RESTService: Service {
    let name = "rest"
    private let listeners: [Open]
    /// Addresses of the listeners, for people.
    let urls: [String]
    /// `host:port` that statuses name this worker by.
    let advertisedID: String
    /// Base address for other workers.
    let advertisedURL: String
    /// What the first listener is bound to.
    let port: Int

    /// Opens the sockets; throws when an address is taken or a property is not usable.
    init(_ config: WorkerConfig, herder: any Herder, metrics: MetricsRegistry) throws {
        let rest = config.rest, base = BaseURL()
        let main = try Self.open(
            rest.listeners,
            rest.certificate,
            Self.api(rest.adminListeners == nil ? .all : .withoutAdmin, config, herder, metrics, base)
        )
        let admin = try Self.open(
            rest.adminListeners ?? [],
            rest.adminCertificate,
            Self.api(.onlyAdmin, config, herder, metrics, base)
        )
        listeners = main + admin
        urls = listeners.map { "\($0.scheme)://\($0.host.isEmpty ? "localhost" : $0.host):\($0.server.port)" }
        let shown = main.first { $0.scheme == rest.advertisedScheme } ?? main[0]
        let host = config.advertisedHost ?? (shown.host.isEmpty ? "localhost" : shown.host)
        advertisedID = "\(host):\(config.advertisedPort ?? shown.server.port)"
        advertisedURL = "\(shown.scheme)://\(advertisedID)"
        port = main[0].server.port
        base.set(advertisedURL)
    }

    /// Serves until `stop` opens.
    func run(until stop: Latch) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for listener in listeners { group.addTask { try await Self.run(listener, until: stop) } }
            try await group.waitForAll()
        }
    }
    private static func run(_ listener: Open, until stop: Latch) async throws {
        do { try await listener.server.run(until: stop) } catch let error as ServerError {
            guard listener.scheme == "https" else { throw error }
            throw CLIError(.failed, "\(error). Look at listeners.https.ssl.keystore.* and ssl.key.password.")
        }
    }

    private struct Open {
        var scheme: String
        var host: String
        var server: Server
    }
    private static func open(
        _ listeners: [RESTSettings.Listener],
        _ certificate: RESTSettings.Certificate?,
        _ api: RESTAPI
    ) throws -> [Open] {
        try listeners.map { listener in
            let tls = listener.isSecure ? certificate.map(tls) : nil
            let server = try Server(
                Server.Options(host: listener.host, port: listener.port, tls: tls),
                refuse: { RESTError($0, $1).response },
                handler: api.respond
            )
            return Open(scheme: listener.scheme, host: listener.host, server: server)
        }
    }
    private static func tls(_ certificate: RESTSettings.Certificate) -> Server.TLS {
        certificate.key.reveal { key in
            let password = certificate.password.map { $0.reveal { $0 } }
            return Server.TLS(certificate: certificate.chain, key: key, password: password)
        }
    }
    private static func api(
        _ surface: RESTAPI.Surface,
        _ config: WorkerConfig,
        _ herder: any Herder,
        _ metrics: MetricsRegistry,
        _ base: BaseURL
    ) throws -> RESTAPI {
        var options = RESTAPI.Options()
        options.surface = surface
        options.allowedOrigins = config.allowOrigin
        options.allowedMethods = config.allowMethods
        options.responseHeaders = config.responseHeaders
        options.requestTimeout = config.requestTimeout
        options.forwarding = try Forwarder.forwarding(authorities: config.rest.authorities)
        if let users = config.rest.users {
            options.credentials = { user, password in
                // An unknown name takes as long as a wrong password.
                let known = users[user]
                let isRight = (known ?? Secret("")).reveal { equalInConstantTime($0, password) }
                return isRight && known != nil
            }
        }
        do throws(ResponseHeaders.Invalid) {
            return try RESTAPI(herder: herder, metrics: metrics, options: options) { base.text }
        } catch {
            throw ConfigInvalid(issues: [
                ConfigIssue(key: "response.http.headers.config", message: "response.http.headers.config: \(error)")
            ])
        }
    }
}
