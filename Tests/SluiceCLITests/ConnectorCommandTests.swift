import CommandGrammar
import Synchronization
import Testing

@testable import SluiceCLI

/// Answers from a table and keeps what it was asked.
final class FakeTransport: RESTTransport {
    private let answers: [String: (Int, String)]
    private let kept = Mutex<[String]>([])
    init(_ answers: [String: (Int, String)]) { self.answers = answers }
    var asked: [String] { kept.withLock { $0 } }
    func send(
        _ method: String,
        to url: String,
        body: [UInt8]?,
        timeout: Duration
    ) async throws(CLIError) -> RESTAnswer {
        let path = "\(method) \(url.dropFirst("http://127.0.0.1:8083".count))"
        let text = body.map { " " + String(decoding: $0, as: UTF8.self) } ?? ""
        kept.withLock { $0.append(path + text) }
        let (status, answer) = answers[path] ?? (404, #"{"error_code":404,"message":"Connector nope not found"}"#)
        return RESTAnswer(status: status, body: Array(answer.utf8))
    }
    func with(_ access: RESTAccess) throws(CLIError) -> any RESTTransport { self }
}

/// What a command wrote.
final class Screen: Sendable {
    private let text = Mutex((out: "", told: ""))
    var out: String { text.withLock { $0.out } }
    var told: String { text.withLock { $0.told } }
    func terminal(input: String = "") -> Terminal {
        Terminal(
            out: { more in self.text.withLock { $0.out += more } },
            tell: { more in self.text.withLock { $0.told += more + "\n" } },
            input: { Array(input.utf8) }
        )
    }
}

struct Ran {
    let status: Int32, out: String, told: String, asked: [String]
}

func run(_ words: String, _ answers: [String: (Int, String)], input: String = "") async -> Ran {
    let screen = Screen(), transport = FakeTransport(answers)
    let admin = AdminCommands(terminal: screen.terminal(input: input), transport: transport)
    let root = Command(
        "sluice",
        "Test.",
        options: AdminCommands.sharedOptions,
        commands: admin.connectorCommands
    )
    let status = await AdminCommands.run(
        root,
        words.split(separator: " ").map(String.init),
        environment: [:],
        terminal: screen.terminal()
    )
    return Ran(status: status, out: screen.out, told: screen.told, asked: transport.asked)
}

private let two = #"""
    {"b":{"info":{"name":"b","config":{"connector.class":"FileSink"},"tasks":[],"type":"sink"},
          "status":{"name":"b","connector":{"state":"RUNNING","worker_id":"h:1"},"type":"sink",
                    "tasks":[{"id":0,"state":"RUNNING","worker_id":"h:1"},{"id":1,"state":"FAILED","worker_id":"h:1"}]}},
     "a":{"info":{"name":"a","config":{"connector.class":"FileStreamSource"},"tasks":[],"type":"source"},
          "status":{"name":"a","connector":{"state":"PAUSED","worker_id":"h:1"},"type":"source","tasks":[]}}}
    """#

@Suite struct ConnectorCommandTests {
    @Test func `connectors are listed by name with running and all tasks`() async {
        let ran = await run("get connectors", ["GET /connectors?expand=status&expand=info": (200, two)])
        #expect(
            ran.out == """
                NAME   TYPE     STATE     TASKS   WORKER   CLASS
                a      source   PAUSED    0/0     h:1      FileStreamSource
                b      sink     RUNNING   1/2     h:1      FileSink

                """
        )
        #expect(ran.status == 0)
    }
    @Test func `an unknown connector is status 2 with the worker's words`() async {
        let ran = await run("pause nope", [:])
        #expect(ran.status == 2 && ran.told == "sluice: Connector nope not found\n")
    }
    @Test func `verbs take names as kcctl does and escape them`() async {
        let ran = await run(
            "stop connector a/b c",
            ["PUT /connectors/a%2Fb/stop": (204, ""), "PUT /connectors/c/stop": (204, "")]
        )
        #expect(ran.asked == ["PUT /connectors/a%2Fb/stop", "PUT /connectors/c/stop"])
        #expect(ran.told == "connector a/b stopped\nconnector c stopped\n")
    }
    @Test func `restart reaches tasks`() async {
        let ran = await run(
            "restart a/0 b --tasks failed",
            [
                "POST /connectors/a/tasks/0/restart": (204, ""),
                "POST /connectors/b/restart?includeTasks=true&onlyFailed=true": (202, "{}"),
            ]
        )
        #expect(ran.status == 0)
    }
    @Test func `apply reads both forms of JSON and says what became of it`() async {
        let flat = await run(
            "apply -f -",
            ["PUT /connectors/x/config": (201, "{}")],
            input: #"{"name":"x","tasks.max":2,"connector.class":"FileSink"}"#
        )
        #expect(flat.told == "connector x created\n")
        let nested = await run(
            "apply -f -",
            ["PUT /connectors/x/config": (200, "{}")],
            input: #"{"name":"x","config":{"tasks.max":2}}"#
        )
        #expect(nested.told == "connector x configured\n")
        #expect(nested.asked == [#"PUT /connectors/x/config {"tasks.max":"2"}"#])
    }
    @Test func `a broken file changes nothing and is named`() async {
        let ran = await run("apply -f -", [:], input: #"{"name": "#)
        #expect(ran.status == 1 && ran.asked.isEmpty)
        #expect(ran.told.hasPrefix("sluice: standard input: is not JSON: "))
    }
    @Test func `wrong use is status 64`() async {
        let ran = await run("apply", [:])
        #expect(ran.status == 64)
    }
}
