import ConnectTestKit
import FoundationEssentials
import Testing
import TransferClient

/// Secrets given in every way a config takes them, then looked for in every answer and in the log.
@Suite(.timeLimit(.minutes(2))) struct SecretLeakTests {
    @Test func `no answer and no log line shows a secret`() async throws {
        let folder = try WorkerProcess.makeFolder([
            "config.providers": "env,file,cmd", "config.providers.cmd.class": "CommandConfigProvider",
            "config.providers.cmd.param.command": "/bin/cat",
        ])
        func secret(_ name: String) -> String { "\(name)-\(UInt32.random(in: 0 ... .max))-geheim" }
        let (inline, fromFile, fromVariable, fromCommand) = (secret("a"), secret("b"), secret("c"), secret("d"))
        let (jaas, url, nested, bad) = (secret("e"), secret("f"), secret("g"), secret("h"))
        let secrets = [inline, fromFile, fromVariable, fromCommand, jaas, url, nested, bad]
        try write("db.password=\(fromFile)\n", folder + "/secrets.properties")
        try write(fromCommand + "\n", folder + "/token")
        let worker = try WorkerProcess(
            folder: folder,
            port: try freePort(),
            arguments: ["--embedded-kafka", "--log-level", "trace", "--log-format", "json"],
            environment: ["DB_PASSWORD": fromVariable]
        )
        try await worker.untilReady()
        try write("a line\n", folder + "/in.txt")
        let sinks = [
            "inline": inline, "variable": "${env:DB_PASSWORD}", "command": "${cmd:\(folder)/token}",
            "file": "${file:\(folder)/secrets.properties:db.password}",
        ]
        try await worker.put("in", ["connector.class": "FileStreamSource", "file": folder + "/in.txt", "topic": "t"])
        for (name, password) in sinks {
            // Nothing listens there: the password is used, and the outage is told.
            try await worker.put(
                name,
                [
                    "connector.class": "PostgresSink", "topics": "t", "connection.password": password,
                    "connection.url": "postgresql://ada:\(url)@127.0.0.1:1/db", "table.name.format": "t",
                    "consumer.override.sasl.jaas.config": "x required password=\"\(jaas)\";",
                    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                    "value.converter.basic.auth.user.info.password": nested,
                ]
            )
        }
        try await worker.eventually("every sink tells its outage") {
            let text = try await worker.send("GET", "/connectors?expand=status").text
            return text.split(separator: "\"note\":").count > sinks.count ? true : nil
        }
        var seen = try await answers(worker, Array(sinks.keys), bad)
        #expect(await worker.stop() == 0)
        seen.append(worker.log)
        for secret in secrets {
            for text in seen where text.contains(secret) {
                let place = text.split(separator: "\n").first { $0.contains(secret) } ?? ""
                Issue.record("a secret shows in \(text.prefix(80)): \(place.prefix(400))")
            }
        }
        for line in worker.log.split(separator: "\n") where !(line.hasPrefix("{") && line.hasSuffix("}")) {
            Issue.record("a line of the log is not JSON: \(line)")
        }
    }

    /// Everything that can be asked, with mistakes of every kind that hold the secret `bad`.
    private func answers(_ worker: WorkerProcess, _ sinks: [String], _ bad: String) async throws -> [String] {
        var seen: [String] = []
        func ask(_ method: String, _ path: String, _ body: String? = nil) async throws {
            let answer = try await worker.send(method, path, body)
            let headers = answer.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            seen.append("\(method) \(path)\n\(headers)\n\(answer.text)")
        }
        for name in sinks {
            for part in ["", "/config", "/status", "/tasks", "/tasks/0/status", "/offsets", "/topics"] {
                try await ask("GET", "/connectors/\(name)\(part)")
            }
            try await ask("PATCH", "/connectors/\(name)/config", #"{"batch.size":"0","connection.password":"\#(bad)"}"#)
            try await ask("POST", "/connectors/\(name)/restart?includeTasks=true")
        }
        try await ask("GET", "/connectors?expand=info&expand=status")
        try await ask("GET", "/admin/tasks")
        try await ask("GET", "/metrics")
        let wrong =
            #"{"connector.class":"PostgresSink","connection.url":"jdbc:postgresql://h/db?password=\#(bad)","batch.size":"0","connection.password":"\#(bad)"}"#
        try await ask("PUT", "/connector-plugins/PostgresSink/config/validate", wrong)
        try await ask("POST", "/connectors", #"{"name":"n","config":{"connection.password":"\#(bad)"}}"#)
        try await ask("POST", "/connectors", #"{"name":"n","config":{"password":"\#(bad)","x":}}"#)
        try write(
            #"{"connector.class":"PostgresSink","connection.password":"\#(bad)" "x"}"#,
            worker.folder + "/config/bad.json"
        )
        try await worker.eventually("the broken file is told") {
            let answer = try await worker.send("GET", "/admin/config-directory").text
            seen.append(answer)
            return answer.contains("bad.json") ? true : nil
        }
        return seen
    }
}
