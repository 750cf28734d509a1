import ConnectTestKit
import FoundationEssentials
import PostgresClient
import Testing
import TransferClient

/// Offsets moved through REST reach what exactly-once sinks keep beside their data.
@Suite(
    .timeLimit(.minutes(3)),
    .enabled(if: RealKafka.isAvailable, Comment(rawValue: RealKafka.skipReason))
) struct OffsetResetTests {
    @Test func `a reset and an offset set by hand reach PostgreSQL and the files`() async throws {
        let kafka = try await RealKafka.shared()
        let postgres = try PostgresServer.shared(), database = try postgres.makeDatabase()
        let folder = try WorkerProcess.makeFolder(), topic = RealKafka.uniqueName("reset")
        try write((0..<10).map { #"{"id":\#($0)}"# + "\n" }.joined(), folder + "/in.jsonl")
        let worker = try WorkerProcess(
            folder: folder,
            port: try freePort(),
            arguments: ["--bootstrap-servers", kafka.bootstrapServers]
        )
        try await worker.untilReady()
        try await worker.put(
            "in",
            [
                "connector.class": "FileStreamSource", "file": folder + "/in.jsonl", "topic": topic,
                "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            ]
        )
        let rows = RealKafka.uniqueName("rows"), lines = RealKafka.uniqueName("lines")
        try await worker.put(
            rows,
            [
                "connector.class": "PostgresSink", "topics": topic, "connection.url": postgres.url(database: database),
                "table.name.format": "t", "auto.create": "true",
            ]
        )
        try await worker.put(
            lines,
            [
                "connector.class": "FileSink", "topics": topic, "directory": folder + "/out",
                "rotate.interval.ms": "200",
            ]
        )
        try await worker.untilDelivered(["in", rows, lines])
        let session = try PostgresSession(PostgresSettings(url: postgres.url(database: database)))
        func ids() throws -> [String?] { try session.execute("SELECT id FROM t ORDER BY id").rows.map { $0[0] } }
        #expect(try ids().count == 10)

        for name in [rows, lines] {
            #expect(try await worker.send("PUT", "/connectors/\(name)/stop").status == 204)
            let answer = try await worker.eventually("the group is empty") {
                let answer = try await worker.send("DELETE", "/connectors/\(name)/offsets")
                return answer.status == 500 ? nil : answer
            }
            #expect(answer.text == #"{"message":"The offsets for this connector have been reset successfully"}"#)
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder + "/out").allSatisfy { !$0.hasSuffix(".jsonl") }
        )
        for name in [rows, lines] { #expect(try await worker.send("PUT", "/connectors/\(name)/resume").status == 202) }
        try await worker.eventually("the rows came again") { try ids().count == 20 ? true : nil }
        try await worker.eventually("the files came again") {
            try FileManager.default.contentsOfDirectory(atPath: folder + "/out").contains { $0.hasSuffix(".jsonl") }
                ? true : nil
        }

        #expect(try await worker.send("PUT", "/connectors/\(rows)/stop").status == 204)
        let offsets =
            #"{"offsets":[{"partition":{"kafka_topic":"\#(topic)","kafka_partition":0},"offset":{"kafka_offset":8}}]}"#
        try await worker.eventually("the offset is set") {
            try await worker.send("PATCH", "/connectors/\(rows)/offsets", offsets).status == 200 ? true : nil
        }
        #expect(try await worker.send("PUT", "/connectors/\(rows)/resume").status == 202)
        try await worker.eventually("the last two came once more") { try ids().count == 22 ? true : nil }
        #expect(try ids().filter { $0 == "9" }.count == 3)
        #expect(await worker.stop() == 0)
    }
}
