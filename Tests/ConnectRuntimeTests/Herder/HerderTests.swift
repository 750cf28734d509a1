import ConnectModel
import ConnectSDK
import Testing

@testable import ConnectRuntime

@Suite(.timeLimit(.minutes(1))) struct HerderTests {
    private let source: ConfigMap = [
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": "/data/in.txt", "topic": "lines",
    ]
    private let sink: ConfigMap = ["connector.class": "FileStreamSink", "tasks.max": "2", "topics": "lines"]

    @Test func `before the topics are read every call says so`() async throws {
        let fixture = try Fixture()
        fixture.herder.starting("Waiting for Kafka.")
        #expect(await fixture.herder.health() == .starting("Waiting for Kafka."))
        await #expect(throws: HerderError.starting("Worker is still starting up. Waiting for Kafka.")) {
            try await fixture.herder.connectorNames()
        }
    }
    @Test func `create runs the tasks and writes what Kafka Connect writes`() async throws {
        try await Fixture().run { fixture in
            let info = try await fixture.herder.create("lines-in", source, initialState: nil)
            #expect(info.tasks.isEmpty)
            #expect(info.config.keys == ["connector.class", "tasks.max", "file", "topic", "name"])
            await fixture.until("lines-in") { fixture.task(TaskID("lines-in", 0))?.snapshot.state == .running }
            #expect(fixture.configs.entries.map(\.key) == ["connector-lines-in", "task-lines-in-0", "commit-lines-in"])
            await fixture.status.wait(for: 2)
            let status = try await fixture.herder.status("lines-in")
            #expect(status.connector.state == "RUNNING")
            #expect(status.tasks.map(\.status.state) == ["RUNNING"])
            #expect(status.kind == .source)
            #expect(
                fixture.status.compacted["status-connector-lines-in"]
                    == #"{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:18383","generation":7,"version":"4.3.1"}"#
            )
            await #expect(throws: HerderError.alreadyExists("lines-in")) {
                try await fixture.herder.create("lines-in", source, initialState: nil)
            }
        }
    }
    @Test func `a connector born stopped has its target state first and no tasks`() async throws {
        try await Fixture().run { fixture in
            _ = try await fixture.herder.create("a", source, initialState: .stopped)
            await fixture.settle("a")
            #expect(fixture.configs.entries.map(\.key) == ["target-state-a", "connector-a"])
            #expect(try await fixture.herder.status("a").connector.state == "STOPPED")
            try await fixture.herder.resume("a")
            await fixture.until("a") { fixture.task(TaskID("a", 0))?.snapshot.state == .running }
        }
    }
    @Test func `a new config restarts the tasks, fewer tasks take statuses back`() async throws {
        try await Fixture().run { fixture in
            _ = try await fixture.herder.create("s", sink, initialState: nil)
            await fixture.until("s") { fixture.made.count == 2 }
            let first = fixture.made
            var smaller = sink
            smaller.set("tasks.max", "1")
            let (info, created) = try await fixture.herder.put("s", smaller)
            #expect(!created)
            #expect(info.tasks.count == 2)
            await fixture.until("s") { fixture.made.count == 3 }
            await fixture.settle("s")
            #expect(first.allSatisfy { $0.calls.last == "ended" })
            #expect(try await fixture.herder.status("s").tasks.count == 1)
            #expect(fixture.made[2].spec.epoch > first[1].spec.epoch)
        }
    }
    @Test func `the same config again starts nothing anew`() async throws {
        try await Fixture().run { fixture in
            _ = try await fixture.herder.create("s", sink, initialState: nil)
            await fixture.until("s") { fixture.made.count == 2 }
            _ = try await fixture.herder.put("s", sink)
            await fixture.settle("s")
            #expect(fixture.made.count == 2)
        }
    }
    @Test func `pause and resume reach the running tasks`() async throws {
        try await Fixture().run { fixture in
            _ = try await fixture.herder.create("s", sink, initialState: nil)
            await fixture.until("s") { fixture.made.count == 2 }
            try await fixture.herder.pause("s")
            await fixture.until("s") { fixture.made.allSatisfy { $0.snapshot.state == .paused } }
            #expect(fixture.configs.entries.last?.value == #"{"state":"PAUSED","state.v2":"PAUSED"}"#)
            #expect(try await fixture.herder.status("s").connector.state == "PAUSED")
            try await fixture.herder.resume("s")
            await fixture.until("s") { fixture.made.allSatisfy { $0.snapshot.state == .running } }
            #expect(fixture.made.count == 2)
        }
    }
    @Test func `stop takes the tasks away, delete leaves nothing but offsets`() async throws {
        try await Fixture().run { fixture in
            _ = try await fixture.herder.create("s", sink, initialState: nil)
            await fixture.until("s") { fixture.made.count == 2 }
            fixture.made[0].use("lines")
            try await fixture.herder.stop("s")
            await fixture.until("s") { fixture.made.allSatisfy { $0.calls.last == "ended" } }
            await fixture.settle("s")
            #expect(
                fixture.configs.entries.suffix(2).map(\.value) == [
                    #"{"tasks":0}"#, #"{"state":"PAUSED","state.v2":"STOPPED"}"#,
                ]
            )
            #expect(try await fixture.herder.status("s").tasks.isEmpty)
            #expect(try await fixture.herder.topics("s") == ["lines"])
            try await fixture.herder.delete("s")
            await fixture.until("s") { fixture.context.status.status(.connector("s")) == nil }
            await #expect(throws: HerderError.noStatus("connector s")) { try await fixture.herder.status("s") }
            await #expect(throws: HerderError.unknownConnector("s", .notFound)) { try await fixture.herder.info("s") }
            #expect(fixture.configs.entries.suffix(2).map(\.key) == ["connector-s", "target-state-s"])
        }
    }
    @Test func `restart with flags restarts what it says`() async throws {
        try await Fixture(["errors.restart.policy": "never"]).run { fixture in
            _ = try await fixture.herder.create("s", sink, initialState: nil)
            await fixture.until("s") { fixture.running == 2 }
            fixture.task(TaskID("s", 1))?.fail(.fatal(doing: "writing", because: "no space"))
            let plan = try await fixture.herder.restart("s", includeTasks: true, onlyFailed: true)
            #expect(plan.connector.state == "RUNNING")
            #expect(plan.tasks.map(\.status.state) == ["RUNNING", "RESTARTING"])
            await fixture.until("s") { fixture.made.count == 3 }
            #expect(fixture.made.last?.spec.id == TaskID("s", 1))
            #expect(
                fixture.configs.entries.last
                    == .init(key: "restart-connector-s", value: #"{"include-tasks":true,"only-failed":true}"#)
            )
            try await fixture.herder.restartTask(TaskID("s", 0))
            #expect(fixture.made.count == 4)
            await #expect(throws: HerderError.unknownTask(TaskID("s", 9))) {
                try await fixture.herder.restartTask(TaskID("s", 9))
            }
        }
    }
    @Test func `a failed task starts again by itself, a config error does not`() async throws {
        try await Fixture().run { fixture in
            _ = try await fixture.herder.create("a", source, initialState: nil)
            await fixture.until("a") { fixture.running == 1 }
            fixture.made[0].fail(.fatal(doing: "reading", because: "gone"))
            await fixture.until("a") { fixture.made.count == 2 && fixture.running == 1 }
            fixture.made[1].fail(.config("file", doing: "opening", because: "no such file"))
            await fixture.settle("a")
            #expect(fixture.made.count == 2)
            let status = try await fixture.herder.taskStatus(TaskID("a", 0)).status
            #expect(status.state == "FAILED")
            #expect(
                status.trace == "opening: no such file\nIt is not restarted by itself: only a change of file helps."
            )
        }
    }
    @Test func `a crash loop ends`() async throws {
        try await Fixture(["errors.restart.max.attempts": "3"]).run { fixture in
            _ = try await fixture.herder.create("a", source, initialState: nil)
            for run in 1...4 {
                await fixture.until("a") { fixture.made.count == run }
                await fixture.until("a") { fixture.made[run - 1].snapshot.state == .running }
                fixture.made[run - 1].fail(.fatal(doing: "reading", because: "gone"))
            }
            await fixture.settle("a")
            #expect(fixture.made.count == 4)
            #expect(
                try await fixture.herder.taskStatus(TaskID("a", 0)).status.trace?.contains("after 3 automatic restarts")
                    == true
            )
        }
    }
    @Test func `a worker that starts on a full topic runs it, and one that stops says so`() async throws {
        let fixture = try Fixture()
        for (key, value) in [
            ("connector-old", #"{"properties":{"connector.class":"FileStreamSource","topic":"t","name":"old"}}"#),
            (
                "task-old-0",
                #"{"properties":{"connector.class":"FileStreamSource","topic":"t","name":"old","#
                    + #""task.class":"org.apache.kafka.connect.file.FileStreamSourceTask"}}"#
            ),
            ("commit-old", #"{"tasks":1}"#),
        ] { fixture.configs.append(key, value) }
        fixture.status.append(
            "status-connector-ghost",
            #"{"state":"RUNNING","trace":null,"worker_id":"x:1","generation":1,"version":null}"#
        )
        try await fixture.run { fixture in
            await fixture.until("old") { fixture.made.count == 1 }
            await fixture.settle("old")
            #expect(fixture.configs.entries.count == 3)
        }
        #expect(fixture.status.compacted["status-task-old-0"]?.contains("UNASSIGNED") == true)
        #expect(fixture.status.compacted["status-connector-old"]?.contains("UNASSIGNED") == true)
        #expect(fixture.status.compacted["status-connector-ghost"] == nil)
    }
    @Test func `only what is assigned runs, and moves when the assignment does`() async throws {
        try await Fixture().run { fixture in
            fixture.herder.apply(Assignment(generation: 8, share: .only(connectors: ["s"], tasks: [TaskID("s", 0)])))
            _ = try await fixture.herder.create("s", sink, initialState: nil)
            await fixture.until("s") { fixture.made.count == 1 }
            await fixture.settle("s")
            #expect(fixture.made.map(\.spec.id) == [TaskID("s", 0)])
            fixture.herder.apply(Assignment(generation: 9, share: .only(connectors: [], tasks: [TaskID("s", 1)])))
            await fixture.until("s") { fixture.made.count == 2 }
            #expect(fixture.made[0].calls.last == "ended")
            #expect(fixture.made[1].spec.id == TaskID("s", 1))
        }
    }
}
