import ConnectModel
import ConnectSDK
import Testing

@testable import ConnectRuntime

@Suite(.enabled(if: GoldenTopics.isHere, "no recorded topics beside the repository"))
struct GoldenTopicTests {
    @Test func `replaying the config topic gives what the cluster had`() throws {
        var state = ConfigState()
        for record in try GoldenTopics("basic").records(of: "connect-configs") {
            let change = state.apply(record.asLog)
            if record.action.hasPrefix("PUT /connectors/lines-in/stop"), record.key == "target-state-lines-in" {
                #expect(state.connectors["lines-in"]?.target == .stopped)
                #expect(state.connectors["lines-in"]?.tasks.isEmpty == true)
            }
            if record.key?.hasPrefix("restart-connector") == true {
                #expect(change == .restart("lines-in", RestartRequest(includeTasks: true, onlyFailed: false)))
            }
        }
        #expect(Set(state.connectors.keys) == ["born-stopped"])
        #expect(state.connectors["born-stopped"]?.target == .stopped)
        #expect(state.connectors["born-stopped"]?.hasTarget == true)
        #expect(state.nextOffset == 27)
    }
    @Test func `replaying the exactly-once config topic knows the fenced tasks`() throws {
        var state = ConfigState()
        for record in try GoldenTopics("exactly-once").records(of: "connect-configs") {
            _ = state.apply(record.asLog)
            if record.key == "tasks-fencing-eos-in", record.action.hasPrefix("PUT") {
                #expect(state.connectors["eos-in"]?.fencedTasks == 1)
                #expect(state.connectors["eos-in"]?.tasks.count == 1)
            }
        }
        #expect(state.connectors.isEmpty)
    }
    @Test(arguments: ["basic", "errors", "exactly-once"])
    func `every config record is written with the bytes it was read with`(name: String) throws {
        for record in try GoldenTopics(name).records(of: "connect-configs") {
            let key = try #require(record.key)
            let value = try record.value.map { try JSONParser.parse(Array($0.utf8)) }
            let again: LogWrite
            if let name = ConfigRecords.name(in: key, after: .connector) {
                again = ConfigRecords.connector(name, ConfigRecords.properties(value))
            } else if let id = ConfigRecords.taskID(in: key) {
                again = ConfigRecords.task(id, try #require(ConfigRecords.properties(value)))
            } else if let name = ConfigRecords.name(in: key, after: .commit) {
                again = ConfigRecords.commit(name, tasks: Int(try #require(value?["tasks"]?.int)))
            } else if let name = ConfigRecords.name(in: key, after: .target) {
                again = ConfigRecords.target(name, value.flatMap(ConfigRecords.targetState))
            } else if let name = ConfigRecords.name(in: key, after: .restart) {
                again = ConfigRecords.restart(name, try #require(ConfigRecords.restartRequest(value)))
            } else if let name = ConfigRecords.name(in: key, after: .fencing) {
                again = ConfigRecords.fencing(name, tasks: Int(try #require(value?["task-count"]?.int)))
            } else if let name = ConfigRecords.name(in: key, after: .logger) {
                again = ConfigRecords.logLevel(name, try #require(value?["level"]?.string))
            } else {
                #expect(key == ConfigRecords.sessionKey)
                continue
            }
            #expect(String(decoding: again.key, as: UTF8.self) == key)
            #expect(again.value.map { String(decoding: $0, as: UTF8.self) } == record.value)
        }
    }
    @Test(arguments: ["basic", "errors", "exactly-once"])
    func `tasks are split and ordered as Kafka Connect does`(name: String) throws {
        let records = try GoldenTopics(name).records(of: "connect-configs")
        var connectors: [String: ConfigMap] = [:], compared = 0
        for record in records {
            let key = try #require(record.key)
            let value = try record.value.map { try JSONParser.parse(Array($0.utf8)) }
            if let name = ConfigRecords.name(in: key, after: .connector) {
                connectors[name] = ConfigRecords.properties(value)
            } else if let id = ConfigRecords.taskID(in: key) {
                let config = try #require(connectors[id.connector])
                let descriptor = try #require(Fixture.plugins.connector(named: config["connector.class"] ?? ""))
                let tasks = TaskConfigs.make(config, completed: config.dictionary, of: descriptor)
                let bytes = ConfigRecords.task(id, tasks[id.task]).value
                #expect(bytes.map { String(decoding: $0, as: UTF8.self) } == record.value)
                compared += 1
            }
        }
        #expect(compared > 1)
    }
    @Test(arguments: ["basic", "errors", "exactly-once"])
    func `every status record is written with the bytes it was read with`(name: String) throws {
        var state = StatusState()
        for record in try GoldenTopics(name).records(of: "connect-status") {
            let text = try #require(record.key)
            let key = try #require(StatusKey(text))
            #expect(key.text == text)
            let value = try record.value.map { try JSONParser.parse(Array($0.utf8)) }
            let isTaken = state.apply(key, value)
            #expect(isTaken)
            guard let value else { continue }
            let again: JSON
            if case .topic = key {
                again = try #require(TopicUse(value)).json
            } else {
                again = try #require(StatusRecord(value)).json
            }
            #expect(String(decoding: again.bytes, as: UTF8.self) == record.value)
        }
        if name == "basic" {
            #expect(state.connectors.keys.sorted() == ["born-stopped"])
            #expect(state.tasks.isEmpty)
            #expect(state.generation == 15)
        }
    }
    @Test func `offsets are found and written under the key they had`() async throws {
        let log = FakeLog("connect-offsets"), store = OffsetStore(log)
        log.onRecord(store.take)
        for record in try GoldenTopics("basic").records(of: "connect-offsets") { store.take(record.asLog) }
        let file: OffsetMap = ["filename": .string("/data/in.txt")]
        #expect(store.stored(of: "lines-in") == [SourcePosition(partition: file, offset: ["position": .int(24)])])
        try await store.put([SourcePosition(partition: file, offset: ["position": .int(25)])], of: "lines-in")
        try await store.put([SourcePosition(partition: file, offset: nil)], of: "lines-in")
        #expect(
            log.entries == [
                FakeLog.Entry(key: #"["lines-in",{"filename":"/data/in.txt"}]"#, value: #"{"position":25}"#),
                FakeLog.Entry(key: #"["lines-in",{"filename":"/data/in.txt"}]"#, value: nil),
            ]
        )
        #expect(store.stored(of: "lines-in").isEmpty)
    }
}
