import ConnectAPI
import FoundationEssentials

/// Sends one HTTP request; the REST client's only door to the network.
public protocol RESTTransport: Sendable {
    /// Throws when there is no answer; an answer of any status is returned.
    func send(
        _ method: String,
        to url: String,
        body: [UInt8]?,
        timeout: Duration
    ) async throws(CLIError) -> (status: Int, body: [UInt8])
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
    func validate(_ config: [String: String], plugin: String) async throws -> ValidationBody {
        try decode(await call("PUT", ["connector-plugins", plugin, "config", "validate"], body: encode(config)))
    }
    /// Creates or changes; true when it is new.
    func put(_ name: String, config: [String: String]) async throws -> Bool {
        let answer = try await send("PUT", ["connectors", name, "config"], body: encode(config))
        return answer.status == 201
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
    ) async throws -> (status: Int, body: [UInt8]) {
        var address = url
        while address.hasSuffix("/") { address.removeLast() }
        address += "/" + path.map(Self.escaped).joined(separator: "/") + (query.isEmpty ? "" : "?" + query)
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
    /// A path segment: everything but letters, digits, `-._~` as `%XX`, so that a `/` in a name does not split it.
    static func escaped(_ segment: String) -> String {
        segment.utf8.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                text += "%" + (hex.count == 1 ? "0" : "") + hex
            }
        }
    }
}
