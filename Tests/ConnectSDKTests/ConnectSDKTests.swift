import ConnectConfig
import ConnectModel
import ConnectSDK
import Testing

@Suite struct OffsetMapTests {
    @Test func `order does not matter for equality but is kept`() {
        let a: OffsetMap = ["b": .int(1), "a": .string("x")]
        var b: OffsetMap = ["a": .string("x"), "b": .int(2)]
        #expect(a != b)
        b["b"] = .int(1)
        #expect(a == b && a.hashValue == b.hashValue)
        #expect(a.pairs.map(\.key) == ["b", "a"])
        b["b"] = nil
        #expect(b == ["a": .string("x")])
    }
}

@Suite struct PluginsTests {
    private struct Idle: SinkTask {
        func start() async throws(TaskFailure) {}
        func put(_ batch: SinkBatch) async throws(TaskFailure) {}
    }
    private let plugins = Plugins(connectors: [
        SinkDescriptor(
            name: "FileStreamSink",
            aliases: ["org.apache.kafka.connect.file.FileStreamSinkConnector"],
            version: "1",
            summary: "Writes lines.",
            keys: [],
            check: { _ throws(ConfigInvalid) in },
            make: { _, _ throws(ConfigInvalid) in Idle() }
        )
    ])

    @Test(arguments: [
        "FileStreamSink", "FileStreamSinkConnector", "org.apache.kafka.connect.file.FileStreamSinkConnector",
    ]) func `a connector goes by name, class name and short name`(name: String) {
        #expect(plugins.connector(named: name)?.name == "FileStreamSink")
    }
    @Test func `another package's class of the same name is unknown`() {
        #expect(plugins.connector(named: "com.acme.FileStreamSinkConnector") == nil)
        #expect(plugins.connector(named: "Nope") == nil)
    }
    @Test func `a sink has as many task configs as allowed`() {
        #expect(plugins.connectors[0].taskConfigs(["a": "b"], most: 3).count == 3)
    }
}
