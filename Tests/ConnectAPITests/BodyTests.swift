import ConnectAPI
import FoundationEssentials
import Testing

@Suite struct BodyTests {
    private func json(_ body: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(body), as: UTF8.self)
    }

    @Test func `a status has Kafka Connect's keys and leaves out what it has not`() throws {
        let status = ConnectorStatusBody(
            name: "fs",
            connector: ConnectorStateBody(state: "RUNNING", workerID: "h:1", trace: nil, version: "4.3.1"),
            tasks: [TaskStateBody(id: 0, state: "FAILED", workerID: "h:1", trace: "why", version: nil)],
            type: "source"
        )
        #expect(
            try json(status)
                == #"{"connector":{"state":"RUNNING","version":"4.3.1","worker_id":"h:1"},"name":"fs","#
                + #""tasks":[{"id":0,"state":"FAILED","trace":"why","worker_id":"h:1"}],"type":"source"}"#
        )
    }

    @Test func `a key without default and group says null`() throws {
        let key = ConfigKeyBody(name: "file", type: "STRING", required: false, defaultValue: nil, importance: "HIGH")
        let text = try json(key)
        #expect(text.contains(#""default_value":null"#) && text.contains(#""group":null"#))
        #expect(try JSONDecoder().decode(ConfigKeyBody.self, from: Data(text.utf8)) == key)
    }

    @Test func `an unchanged logger has a null time`() throws {
        #expect(try json(LoggerBody(level: "INFO", lastModified: nil)) == #"{"last_modified":null,"level":"INFO"}"#)
    }
}
