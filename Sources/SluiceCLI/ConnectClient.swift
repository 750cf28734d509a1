import ConnectAPI
public import ConnectConfig
import ConnectModel
import FoundationEssentials

/// Sends one HTTP request; the REST client's only door to the network.
public protocol RESTTransport: Sendable {
    /// Throws when there is no answer; an answer of any status is returned.
    func send(_ method: String, to url: String, body: [UInt8]?, timeout: Duration) async throws(CLIError) -> RESTAnswer
    /// The same as somebody else, or with other certificates; throws what is wrong with them.
    func with(_ access: RESTAccess) throws(CLIError) -> any RESTTransport
}

/// What a worker answered.
public struct RESTAnswer: Sendable {
    /// The HTTP status.
    public var status: Int
    /// The body as it came.
    public var body: [UInt8]
    /// What the worker accepted but finds odd: the texts of its `Warning` headers.
    public var warnings: [String]

    /// Makes an answer.
    public init(status: Int, body: [UInt8], warnings: [String] = []) {
        (self.status, self.body, self.warnings) = (status, body, warnings)
    }
}

/// Who asks, and whose certificates are believed.
public struct RESTAccess: Sendable {
    /// PEM file of the authorities that may have signed the worker's certificate; nil for the system's.
    public var authorities: String?
    /// For basic authentication; nil for none.
    public var user: String?
    /// For basic authentication; nil for none.
    public var password: Secret?

    /// Nobody, with the system's authorities.
    public init() {}
}

/// The worker's REST API as the commands see it.
struct ConnectClient: Sendable {
    let url: String
    let timeout: Duration
    let transport: any RESTTransport

    func connectorNames() async throws -> [String] { try await get(["connectors"]) }
    func connectors() async throws -> [String: ExpandedConnectorBody] {
        try await get(["connectors"], query: "expand=status&expand=info")
    }
    func plugins(all: Bool) async throws -> [PluginBody] {
        try await get(["connector-plugins"], query: "connectorsOnly=\(!all)")
    }
    func info(_ name: String) async throws -> ConnectorInfoBody { try await get(["connectors", name]) }
    func status(_ name: String) async throws -> ConnectorStatusBody { try await get(["connectors", name, "status"]) }
    func worker() async throws -> WorkerInfoBody { try await get([]) }
    func workers() async throws -> [WorkerMemberBody] { try await get(["admin", "workers"]) }
    func tasks() async throws -> [TaskSnapshotBody] { try await get(["admin", "tasks"]) }
    func fileProblems() async throws -> [ConfigFileProblemBody] { try await get(["admin", "config-directory"]) }
    func keys(ofPlugin name: String) async throws -> [ConfigKeyBody] {
        try await get(["connector-plugins", name, "config"])
    }
    func validate(
        _ config: [String: String],
        plugin: String
    ) async throws -> (result: ValidationBody, warnings: [String]) {
        let path = ["connector-plugins", plugin, "config", "validate"]
        let answer = try await send("PUT", path, body: encode(config))
        return (try decode(answer.body), answer.warnings)
    }
    /// Creates or changes.
    func put(_ name: String, config: [String: String]) async throws -> (isNew: Bool, warnings: [String]) {
        let answer = try await send("PUT", ["connectors", name, "config"], body: encode(config))
        return (answer.status == 201, answer.warnings)
    }
    /// A call whose answer does not matter.
    func tell(_ method: String, _ path: [String], query: String = "") async throws {
        _ = try await send(method, path, query: query, body: nil)
    }

    private func get<Body: Decodable>(_ path: [String], query: String = "") async throws -> Body {
        try decode(await call("GET", path, query: query, body: nil))
    }
    private func call(_ method: String, _ path: [String], query: String = "", body: [UInt8]?) async throws -> [UInt8] {
        try await send(method, path, query: query, body: body).body
    }
    private func send(
        _ method: String,
        _ path: [String],
        query: String = "",
        body: [UInt8]?
    ) async throws -> RESTAnswer {
        var address = url
        while address.hasSuffix("/") { address.removeLast() }
        address += "/" + path.map(\.percentEncoded).joined(separator: "/") + (query.isEmpty ? "" : "?" + query)
        let answer = try await transport.send(method, to: address, body: body, timeout: timeout)
        guard (200..<300).contains(answer.status) else {
            let said = try? JSONDecoder().decode(ErrorBody.self, from: Data(answer.body)).message
            throw CLIError(
                answer.status == 404 ? .notFound : .failed,
                said ?? "\(method) \(address) answered \(answer.status): "
                    + String(decoding: answer.body.prefix(300), as: UTF8.self)
            )
        }
        return answer
    }
    private func encode(_ config: [String: String]) throws -> [UInt8] { Array(try JSONEncoder().encode(config)) }
    private func decode<Body: Decodable>(_ bytes: [UInt8]) throws -> Body {
        do { return try JSONDecoder().decode(Body.self, from: Data(bytes)) } catch {
            throw CLIError(.failed, "\(url) gave an answer that is not Kafka Connect's: \(error)")
        }
    }
}
