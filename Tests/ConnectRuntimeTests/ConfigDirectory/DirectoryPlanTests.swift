import Testing

@testable import ConnectRuntime

@Suite struct DirectoryPlanTests {
    private let good = #"{"connector.class":"FileStreamSource","topic":"t"}"#

    /// A directory as values: name to content.
    private struct Script {
        var plan = DirectoryPlan(path: "config")
        var owned: [String: String] = [:]
        var inode: UInt64 = 1
        /// What the plan wants done, as text; applied changes become owned as the real thing does.
        mutating func look(_ files: [String: String], at seconds: Int = 0) -> [String] {
            let stamps = files.mapValues { text in
                DirectoryLook.Stamp(inode: 1, size: Int64(text.utf8.count), modified: Int64(text.hashValue))
            }
            let changes = plan.took(
                DirectoryLook(directory: inode, files: stamps),
                owned: owned,
                now: .seconds(seconds)
            ) { files[$0].map { Array($0.utf8) } }
            return changes.map { change in
                switch change {
                case .apply(let file, let parsed):
                    plan.applied(file, problem: nil)
                    owned[parsed.name] = file
                    return "apply \(parsed.name) of \(file)"
                case .delete(let name, let file):
                    owned[name] = nil
                    return "delete \(name) of \(file)"
                }
            }
        }
    }

    @Test func `new, changed and removed files`() {
        var script = Script()
        #expect(script.look(["a.json": good]) == ["apply a of a.json"])
        #expect(script.look(["a.json": good]).isEmpty)
        #expect(script.look(["a.json": good + "\n", "b.json": good]) == ["apply a of a.json", "apply b of b.json"])
        #expect(script.look(["b.json": good]) == ["delete a of a.json"])
        #expect(script.plan.problems.isEmpty)
    }
    @Test func `a half-written file waits, a broken one is told and changes nothing`() {
        var script = Script()
        #expect(script.look(["a.json": good]) == ["apply a of a.json"])
        #expect(script.look(["a.json": String(good.dropLast(5))], at: 1).isEmpty)
        #expect(script.plan.isRestless)
        #expect(script.plan.problems.isEmpty)
        #expect(script.look(["a.json": String(good.dropLast(5))], at: 4).isEmpty)
        #expect(script.plan.problems.map(\.line) == [1])
        #expect(!script.plan.isRestless)
        #expect(script.look(["a.json": good], at: 5) == ["apply a of a.json"])
        #expect(script.plan.problems.isEmpty)
    }
    @Test func `two files with one name: the first counts until it goes`() {
        var script = Script()
        let named = #"{"name":"x","config":{"connector.class":"FileStreamSource","topic":"t"}}"#
        #expect(script.look(["a.json": named, "b.json": named]) == ["apply x of a.json"])
        #expect(script.plan.problems.map(\.file) == ["config/b.json"])
        #expect(script.look(["b.json": named]) == ["apply x of b.json"])
        #expect(script.plan.problems.isEmpty)
    }
    @Test func `a file removed while no worker ran deletes its connector`() {
        var script = Script(owned: ["old": "old.json"])
        #expect(script.look(["a.json": good]) == ["apply a of a.json", "delete old of old.json"])
    }
    @Test func `a renamed connector in the same file replaces the old one`() {
        var script = Script()
        _ = script.look(["a.json": good])
        #expect(
            script.look(["a.json": #"{"name":"z","config":{"connector.class":"FileStreamSource"}}"#])
                == ["apply z of a.json", "delete a of a.json"]
        )
    }
    @Test func `a lost mount deletes nothing`() {
        var fresh = Script(owned: ["a": "a.json"])
        #expect(fresh.look([:]).isEmpty)
        #expect(fresh.plan.problems.count == 1)
        var script = Script()
        _ = script.look(["a.json": good])
        script.inode = 2
        #expect(script.look([:]).isEmpty)
        #expect(script.plan.problems.count == 1)
        script.inode = 1
        #expect(script.look([:]).isEmpty)
        #expect(script.look([:]) == ["delete a of a.json"])
    }
    @Test(arguments: [
        ("{\n \"name\": \"a\",\n \"config\": {\n  \"topics\": [1]\n }\n}", 4, 3, "topics"),
        ("{\"name\":\"a\",\"config\":{},\"initial_state\":\"GONE\"}", 1, 25, "initial_state"),
        ("{\"name\":\"a\",\"config\":{},\"conifg\":{}}", 1, 25, "conifg"), ("{\"name\":7,\"config\":{}}", 1, 2, "name"),
    ])
    func `a problem names line, column and key`(text: String, line: Int, column: Int, key: String) {
        #expect {
            try ConfigFile(Array(text.utf8), path: "a.json")
        } throws: { error in
            let problem = error as? ConfigDirectoryProblem
            return problem?.line == line && problem?.column == column && problem?.key == key
        }
    }
    @Test func `numbers and truth values become texts`() throws {
        let file = try ConfigFile(Array(#"{"tasks.max":2,"x":true,"n":null}"#.utf8), path: "dir/a.json")
        #expect(file.name == "a")
        #expect(file.config == ["tasks.max": "2", "x": "true", "n": nil])
    }
}
