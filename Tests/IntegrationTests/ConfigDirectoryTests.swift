import ConnectAPI
import ConnectTestKit
import FoundationEssentials
import Testing
import TransferClient

/// Connector JSON dropped, changed, broken and removed while the worker runs (two seconds are the promise).
@Suite(.timeLimit(.minutes(2))) struct ConfigDirectoryTests {
    private func config(_ folder: String, _ topic: String) -> String {
        #"{"connector.class":"FileStreamSource","file":"\#(folder)/in.txt","topic":"\#(topic)","tasks.max":1}"#
    }

    @Test func `files create, change and delete connectors within two seconds`() async throws {
        let folder = try WorkerProcess.makeFolder()
        let worker = try WorkerProcess(folder: folder, port: try freePort(), arguments: ["--embedded-kafka"])
        try await worker.untilReady()
        try write("one\n", folder + "/in.txt")

        try write(config(folder, "t1"), folder + "/config/lines.json")
        try await worker.eventually("created", within: .seconds(2)) {
            try await worker.get("/connectors/lines", as: ConnectorInfoBody.self).config["topic"] == "t1" ? true : nil
        }
        try write(config(folder, "t2"), folder + "/config/lines.json")
        try await worker.eventually("changed", within: .seconds(2)) {
            try await worker.get("/connectors/lines", as: ConnectorInfoBody.self).config["topic"] == "t2" ? true : nil
        }
        try write(
            "{\n  \"connector.class\": \"FileStreamSource\",\n  \"topic\" \"t3\"\n}",
            folder + "/config/lines.json"
        )
        let problems = try await worker.eventually("reported", within: .seconds(3)) {
            let found = try await worker.get("/admin/config-directory", as: [ConfigFileProblemBody].self)
            return found.isEmpty ? nil : found
        }
        #expect(problems.map(\.line) == [3] && problems[0].file.hasSuffix("lines.json"), "\(problems)")
        #expect(try await worker.get("/connectors/lines", as: ConnectorInfoBody.self).config["topic"] == "t2")
        #expect(worker.log.contains("lines.json"))

        try FileManager.default.removeItem(atPath: folder + "/config/lines.json")
        try await worker.eventually("deleted", within: .seconds(2)) {
            try await worker.send("GET", "/connectors/lines").status == 404 ? true : nil
        }
        #expect(await worker.stop() == 0)
    }

    @Test func `a config with a bad value is refused with its key and line`() async throws {
        let folder = try WorkerProcess.makeFolder()
        let worker = try WorkerProcess(folder: folder, port: try freePort(), arguments: ["--embedded-kafka"])
        try await worker.untilReady()
        try write(
            "{\n  \"connector.class\": \"FileStreamSource\",\n  \"topic\": \"t\",\n  \"tasks.max\": 0\n}",
            folder + "/config/bad.json"
        )
        let problem = try await worker.eventually("reported", within: .seconds(3)) {
            try await worker.get("/admin/config-directory", as: [ConfigFileProblemBody].self).first
        }
        #expect(problem.key == "tasks.max" && problem.reason.contains("Value must be at least 1"), "\(problem)")
        #expect(try await worker.send("GET", "/connectors/bad").status == 404)
        #expect(await worker.stop() == 0)
    }
}

func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
