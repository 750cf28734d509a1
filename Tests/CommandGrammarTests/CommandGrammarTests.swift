import ConnectTestKit
import Synchronization
import Testing

@testable import CommandGrammar

enum Format: String, CaseIterable, Sendable { case table, json, yaml }

enum Flags {
    static let url = Option(
        "url",
        short: "u",
        .string,
        default: "http://localhost:8083",
        env: "T_URL",
        "Where REST is."
    )
    static let color = Option("color", .flag, default: true, "Colours.")
    static let format = Option("output", short: "o", Kind<Format>.choice, default: .table, "How the answer looks.")
    static let port = Option("port", short: "p", .int(in: 0...65_535), default: 8083, env: "T_PORT", "Port of REST.")
    static let wait = Option("wait", short: "w", .duration, default: .seconds(90), "How long to wait.")
    static let topic = Option("topic", .string, "Only this topic.")
    static let set = Option(
        "set",
        .list(of: .string.named("key=value")),
        default: [],
        "Changes a key; more than one is fine."
    )
    static let ports = Option(
        "ports",
        .list(of: .int(in: 1...9), separator: ","),
        default: [1, 2],
        env: "T_PORTS",
        "Some."
    )
    static let file = Option("file", short: "f", .path, "A file.")
    static let all = Option("all", short: "a", "All of them.")
    static let quiet = Option("quiet", short: "q", env: "T_QUIET", "Says nothing.")
}

/// Runs words against a small program; `seen` shows what the command got.
struct Program {
    static func make(_ seen: @escaping @Sendable (Values) -> Void = { _ in }) -> Command {
        let run: Command.Run = { values in
            seen(values)
            return 3
        }
        let names = Completion.dynamic { values in [values[Flags.url] == "x" ? "other" : "orders", "prices"] }
        return Command(
            "tool",
            "Does things with connectors, and its summary is so long that it has to be broken into two lines of help.",
            details: "Exit codes: 0 done, 1 failed, 64 wrong use.",
            options: [Flags.url, Flags.color],
            commands: [
                Command(
                    "worker",
                    "Run connectors.",
                    options: [Flags.port, Flags.wait, Flags.quiet, Flags.ports, Flags.file],
                    run: run
                ),
                Command(
                    "get",
                    "Show things.",
                    options: [Flags.format],
                    commands: [
                        Command(
                            "connectors",
                            aliases: ["connector"],
                            "Show connectors.",
                            options: [Flags.all, Flags.topic],
                            arguments: [Argument("name", .any, completion: names, "Names.")],
                            run: run
                        ),
                        Command(
                            "plugin",
                            "Show a plugin.",
                            arguments: [
                                Argument("class", .one, "Its class."), Argument("version", .optional, "Its version."),
                            ],
                            run: run
                        ),
                    ]
                ),
                Command(
                    "put",
                    "Change.",
                    options: [Flags.set],
                    arguments: [Argument("file", completion: .files, "Config.")],
                    run: run
                ),
                Command.completion(program: "tool") { _ in },
            ]
        )
    }
    /// What the command got, and the text shown or told.
    static func run(
        _ words: String...,
        environment: [String: String] = [:]
    ) async -> (values: Values, text: String, status: Int32) {
        let box = Box()
        let status = await make(box.keep)(words, environment: environment, out: box.add, tell: box.add)
        return (box.values, box.text, status)
    }
}

/// Keeps what a command got and what it said.
final class Box: Sendable {
    private let kept = Mutex((values: Values(), text: ""))
    var values: Values { kept.withLock { $0.values } }
    var text: String { kept.withLock { $0.text } }
    @Sendable func keep(_ values: Values) { kept.withLock { $0.values = values } }
    @Sendable func add(_ text: String) { kept.withLock { $0.text += text } }
}

