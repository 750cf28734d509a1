import ConnectTestKit
import Testing

@testable import ConnectRuntime

@Suite(.timeLimit(.minutes(1))) struct FuzzTests {
    static let connectors: [[UInt8]] = [
        #"{"name":"a","initial_state":"PAUSED","config":{"connector.class":"FileSink","topics":"t","tasks.max":2,"x":null}}"#,
        "{\n \"connector.class\": \"FileStreamSource\",\n \"topic\": \"t\", \"file\": \"/tmp/\\u00e9\"\n}", "[]", "{}",
        #"{"config":{"a":[1,{"b":2.5e3}],"c":true}}"#, "[1.0,2.0)", "(,4.3.1],[5,)",
    ].map { Array($0.utf8) }

    static func readConnector(_ bytes: [UInt8]) {
        do { _ = try ConfigFile(bytes, path: "/c/x.json").config } catch { _ = error.description }
        _ = try? JSONParser.parse(bytes)
        if let range = try? VersionRange(requirement: String(decoding: bytes, as: UTF8.self)) {
            _ = (range.contains("4.3.1"), range.description)
        }
    }

    @Test func `no damaged connector file crashes the reader`() async {
        let result = await #expect(processExitsWith: .success) {
            Fuzzing.run("connector files", corpus: FuzzTests.connectors, inputs: 5_000, FuzzTests.readConnector)
        }
        Fuzzing.check("connector files", result)
    }
}
