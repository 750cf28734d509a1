import ConnectConfig
import ConnectModel
import ConnectSDK
import ConnectTestKit
import FileAccess
import Glibc
import JSONReading
import Testing
import TransferClient

@testable import ElasticsearchSink

/// The task against the real servers; skipped by name where there is none.
@Suite(.serialized, .enabled(if: !SearchServer.available.isEmpty, "needs ELASTICSEARCH_URL or ../shared/search"))
struct RealServerTests {
    private func ask(_ server: SearchServer, _ method: String, _ path: String, _ body: String? = nil) throws -> Value {
        let headers = [TransferHeader("Content-Type", "application/json")]
        let request = TransferRequest(method, server.url + path, headers: headers, body: body.map { Array($0.utf8) })
        let answer = try TransferSession().send(request)
        return answer.body.isEmpty ? .null : try JSONParser().parse(answer.body)
    }
    private func count(_ server: SearchServer, _ index: String) throws -> Int64? {
        _ = try ask(server, "POST", "/\(index)/_refresh")
        guard case .map(let answer) = try ask(server, "GET", "/\(index)/_count") else { return nil }
        return answer["count"].flatMap { if case .int64(let count) = $0 { count } else { nil } }
    }
    private func source(_ server: SearchServer, _ index: String, _ id: String) throws -> Value? {
        guard case .map(let answer) = try ask(server, "GET", "/\(index)/_doc/\(id)") else { return nil }
        return answer["_source"]
    }
    private func task(_ server: SearchServer, _ keys: [String: String]) async throws -> any SinkTask {
        var raw = ["connection.url": server.url, "read.timeout.ms": "20000", "batch.size": "100"]
        raw.merge(keys) { $1 }
        let task = try ElasticsearchSink.descriptor.makeTask(raw, TestSinkContext())
        try await task.start()
        return task
    }
    private func topic() -> String { "T\(UInt32.random(in: 0 ... .max))" }

    @Test(arguments: SearchServer.available)
    func `records are indexed once however often they come`(kind: SearchServer.Kind) async throws {
        let server = try SearchServer.shared(kind), topic = topic(), index = topic.lowercased()
        let place = TopicPartition(topic, 0)
        let records = (0..<1_000).map { ArrayMemory.Record(key: "k\($0 % 300)", #"{"n":\#($0),"text":"é"}"#) }
        for _ in 0..<2 { try await task(server, [:]).put(.raw(place, records)) }
        try await task(server, [:]).put(.raw(place, from: 100, Array(records[100..<200])))  // an older part again
        #expect(try count(server, index) == 300)
        #expect(try source(server, index, "k5") == .object(["n": .int64(905), "text": .string("é")]))
    }

    @Test(arguments: SearchServer.available)
    func `a topic made again is not shadowed by its old documents`(kind: SearchServer.Kind) async throws {
        let server = try SearchServer.shared(kind), topic = topic()
        let place = TopicPartition(topic, 0)
        try await task(server, [:]).put(.raw(place, from: 5_000, [.init(key: "k", #"{"life":1}"#)]))
        try await task(server, [:]).put(.raw(place, from: 0, [.init(key: "k", #"{"life":2}"#)]))
        #expect(try source(server, topic.lowercased(), "k") == .object(["life": .int64(1)]))
        let again = try await task(server, ["external.version.epoch": "1"])
        try await again.put(.raw(place, from: 0, [.init(key: "k", #"{"life":2}"#)]))
        #expect(try source(server, topic.lowercased(), "k") == .object(["life": .int64(2)]))
    }

    @Test(arguments: SearchServer.available)
    func `tombstones delete, also what is not there`(kind: SearchServer.Kind) async throws {
        let server = try SearchServer.shared(kind), topic = topic()
        let place = TopicPartition(topic, 0)
        let task = try await task(server, ["behavior.on.null.values": "delete"])
        try await task.put(.raw(place, [.init(key: "a", "{}"), .init(key: "b", "{}"), .init(key: "a", nil)]))
        try await task.put(.raw(place, from: 3, [.init(key: "never", nil)]))
        #expect(try count(server, topic.lowercased()) == 1)
        try await task.put(.raw(place, [.init(key: "a", "{}"), .init(key: "b", "{}"), .init(key: "a", nil)]))
        #expect(try count(server, topic.lowercased()) == 1)
    }

    @Test(arguments: SearchServer.available)
    func `the mapping file counts, what does not fit it is a bad record`(kind: SearchServer.Kind) async throws {
        let server = try SearchServer.shared(kind), topic = topic(), index = topic.lowercased()
        let path = "/tmp/sluice-mapping-\(getpid())-\(index).json"
        defer { unsafe _ = unlink(path) }
        let mapping = #"{"settings":{"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"integer"}}}}"#
        try OpenFile(path, .replace).write(Array(mapping.utf8)[...])
        let keys = ["key.ignore": "true", "index.mapping.file": "/tmp/sluice-mapping-\(getpid())-${index}.json"]
        let values = [#"{"n":1}"#, #"{"n":"secret"}"#, #"{"n":3}"#, #"{"n":}"#]
        let failure = await #expect(throws: TaskFailure.self) {
            try await task(server, keys).put(.raw(TopicPartition(topic, 0), values: values))
        }
        guard case .badRecords(let faults, restIsWritten: true)? = failure?.verdict else {
            return #expect(Bool(false), "\(String(describing: failure))")
        }
        #expect(faults.map(\.index) == [1, 3])
        #expect(!"\(faults)".contains("secret"))
        #expect(try count(server, index) == 2)
    }

    @Test(arguments: SearchServer.available)
    func `refused for the time being, then taken`(kind: SearchServer.Kind) async throws {
        let server = try SearchServer.shared(kind), topic = topic(), index = topic.lowercased()
        let place = TopicPartition(topic, 0)
        let task = try await task(server, ["key.ignore": "true", "max.retries": "1", "retry.backoff.ms": "10"])
        try await task.put(.raw(place, values: ["{}"]))
        _ = try ask(server, "PUT", "/\(index)/_settings", #"{"index.blocks.read_only_allow_delete": true}"#)
        let failure = await #expect(throws: TaskFailure.self) {
            try await task.put(.raw(place, from: 1, values: ["{}"]))
        }
        #expect(failure?.verdict == .retry(after: nil))
        #expect(failure?.because.contains("cluster_block_exception") == true)
        _ = try ask(server, "PUT", "/\(index)/_settings", #"{"index.blocks.read_only_allow_delete": null}"#)
        try await task.put(.raw(place, from: 1, values: ["{}"]))
        #expect(try count(server, index) == 2)
    }

    @Test(arguments: SearchServer.available)
    func `upserts merge fields`(kind: SearchServer.Kind) async throws {
        let server = try SearchServer.shared(kind), topic = topic()
        let task = try await task(server, ["write.method": "upsert"])
        let records = [ArrayMemory.Record(key: "k", #"{"a":1,"b":1}"#), .init(key: "k", #"{"b":2}"#)]
        try await task.put(.raw(TopicPartition(topic, 0), records))
        #expect(try source(server, topic.lowercased(), "k") == .object(["a": .int64(1), "b": .int64(2)]))
    }
}
