import ConnectConfig
import ConnectModel
import ConnectREST
import ConnectRuntime
import ConnectSDK
import HTTPServer
import Metrics
import Synchronization
import Testing

/// What a standby does with requests that only the leader can carry out.
@Suite struct ForwardingTests {
    private final class Wire: Sendable {
        let sent = Mutex<[Forwarding.Outgoing]>([])
    }
    private func ask(
        _ request: Request,
        _ cluster: ClusterView,
        health: WorkerHealth = .healthy,
        wire: Wire = Wire(),
        send: Forwarding.Send? = nil
    ) async throws -> (status: Int, text: String, headers: Headers) {
        var options = RESTAPI.Options()
        options.forwarding = Forwarding { request in
            wire.sent.withLock { $0.append(request) }
            if let send { return try await send(request) }
            return Response(201, headers: ["Location": "http://lead:1/connectors/a"], body: .bytes(Array("made".utf8)))
        }
        let herder = FakeHerder(cluster: cluster, health: health)
        let api = try RESTAPI(herder: herder, metrics: MetricsRegistry(), options: options) { "http://me:1" }
        let response = await api.respond(to: request)
        guard case .bytes(let bytes) = response.body else { return (0, "a stream", [:]) }
        return (response.status, String(decoding: bytes, as: UTF8.self), response.headers)
    }
    private let standby = ClusterView(role: .standby, workerID: "me:1", leaderID: "lead:1", leaderURL: "http://lead:1/")
    private let write = Request(
        .put,
        path: ["connectors", "a/b", "config"],
        query: [(name: "x y", value: "1&2")],
        headers: ["Content-Type": "application/json", "Authorization": "Basic eA==", "Cookie": "no"],
        body: Array("{}".utf8)
    )

    @Test func `a write goes to the leader as it is, with its credentials and a mark`() async throws {
        let wire = Wire()
        let answer = try await ask(write, standby, wire: wire)
        #expect(answer.status == 201 && answer.text == "made")
        #expect(answer.headers["Location"] == "http://lead:1/connectors/a")
        let sent = try #require(wire.sent.withLock { $0.first })
        #expect(sent.method == .put && sent.url == "http://lead:1/connectors/a%2Fb/config?x%20y=1%262")
        #expect(sent.headers["X-Sluice-Forwarded"] == "me:1" && sent.headers["Authorization"] == "Basic eA==")
        #expect(sent.headers["Content-Type"] == "application/json" && sent.headers["Cookie"] == nil)
        #expect(sent.body == Array("{}".utf8))
    }
    @Test func `a write that was handed on already is not handed on again`() async throws {
        let wire = Wire()
        var request = write
        request.headers.add("X-Sluice-Forwarded", "other:1")
        let answer = try await ask(request, standby, wire: wire)
        #expect(answer.status == 409 && answer.text.contains("http://lead:1"))
        #expect(wire.sent.withLock { $0.isEmpty })
    }
    @Test func `without an answer the words say whether it may have been carried out`() async throws {
        let unsent = try await ask(write, standby) { _ in throw Forwarding.Failure("refused", isUnsent: true) }
        #expect(unsent.status == 409 && unsent.text.contains("http://lead:1") && unsent.text.contains("refused"))
        let lost = try await ask(write, standby) { _ in throw Forwarding.Failure("timeout", isUnsent: false) }
        #expect(lost.status == 500 && lost.text.contains("may or may not"))
    }
    @Test func `without a leader a write is refused with Kafka Connect's words, and the reason`() async throws {
        var cluster = ClusterView(role: .joining, workerID: "me:1")
        cluster.problem = "a Kafka Connect worker is in the group"
        let answer = try await ask(write, cluster)
        #expect(answer.status == 409 && answer.text.contains("no known leader URL"))
        #expect(answer.text.contains("a Kafka Connect worker is in the group"))
    }
    @Test func `reads, and what the leader gets, stay here`() async throws {
        let wire = Wire()
        let read = Request(.get, path: ["connectors", "fs"])
        #expect(try await ask(read, standby, wire: wire).status == 200)
        #expect(try await ask(Request(.get, path: ["admin", "loggers"]), standby, wire: wire).status == 200)
        let check = Request(.put, path: ["connector-plugins", "x", "config", "validate"], body: Array("{}".utf8))
        _ = try await ask(check, standby, wire: wire)
        let leader = ClusterView(role: .leader, workerID: "me:1", leaderURL: "http://me:1")
        #expect(try await ask(Request(.put, path: ["connectors", "fs", "pause"]), leader, wire: wire).status == 202)
        #expect(wire.sent.withLock { $0.isEmpty })
        let tasks = Request(.get, path: ["admin", "tasks"])
        #expect(try await ask(tasks, standby, wire: wire).text == "made")
        let away = try await ask(tasks, standby) { _ in throw Forwarding.Failure("refused", isUnsent: true) }
        #expect(away.status == 200)
    }
    @Test func `the root tells who leads`() async throws {
        let answer = try await ask(Request(.get, path: []), standby)
        #expect(answer.text.contains(#""role":"standby""#) && answer.text.contains(#""leader_url":"http://lead:1/""#))
        #expect(answer.text.contains(#""worker_id":"me:1""#))
    }
}
