import ConnectAPI
import ConnectTestKit
import FoundationEssentials
import Testing
import TransferClient

/// Starting without Kafka, stopping at any moment, and what a dead target does to memory.
@Suite(.timeLimit(.minutes(3))) struct LifecycleTests {
    @Test func `a worker whose Kafka is away waits for it, says so once, and goes on`() async throws {
        let folder = try WorkerProcess.makeFolder(), kafkaPort = try freePort()
        let worker = try WorkerProcess(
            folder: folder,
            port: try freePort(),
            arguments: ["--bootstrap-servers", "127.0.0.1:\(kafkaPort)"]
        )
        try await worker.eventually("REST says what it waits for") {
            let health = try await worker.send("GET", "/health")
            return health.status == 503 && health.text.contains("Kafka") ? true : nil
        }
        let kafka = try await KafkaProcess(port: kafkaPort)
        try await worker.untilReady()
        let warnings = worker.log.split(separator: "\n").filter {
            $0.contains("WARN") && $0.contains("Waiting for Kafka")
        }
        #expect(warnings.count == 1, "\(worker.log)")
        #expect(await worker.stop() == 0)
        withExtendedLifetime(kafka) {}
    }

    @Test(arguments: [0, 30, 120, 400]) func `Ctrl-C ends the worker within its time-out`(
        milliseconds: Int
    ) async throws {
        let folder = try WorkerProcess.makeFolder()
        try write(String(repeating: "a line of text\n", count: 20_000), folder + "/in.txt")
        try write(
            #"{"connector.class":"FileStreamSource","file":"\#(folder)/in.txt","topic":"lines"}"#,
            folder + "/config/in.json"
        )
        try write(
            #"{"connector.class":"FileSink","directory":"\#(folder)/out","topics":"lines"}"#,
            folder + "/config/out.json"
        )
        let worker = try WorkerProcess(folder: folder, port: try freePort(), arguments: ["--embedded-kafka"])
        let clock = ContinuousClock()
        // The moment is the point of this test: a signal may come at any time after the process has started.
        try await clock.sleep(for: .milliseconds(milliseconds))
        let took = await clock.measure { await worker.stop() }
        #expect(took < .seconds(15), "\(worker.log)")
    }

    @Test func `a target that does not answer never grows memory, and is named`() async throws {
        let folder = try WorkerProcess.makeFolder()
        let silent = try ScriptedHTTPServer { _ in .silence }
        defer { silent.close() }
        try write(String(repeating: String(repeating: "x", count: 199) + "\n", count: 100_000), folder + "/in.txt")
        let worker = try WorkerProcess(folder: folder, port: try freePort(), arguments: ["--embedded-kafka"])
        try await worker.untilReady()
        try await worker.put(
            "in",
            [
                "connector.class": "FileStreamSource", "file": folder + "/in.txt", "topic": "lines",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                "value.converter.schemas.enable": "false",
            ]
        )
        try await worker.put(
            "out",
            [
                "connector.class": "ElasticsearchSink", "connection.url": silent.url, "topics": "lines",
                "key.ignore": "true", "schema.ignore": "true", "read.timeout.ms": "500",
            ]
        )
        let status = try await worker.eventually("the outage shows") {
            let status = try await worker.get("/connectors/out/status", as: ConnectorStatusBody.self)
            return status.tasks.first?.note == nil ? nil : status
        }
        #expect(status.tasks.map(\.state) == ["RUNNING"])
        #expect(try resident(worker.pid) < 200 << 20)  // 20 MB of records lie in the embedded Kafka of the same process
        #expect(await worker.stop() == 0)
    }

    private func resident(_ pid: Int32) throws -> Int {
        let text =
            FileManager.default.contents(atPath: "/proc/\(pid)/status").map { String(decoding: $0, as: UTF8.self) }
            ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS") }
        return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0)
            << 10
    }
}
