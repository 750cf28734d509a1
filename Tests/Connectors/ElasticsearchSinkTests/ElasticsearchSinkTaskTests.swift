import ConnectConfig
import ConnectModel
import ConnectSDK
import ConnectTestKit
import Testing

@testable import ElasticsearchSink

/// The task against a scripted server: what the real ones do too rarely.
@Suite struct ElasticsearchSinkTaskTests {
    private let place = TopicPartition("orders", 0)
    private func task(_ server: ScriptedHTTPServer, _ keys: [String: String] = [:]) async throws -> any SinkTask {
        var raw = ["connection.url": server.url, "key.ignore": "true", "retry.backoff.ms": "1"]
        raw.merge(keys) { $1 }
        let task = try ElasticsearchSink.descriptor.makeTask(raw, TestSinkContext())
        try await task.start()
        return task
    }
    private func answer(_ statuses: [(Int, String)]) -> ScriptedHTTPServer.Reply {
        let items = statuses.map { status, type in
            let error = type.isEmpty ? "" : #","error":{"type":"\#(type)","reason":"because"}"#
            return #"{"index":{"status":\#(status)\#(error)}}"#
        }
        let hasErrors = statuses.contains { !$0.1.isEmpty }
        return .answer(200, body: #"{"errors":\#(hasErrors),"items":[\#(items.joined(separator: ","))]}"#)
    }
    /// The ids in `_bulk` bodies, in the order of requests.
    private func ids(_ server: ScriptedHTTPServer) -> [[Int]] {
        server.requests.filter { $0.target.hasPrefix("/_bulk") }.map { request in
            request.text.split(separator: "\n").compactMap { line in
                guard let start = line.firstRange(of: "orders+0+") else { return nil }
                return Int(line[start.upperBound...].prefix { $0.isNumber })
            }
        }
    }
    private func count(_ request: ScriptedHTTPServer.Request) -> Int { request.text.split(separator: "\n").count / 2 }

    @Test func `only refused items go again, in smaller requests`() async throws {
        let refusals = Counted()
        let server = try ScriptedHTTPServer { [answer = answer, count = count] request in
            guard request.target.hasPrefix("/_bulk") else { return .answer(200, body: "{}") }
            let isFirst = refusals.next() == 0
            return answer(
                (0..<count(request)).map { isFirst && $0 >= 2 ? (429, "es_rejected_execution_exception") : (201, "") }
            )
        }
        try await task(server).put(.raw(place, values: Array(repeating: "{}", count: 8)))
        #expect(ids(server).first == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(Set(ids(server).dropFirst()) == [[2, 3, 4, 5], [6, 7]])  // both on their way at once
    }

    @Test func `a storm of 429 ends in an outage, then everything arrives`() async throws {
        let requests = Counted()
        let server = try ScriptedHTTPServer { [answer = answer, count = count] request in
            guard request.target.hasPrefix("/_bulk") else { return .answer(200, body: "{}") }
            if requests.next() < 4 { return .answer(429, headers: ["Retry-After": "0"], body: "{}") }
            return answer(Array(repeating: (201, ""), count: count(request)))
        }
        let task = try await task(server, ["max.retries": "2"])
        let batch = SinkBatch.raw(place, values: Array(repeating: "{}", count: 8))
        let failure = await #expect(throws: TaskFailure.self) { try await task.put(batch) }
        #expect(failure?.verdict == .retry(after: nil))
        #expect(failure?.because == "HTTP 429")
        try await task.put(batch)
        #expect(Set(ids(server).dropFirst(3).flatMap { $0 }) == Set(0..<8))
    }

    @Test func `bad documents are named, the rest is written`() async throws {
        let server = try ScriptedHTTPServer { [answer = answer] request in
            guard request.target.hasPrefix("/_bulk") else { return .answer(200, body: "{}") }
            return answer([(201, ""), (400, "document_parsing_exception"), (201, "")])
        }
        let failure = await #expect(throws: TaskFailure.self) {
            try await task(server).put(.raw(place, values: ["{}", "[]", "{}", "{}"]))
        }
        guard case .badRecords(let faults, restIsWritten: true)? = failure?.verdict else {
            return #expect(Bool(false), "\(String(describing: failure))")
        }
        #expect(faults.map(\.index) == [1, 2])
        #expect(
            faults.map(\.kind) == ["org.apache.kafka.connect.errors.DataException", "document_parsing_exception"]
        )
        let keys = ["behavior.on.malformed.documents": "ignore", "drop.invalid.message": "true"]
        try await task(server, keys).put(.raw(place, values: ["{}", "[]", "{}", "{}"]))
    }

    @Test func `a request that cannot be read is halved until one record is left`() async throws {
        let server = try ScriptedHTTPServer { [answer = answer, count = count] request in
            guard request.target.hasPrefix("/_bulk") else { return .answer(200, body: "{}") }
            if request.text.contains("orders+0+5\"") {
                return .answer(400, body: #"{"error":{"type":"x_content_parse_exception","reason":"r"},"status":400}"#)
            }
            return answer(Array(repeating: (201, ""), count: count(request)))
        }
        let failure = await #expect(throws: TaskFailure.self) {
            try await task(server).put(.raw(place, values: Array(repeating: "{}", count: 8)))
        }
        guard case .badRecords(let faults, restIsWritten: true)? = failure?.verdict else {
            return #expect(Bool(false), "\(String(describing: failure))")
        }
        #expect(faults.map(\.index) == [5])
    }

    @Test func `a body that is too large for the server is halved`() async throws {
        let server = try ScriptedHTTPServer { [answer = answer, count = count] request in
            guard request.target.hasPrefix("/_bulk") else { return .answer(200, body: "{}") }
            if request.body.count > 3_000 { return .answer(413) }
            return answer(Array(repeating: (201, ""), count: count(request)))
        }
        let value = #"{"a":"\#(String(repeating: "x", count: 900))"}"#
        try await task(server).put(.raw(place, values: Array(repeating: value, count: 8)))
        #expect(Set(ids(server).flatMap { $0 }) == Set(0..<8))
    }

    @Test func `an unreachable address is left for the next, wrong credentials are a config error`() async throws {
        let server = try ScriptedHTTPServer { [answer = answer, count = count] request in
            guard request.target.hasPrefix("/_bulk") else { return .answer(200, body: "{}") }
            return answer(Array(repeating: (201, ""), count: count(request)))
        }
        let both = ["connection.url": "http://127.0.0.1:1,\(server.url)/"]
        try await task(server, both).put(.raw(place, values: ["{}"]))
        #expect(ids(server) == [[0]])
        let nobody = await #expect(throws: TaskFailure.self) {
            _ = try await task(server, ["connection.url": "http://127.0.0.1:1"])
        }
        #expect(nobody?.verdict == .retry(after: nil))
        let closed = try ScriptedHTTPServer { _ in .answer(401, body: "{}") }
        let refused = await #expect(throws: TaskFailure.self) { _ = try await task(closed) }
        #expect(refused?.verdict == .config(key: "connection.username"))
    }

    @Test func `bodies can be compressed and carry credentials`() async throws {
        let server = try ScriptedHTTPServer { [answer = answer] _ in answer([(201, "")]) }
        let keys = ["connection.compression": "true", "connection.username": "u", "connection.password": "p"]
        try await task(server, keys).put(.raw(place, values: ["{}"]))
        let request = try #require(server.requests.last)
        #expect(request.headers["content-encoding"] == "gzip")
        #expect(request.headers["authorization"] == "Basic dTpw")
        #expect(request.body.prefix(2) == [0x1F, 0x8B])
    }
}