@Suite struct ParsingTests {
    @Test func optionsInAllSpellings() async {
        for words in [["--port", "80"], ["--port=80"], ["-p", "80"], ["-p80"], ["-qp80"], ["-qp", "80"]] {
            let invocation = try? Program.make { #expect($0[Flags.port] == 80) }.parse(["worker"] + words)
            guard case .run(let run) = invocation else {
                Issue.record("\(words) does not parse")
                continue
            }
            #expect((try? await run()) == 3)
        }
    }
    @Test func defaultsEnvironmentAndGiven() async {
        let plain = await Program.run("worker").values
        #expect(plain[Flags.port] == 8083 && plain[Flags.wait] == .seconds(90) && plain[Flags.file] == nil)
        #expect(
            plain[Flags.ports] == [1, 2] && !plain[Flags.quiet] && plain[Flags.color] && !plain.isGiven(Flags.port)
        )
        let environment = ["T_PORT": "1", "T_QUIET": "1", "T_PORTS": "3,4", "T_URL": ""]
        let outside = await Program.run("worker", environment: environment).values
        #expect(outside[Flags.port] == 1 && outside[Flags.quiet] && outside[Flags.ports] == [3, 4])
        #expect(outside.isGiven(Flags.port) && outside[Flags.url] == "http://localhost:8083")
        let given = await Program.run("worker", "-p", "2", "--ports=5", "--ports", "6", environment: environment).values
        #expect(given[Flags.port] == 2 && given[Flags.ports] == [5, 6])
    }
    @Test func negationListsAndLiterals() async {
        let put = await Program.run("--no-color", "put", "--set", "a=1", "--set=b=--2", "--", "-file").values
        #expect(!put[Flags.color] && put[Flags.set] == ["a=1", "b=--2"] && put.arguments == ["-file"])
        let get = await Program.run("get", "-o", "json", "connector", "-a", "--topic", "t", "x", "-").values
        #expect(get[Flags.format] == .json && get[Flags.all] && get[Flags.topic] == "t" && get.arguments == ["x", "-"])
    }
    @Test(arguments: [
        (["wrker"], "tool: unknown command \"wrker\"; did you mean \"worker\"?\nTry \"tool --help\"."),
        (["get", "conn"], "tool: unknown command \"conn\"; did you mean \"connectors\"?\nTry \"tool get --help\"."),
        (["zzzz"], "tool: unknown command \"zzzz\"\nTry \"tool --help\"."),
        (["worker", "--prot", "1"], "tool: unknown option --prot; did you mean --port?\nTry \"tool worker --help\"."),
        (["worker", "-x"], "tool: unknown option -x\nTry \"tool worker --help\"."),
        (["worker", "--no-quiet"], "tool: unknown option --no-quiet\nTry \"tool worker --help\"."),
        (["worker", "--port"], "tool: --port needs a value\nTry \"tool worker --help\"."),
        (["worker", "--port", "--quiet"], "tool: --port needs a value\nTry \"tool worker --help\"."),
        (
            ["worker", "-p", "65536"],
            "tool: -p expects a number from 0 to 65535, got \"65536\"\nTry \"tool worker --help\"."
        ),
        (
            ["worker", "--wait", "5"],
            "tool: --wait expects a time such as 500ms, 30s, 5m or 1h30m, got \"5\"\nTry \"tool worker --help\"."
        ),
        (
            ["get", "-o", "jsn", "connectors"],
            "tool: -o expects one of table, json, yaml, got \"jsn\"\nTry \"tool get --help\"."
        ),
        (["get"], "tool: a command is missing\nTry \"tool get --help\"."),
        (["put"], "tool: <file> is missing\nTry \"tool put --help\"."),
        (["get", "plugin", "a", "b", "c"], "tool: unexpected argument \"c\"\nTry \"tool get plugin --help\"."),
        (["completion", "csh"], "<shell> is one of bash, zsh, fish"),
    ]) func wrongUse(words: [String], text: String) async {
        let box = Box()
        let status = await Program.make()(words, out: { _ in }, tell: box.add)
        #expect(box.text == text && status == 64)
    }
    @Test func wrongEnvironmentIsNamed() async {
        let result = await Program.run("worker", environment: ["T_PORT": "x"])
        #expect(result.status == 64)
        #expect(result.text.hasPrefix("tool: environment variable T_PORT expects a number from 0 to 65535, got \"x\""))
    }
    @Test func aCommandThatThrowsEndsWith1() async {
        struct Broken: Error, CustomStringConvertible { var description: String { "cannot reach it" } }
        let box = Box()
        let tool = Command("tool", "T.", commands: [Command("fail", "F.") { _ in throw Broken() }])
        #expect(await tool(["fail"], out: { _ in }, tell: box.add) == 1)
        #expect(box.text == "tool: cannot reach it")
    }
    @Test(arguments: [
        ("0s", Duration.zero), ("1500ms", .milliseconds(1_500)), ("1h30m", .seconds(5_400)), ("2d", .seconds(172_800)),
        ("7us", .microseconds(7)),
    ]) func durations(text: String, time: Duration) { #expect(readDuration(text) == time) }
    @Test(arguments: ["", "5", "s", "-1s", "1s1s", "1.5s", "99999999999999d", "1s ", "٣s"]) func noDurations(
        text: String
    ) {
        #expect(readDuration(text) == nil)
    }
    @Test func durationsRoundTrip() {
        #expect(
            show(.milliseconds(90_061_001)) == "1d1h1m1s1ms" && readDuration("1d1h1m1s1ms") == .milliseconds(90_061_001)
        )
    }
    @Test func suggestions() {
        let words = ["worker", "apply", "wait"]
        #expect(suggestion(for: "wroker", among: words) == "; did you mean \"worker\"?")
        #expect(suggestion(for: "app", among: words) == "; did you mean \"apply\"?")
        #expect(suggestion(for: "--wiat", among: ["--wait"], prefix: "") == "; did you mean \"--wait\"?")
        #expect(suggestion(for: "zzz", among: words) == "")
    }
}

@Suite struct HelpTests {
    @Test(arguments: [[], ["worker"], ["get"], ["get", "connectors"], ["put"], ["completion"]])
    func pages(path: [String]) async {
        let (page, again) = (Box(), Box())
        #expect(await Program.make()(path + ["--help"], out: page.add, tell: page.add) == 0)
        expectGolden(page.text, (["help"] + path).joined(separator: "-") + ".txt")
        #expect(page.text.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(await Program.make()(["help"] + path, out: again.add, tell: again.add) == 0)
        #expect(again.text == page.text)
    }
}
