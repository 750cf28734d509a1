import ConnectAPI
import ConnectModel
import ConnectTestKit
import FoundationEssentials
import KafkaClient
import Testing

/// A cluster that Kafka Connect ran is taken over, and what is written then is what Kafka Connect would have written.
@Suite(
    .enabled(if: RealKafka.isAvailable, Comment(rawValue: RealKafka.skipReason)),
    .enabled(if: GoldenCluster.isHere, "no recorded topics beside the repository"),
    .timeLimit(.minutes(4)),
    .serialized
)
struct TakeoverTests {
    private struct Bench {
        let kafka: TopicReader
        let folder: String
        let group: String
        let golden: GoldenCluster
        let names: [String: String]

        func worker() throws -> WorkerProcess {
            try WorkerProcess(
                folder: folder,
                port: try freePort(),
                arguments: ["--bootstrap-servers", kafka.servers]
            )
        }
        /// What was written after so many records.
        func written(_ topic: String) async throws -> [TopicReader.Record] {
            try await kafka.read("\(group)-\(topic)")
        }
    }
    private func bench(
        _ golden: String,
        _ topics: [String],
        _ properties: [String: String] = [:]
    ) async throws -> Bench {
        let folder = try WorkerProcess.makeFolder(properties)
        let group = folder.split(separator: "-").last.map(String.init) ?? "it"
        let names = Dictionary(uniqueKeysWithValues: topics.map { ($0, "\(group)-\($0)") })
        return Bench(
            kafka: TopicReader(servers: try await RealKafka.shared().bootstrapServers),
            folder: folder,
            group: group,
            golden: try GoldenCluster(golden, folder: folder, names: names),
            names: names
        )
    }
    /// Every value has the fields that Kafka Connect's values of that kind have, in its order.
    private func compareShapes(_ bench: Bench, _ topic: String) async throws {
        var known: [String: Set<String>] = [:]
        for name in ["basic", "errors", "exactly-once"] {
            for record in try GoldenCluster(name, folder: bench.folder, names: [:]).records(of: topic) {
                let kind = GoldenCluster.kind(ofKey: record.key ?? "")
                known[kind, default: []].insert(try GoldenCluster.shape(of: record.value))
            }
        }
        for record in try await bench.written(topic) {
            let kind = GoldenCluster.kind(ofKey: record.key ?? "")
            let shape = try GoldenCluster.shape(of: record.value)
            #expect(known[kind]?.contains(shape) == true, "\(topic): \(record.key ?? "") = \(record.value ?? "null")")
            #expect(record.headers.isEmpty)
        }
    }

    @Test func `connectors go on where Kafka Connect stopped`() async throws {
        let bench = try await bench("basic", ["lines", "lines2"])
        let topic = try #require(bench.names["lines"])
        try await bench.golden.load(before: "worker stopped", as: bench.group, into: bench.kafka)
        try await bench.kafka.make(topic)
        try await bench.kafka.write((1...5).map { ProducerRecord(topic: topic, value: Array("old \($0)".utf8)) })
        // A group of this name is the recorded sink's: it had read three of the five.
        let admin = try Admin(KafkaSettings(bootstrapServers: bench.kafka.servers))
        var isMoved = false
        while !isMoved {
            // The group's coordinator is not there at once on a new broker.
            do throws(KafkaClientError) {
                try await admin.alterGroupOffsets("connect-lines-out", [TopicPartition(topic, 0): 3])
                isMoved = true
            } catch { guard error.isRetriable else { throw error } }
        }
        try write("24 bytes, read before..\n" + "new 1\nnew 2\n", bench.folder + "/in.txt")
        let before = (
            configs: try await bench.written("configs").count, offsets: try await bench.written("offsets").count
        )
        let worker = try bench.worker()
        try await worker.untilReady()
        try await worker.untilDelivered(["lines-in", "lines-out"])
        #expect(await worker.stop() == 0)

        let values = try await bench.kafka.read(topic).map(\.value)
        #expect(values == (1...5).map { "old \($0)" } + ["new 1", "new 2"])
        let out = FileManager.default.contents(atPath: bench.folder + "/out2.txt").map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(out == "old 4\nold 5\nnew 1\nnew 2\n")
        let offsets = try await bench.written("offsets")
        #expect(offsets.count > before.offsets)
        #expect(Set(offsets.map(\.key)) == [#"["lines-in",{"filename":"\#(bench.folder)/in.txt"}]"#])
        #expect(offsets.last?.value == #"{"position":36}"#)
        #expect(Set(offsets.map(\.partition)).count == 1, "the key stays in its partition")
        #expect(try await bench.written("configs").count == before.configs, "nothing to write: tasks are the same")
        let generations = try await bench.written("status").filter { $0.key == "status-task-lines-in-0" }.compactMap {
            $0.value?.split(separator: "\"generation\":").last?.split(separator: ",").first.flatMap { Int($0) }
        }
        #expect(generations.last ?? 0 > 10, "a newer owner than Kafka Connect's last")
        for topic in ["configs", "offsets", "status"] { try await compareShapes(bench, topic) }
    }

