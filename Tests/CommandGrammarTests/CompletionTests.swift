import ConnectTestKit
import Testing

@testable import CommandGrammar

@Suite struct CompletionTests {
    func complete(_ shell: Shell, _ words: String..., environment: [String: String] = [:]) async -> [Substring] {
        await Program.make().completions(for: shell, words, environment: environment).split(separator: "\n")
    }

    @Test func commandsWithHelpWhereTheShellShowsIt() async {
        #expect(await complete(.bash, "w") == ["worker"])
        #expect(await complete(.zsh, "w") == ["worker\tRun connectors."])
        #expect(await complete(.bash, "") == ["worker", "get", "put", "completion"])
        #expect(await complete(.fish, "get", "") == ["connectors\tShow connectors.", "plugin\tShow a plugin."])
        #expect(await complete(.bash) == ["worker", "get", "put", "completion"])
    }
    @Test func optionsOfAllLevels() async {
        #expect(
            await complete(.bash, "get", "connectors", "--") == [
                "--all", "--topic", "--output", "--url", "--no-color", "--help",
            ]
        )
        #expect(await complete(.bash, "worker", "--po") == ["--port", "--ports"])
    }
    @Test func values() async {
        #expect(await complete(.bash, "get", "--output", "") == ["table", "json", "yaml"])
        #expect(await complete(.bash, "get", "-o", "j") == ["json"])
        #expect(await complete(.zsh, "get", "--output=j") == ["--output=json"])
        #expect(await complete(.bash, "get", "--output", "=", "j") == ["json"], "bash cuts at the equals sign")
        #expect(await complete(.bash, "get", "--output", "=") == ["table", "json", "yaml"])
        #expect(await complete(.bash, "worker", "-f", "") == [":files"])
        #expect(await complete(.bash, "worker", "-qf", "x") == [":files"])
        #expect(await complete(.bash, "worker", "-p", "") == [])
        #expect(await complete(.bash, "worker", "--nope=", "") == [])
    }
    @Test func argumentsAskTheProgram() async {
        #expect(await complete(.bash, "get", "connectors", "") == ["orders", "prices"])
        #expect(await complete(.bash, "get", "connectors", "orders", "p") == ["prices"])
        #expect(await complete(.bash, "--url", "x", "get", "connectors", "") == ["other", "prices"])
        #expect(await complete(.bash, "get", "connectors", "", environment: ["T_URL": "x"]) == ["other", "prices"])
        #expect(await complete(.bash, "get", "connectors", "--", "o") == ["orders"])
        #expect(await complete(.bash, "put", "") == [":files"])
        #expect(await complete(.bash, "put", "a", "") == [])
        #expect(await complete(.bash, "completion", "") == ["bash", "zsh", "fish"])
    }
    @Test func throughTheParser() async {
        let box = Box()
        #expect(await Program.make()(["__complete", "zsh", "pu"], out: box.add, tell: box.add) == 0)
        #expect(box.text == "put\tChange.\n")
    }
    @Test(arguments: Shell.allCases) func scripts(shell: Shell) {
        expectGolden(shell.script(for: "my-tool"), "completion.\(shell.rawValue)")
    }
}
