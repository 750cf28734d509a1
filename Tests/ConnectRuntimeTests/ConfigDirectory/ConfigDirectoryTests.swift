import Lifecycle
import Testing

@testable import ConnectRuntime

@Suite(.timeLimit(.minutes(1))) struct ConfigDirectoryTests {
    private let good = #"{"connector.class":"FileStreamSource","topic":"t"}"#

    /// The directory beside a herder with topics in memory.
    private func follow(
        _ folder: TemporaryFolder,
        _ body: @Sendable @escaping (Fixture, ConfigDirectory) async throws -> Void
    ) async throws {
        try await Fixture().run { fixture in
            let directory = ConfigDirectory(folder.path, herder: fixture.herder, owners: fixture.context.configs)
            let stop = Latch()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await directory.run(until: stop) }
                let result: Result<Void, any Error>
                do { result = .success(try await body(fixture, directory)) } catch { result = .failure(error) }
                stop.open()
                try await group.waitForAll()
                try result.get()
            }
        }
    }

    @Test func `files create, change and delete connectors`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("a.json", good)
        try folder.write("worker.properties", "group.id=x")
        try await follow(folder) { fixture, _ in
            await fixture.until("a") { fixture.made.count == 1 }
            _ = try await fixture.herder.create(
                "by-hand",
                ["connector.class": "FileStreamSource", "topic": "t"],
                initialState: nil
            )
            try folder.write("b.json", #"{"name":"bee","config":{"connector.class":"FileStreamSink","topics":"t"}}"#)
            await fixture.until("bee") { fixture.context.configs.connector("bee") != nil }
            try folder.write("a.json", #"{"connector.class":"FileStreamSource","topic":"u"}"#)
            await fixture.until("a") { fixture.context.configs.connector("a")?.config["topic"] == "u" }
            try folder.remove("a.json")
            await fixture.until("a") { fixture.context.configs.connector("a") == nil }
            try folder.remove("b.json")
            await fixture.until("bee") { fixture.context.configs.connector("bee") == nil }
            #expect(try await fixture.herder.connectorNames() == ["by-hand"])
        }
    }
    @Test func `a ConfigMap's swapped directory works`() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("..1")
        try folder.write("..1/a.json", good)
        try folder.link("..data", to: "..1")
        try folder.link("a.json", to: "..data/a.json")
        try await follow(folder) { fixture, _ in
            await fixture.until("a") { fixture.context.configs.connector("a") != nil }
            try folder.makeFolder("..2")
            try folder.write("..2/a.json", #"{"connector.class":"FileStreamSource","topic":"swapped"}"#)
            try folder.link("..data_tmp", to: "..2")
            try folder.rename("..data_tmp", to: "..data")
            await fixture.until("a") { fixture.context.configs.connector("a")?.config["topic"] == "swapped" }
        }
    }
    @Test func `an invalid config is told with its key and changes nothing`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("a.json", "{\n  \"connector.class\": \"FileStreamSource\",\n  \"topic\": \"\"\n}")
        try await follow(folder) { fixture, directory in
            try folder.write("z.json", good)
            await fixture.until("z") { fixture.context.configs.connector("z") != nil }
            await directory.look()
            let problem = directory.problems.first
            #expect(problem?.key == "topic")
            #expect(problem?.line == 3)
            #expect(problem?.reason == "Invalid value  for configuration topic: String must be non-empty")
            #expect(fixture.context.configs.connector("a") == nil)
        }
    }
}