    @Test func `an exactly-once source goes on in transactions`() async throws {
        let bench = try await bench("exactly-once", ["eos-lines"], ["exactly.once.source.support": "enabled"])
        let topic = try #require(bench.names["eos-lines"])
        try await bench.golden.load(before: "stop", as: bench.group, into: bench.kafka)
        try await bench.kafka.make(topic)
        try write("read before: 19 b.\n" + "new 1\nnew 2\n", bench.folder + "/in.txt")
        let worker = try bench.worker()
        try await worker.untilReady()
        try await worker.untilDelivered(["eos-in"])
        #expect(try await bench.kafka.read(topic).map(\.value) == ["new 1", "new 2"])
        #expect(try await bench.written("offsets").last?.value == #"{"position":31}"#)
        #expect(await worker.stop() == 0)
        for topic in ["configs", "offsets", "status"] { try await compareShapes(bench, topic) }
    }

    @Test func `the same calls leave the same records in the config and offset topics`() async throws {
        let bench = try await bench("exactly-once", ["eos-lines"], ["exactly.once.source.support": "enabled"])
        try write("one\ntwo\nthree\n", bench.folder + "/in.txt")
        let worker = try bench.worker()
        try await worker.untilReady()
        func config(_ batch: String = "") -> String {
            #"{"connector.class":"FileStreamSource","tasks.max":"1","file":"\#(bench.folder)/in.txt","topic":"#
                + #""\#(bench.names["eos-lines"] ?? "")","exactly.once.support":"required","transaction.boundary":"poll","#
                + #""value.converter":"org.apache.kafka.connect.storage.StringConverter"\#(batch)}"#
        }
        func until(_ topic: String, _ count: Int) async throws {
            try await worker.eventually("\(topic) has \(count) records") {
                try await bench.written(topic).count >= count ? true : nil
            }
        }
        try await worker.change("POST", "/connectors", #"{"name":"eos-in","config":\#(config())}"#)
        try await until("offsets", 1)
        try write("one\ntwo\nthree\nfour\n", bench.folder + "/in.txt")
        try await until("offsets", 2)
        try await worker.change("PUT", "/connectors/eos-in/config", config(#","batch.size":"10""#))
        try await until("configs", 8)
        try await worker.eventually("the new generation runs") {
            try await worker.get("/connectors/eos-in/status", as: ConnectorStatusBody.self).tasks.first?.state
                == "RUNNING" ? true : nil
        }
        try await worker.change("PUT", "/connectors/eos-in/stop")
        try await worker.eventually("it has stopped") {
            try await worker.get("/connectors/eos-in/status", as: ConnectorStatusBody.self).connector.state
                == "STOPPED" ? true : nil
        }
        try await worker.change("DELETE", "/connectors/eos-in/offsets")
        try await worker.change("DELETE", "/connectors/eos-in")
        #expect(await worker.stop() == 0)
        for topic in ["configs", "offsets"] {
            let ours = try await bench.written(topic), theirs = bench.golden.records(of: topic)
            #expect(ours.map(\.key) == theirs.map(\.key))
            #expect(ours.map(\.value) == theirs.map(\.value))
        }
    }

    @Test func `dead letters are Kafka Connect's, header by header`() async throws {
        let bench = try await bench("errors", ["dirty", "dirty-dlq", "smt-dlq"])
        let topic = try #require(bench.names["dirty"])
        try await bench.kafka.make(topic)
        let dirty: [(key: String?, value: [UInt8]?)] = [
            (nil, Array(#"{"a":1}"#.utf8)), ("1", Array("not json".utf8)), (nil, Array(#"{"a":"#.utf8)),
            ("3", Array(#"{"a":2}"#.utf8)), ("4", nil), ("5", [0xff, 0xfe]),
        ]
        try await bench.kafka.write(
            dirty.map { record in
                ProducerRecord(
                    topic: topic,
                    key: record.key.map { Array($0.utf8) },
                    value: record.value,
                    headers: [.init(name: "origin", value: Array("test".utf8))]
                )
            }
        )
        let worker = try bench.worker()
        try await worker.untilReady()
        for name in ["dirty-out", "dirty-smt", "dirty-fail"] {
            let record = bench.golden.records(of: "configs").first { $0.key == "connector-\(name)" }
            let value = try #require(record?.value), prefix = #"{"properties":"#
            #expect(value.hasPrefix(prefix))
            let body = String(value.dropFirst(prefix.count).dropLast())
            try await worker.change("PUT", "/connectors/\(name)/config", body)
        }
        for (queue, count) in [("dirty-dlq", 3), ("smt-dlq", 5)] {
            let name = try #require(bench.names[queue])
            try await worker.eventually("\(queue) has its letters") {
                try await bench.kafka.read(name).count >= count ? true : nil
            }
            let ours = try await bench.kafka.read(name), theirs = bench.golden.records.filter { $0.topic == name }
            #expect(ours.map(\.key) == theirs.map(\.key))
            for (mine, golden) in zip(ours, theirs) {
                let headers = mine.headers.map { [$0.name, $0.value.map { String(decoding: $0, as: UTF8.self) }] }
                // A stack of calls is the program's own; its first line is the exception and its message.
                #expect(headers.dropLast() == golden.headers.dropLast())
                #expect(headers.last?.first == "__connect.errors.exception.stacktrace")
                let lines = [headers.last, golden.headers.last].map { $0?.last??.split(separator: "\n").first }
                #expect(lines[0] == lines[1])
            }
        }
        try await worker.eventually("the sink without tolerance has failed") {
            let status = try await worker.get("/connectors/dirty-fail/status", as: ConnectorStatusBody.self)
            return status.tasks.first?.state == "FAILED" && status.tasks.first?.trace?.isEmpty == false ? true : nil
        }
        #expect(await worker.stop() == 0)
        for topic in ["configs", "status"] { try await compareShapes(bench, topic) }
    }
}
