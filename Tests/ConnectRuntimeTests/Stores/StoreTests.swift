import ConnectModel
import ConnectSDK
import Testing

@testable import ConnectRuntime

@Suite struct StoreTests {
    private func state(_ records: (String, String?)...) -> ConfigState {
        var state = ConfigState()
        for (offset, record) in records.enumerated() {
            _ = state.apply(
                LogRecord(
                    partition: 0,
                    offset: Int64(offset),
                    key: Array(record.0.utf8),
                    value: record.1.map { Array($0.utf8) }
                )
            )
        }
        return state
    }

    @Test func `tasks count only after their commit`() {
        let before = state(("connector-a", #"{"properties":{"x":"1"}}"#), ("task-a-0", #"{"properties":{"x":"1"}}"#))
        #expect(before.connectors["a"]?.tasks.isEmpty == true)
        let after = state(
            ("connector-a", #"{"properties":{"x":"1"}}"#),
            ("task-a-0", #"{"properties":{"x":"1"}}"#),
            ("commit-a", #"{"tasks":1}"#)
        )
        #expect(after.connectors["a"]?.tasks == [["x": "1"]])
    }
    @Test func `a commit without all its tasks makes the connector inconsistent`() {
        let half = state(
            ("connector-a", #"{"properties":{"x":"1"}}"#),
            ("task-a-1", #"{"properties":{"x":"1"}}"#),
            ("commit-a", #"{"tasks":2}"#)
        )
        #expect(half.connectors["a"]?.isInconsistent == true)
        #expect(half.connectors["a"]?.tasks.isEmpty == true)
    }
    @Test func `compaction may leave more tasks than the commit counts`() {
        let compacted = state(
            ("connector-a", #"{"properties":{}}"#),
            ("task-a-1", #"{"properties":{"n":"old"}}"#),
            ("task-a-0", #"{"properties":{"n":"new"}}"#),
            ("commit-a", #"{"tasks":1}"#)
        )
        #expect(compacted.connectors["a"]?.tasks == [["n": "new"]])
    }
    @Test func `a commit of a deleted connector is ignored`() {
        #expect(state(("connector-a", nil), ("commit-a", #"{"tasks":1}"#)).connectors.isEmpty)
    }
    @Test func `names with dashes keep their tasks apart`() {
        #expect(ConfigRecords.taskID(in: "task-a-1-0") == TaskID("a-1", 0))
        #expect(ConfigRecords.taskID(in: "task-nonumber") == nil)
        #expect(StatusKey("status-topic-t:connector-a:connector-b") == .topic("t", connector: "a:connector-b"))
    }
    @Test func `an offset key in another order is the same partition and keeps its bytes`() async throws {
        let log = FakeLog("offsets"), store = OffsetStore(log)
        let key = #"["a",{"z":1,"b":"x"}]"#
        store.take(LogRecord(partition: 0, offset: 0, key: Array(key.utf8), value: Array(#"{"n":1.5}"#.utf8)))
        let partition: OffsetMap = ["b": .string("x"), "z": .int(1)]
        #expect(store.stored(of: "a").first?.offset == ["n": .double(1.5)])
        try await store.put([SourcePosition(partition: partition, offset: ["n": .double(1e10)])], of: "a")
        #expect(log.entries == [FakeLog.Entry(key: key, value: #"{"n":1.0E10}"#)])
    }

    private func record(_ state: String, worker: String = "a:1", generation: Int = 1) -> StatusRecord {
        StatusRecord(state: state, workerID: worker, generation: generation, version: "1")
    }
    @Test func `a safe write never hides a newer owner`() {
        var state = StatusState()
        let key = StatusKey.task(TaskID("c", 0))
        _ = state.apply(key, record("RUNNING", worker: "b:1", generation: 5).json)
        #expect(!state.maySafelyWrite(record("UNASSIGNED", generation: 4), to: key))
        #expect(state.maySafelyWrite(record("UNASSIGNED", worker: "b:1", generation: 4), to: key))
        #expect(state.maySafelyWrite(record("FAILED", generation: 5), to: key))
        _ = state.apply(key, record("UNASSIGNED", generation: 4).json)
        #expect(state[key]?.state == "RUNNING")
    }
    @Test func `statuses are written in order and again after a failure`() async {
        let log = FakeLog("status"), store = StatusStore(log, clock: ImmediateClock())
        log.onRecord(store.take)
        log.fail(StoreError("Kafka is away"), StoreError("Kafka is away"))
        store.put(.connector("c"), record("RUNNING"))
        store.put(.connector("c"), record("PAUSED"))
        store.use(TopicUse(topic: "t", connector: "c", task: 0, discovered: 7))
        store.use(TopicUse(topic: "t", connector: "c", task: 1, discovered: 8))
        #expect(store.status(.connector("c"))?.state == "PAUSED")
        store.finish()
        await store.run()
        #expect(log.compacted["status-connector-c"]?.contains("PAUSED") == true)
        #expect(
            log.compacted["status-topic-t:connector-c"]
                == #"{"topic":{"name":"t","connector":"c","task":0,"discoverTimestamp":7}}"#
        )
        #expect(log.entries.count == 2)
        #expect(store.topics(of: "c") == ["t"])
    }
}

@Suite struct JSONTests {
    @Test(arguments: [
        #"{"a":1,"b":[true,null,"x"],"c":{"d":-1.50e3}}"#, #""\b\t\n\f\r\"\\é\u001F""#, "[]", "{}",
        #"{"b":1,"a":2}"#,
    ])
    func `bytes survive`(text: String) throws {
        #expect(String(decoding: try JSONParser.parse(Array(text.utf8)).bytes, as: UTF8.self) == text)
    }
    @Test(arguments: [
        ("{\n  \"a\": 1,\n}", 3, 1), ("{\"a\" 1}", 1, 6), ("", 1, 1), ("{\"a\":1} x", 1, 9), ("{\"a\":01}", 1, 6),
        ("{\"ä\":\"b\nc\"}", 1, 8), ("// x\n{}", 1, 1), ("{\"a\":1,\"a\":2}", 1, 8), ("\"\\ud800\"", 1, 2),
    ])
    func `a fault tells line and column`(text: String, line: Int, column: Int) {
        #expect {
            try JSONParser.parse(Array(text.utf8), refusesDuplicates: true)
        } throws: { error in
            let fault = error as? JSONFault
            return fault?.line == line && fault?.column == column
        }
    }
    @Test func `escapes are undone`() throws {
        #expect(try JSONParser.parse(Array(#""\u05d0\ud83d\ude00\/""#.utf8)).string == "א😀/")
    }
}
