import ConnectModel
import ConnectSDK
import ConnectTestKit
import Glibc
import Testing

@testable import FileAccess
@testable import FileStream

@Suite final class FileStreamSinkTests {
    private let path = "/tmp/sluice-stream-\(getpid())-\(UInt64.random(in: 0 ... .max)).out"
    deinit { unsafe _ = unlink(path) }

    private var written: String {
        get throws { String(decoding: try FileTree.read(path), as: UTF8.self) }
    }
    private func task(_ file: String? = nil) throws -> any SinkTask {
        try FileStreamSink.descriptor.makeTask(["file": file ?? path], TestSinkContext())
    }

    @Test func `raw values pass as they are, tombstones as null, and land with the flush`() async throws {
        let task = try task()
        try await task.start()
        try await task.put(.raw(values: [#"{"a": 1}"#, nil, "text"]))
        #expect(try written == "")
        let delivered = [TopicPartition("orders", 0): Int64(3)]
        #expect(try await task.preCommit(delivered) == delivered)
        #expect(try written == "{\"a\": 1}\nnull\ntext\n")
    }

    @Test func `records are printed as Java prints them`() async throws {
        let values: [Value] = [.string("x"), .object(["a": .int64(1), "b": .null]), .float64(1), .null]
        let records = values.map { ConnectRecord(topic: "t", value: SchemaAndValue(nil, $0)) }
        let origins = values.indices.map { RecordOrigin(partition: 0, offset: Int64($0), timestamp: -1) }
        let task = try task()
        try await task.start()
        try await task.put(SinkBatch(.records(records), partitions: [TopicPartition("t", 0)], origins: origins))
        try await task.flush()
        #expect(try written == "x\n{a=1, b=null}\n1.0\nnull\n")
    }

    @Test func `a tick writes, and a second task appends`() async throws {
        for text in ["a", "b"] {
            let task = try task()
            try await task.start()
            try await task.put(.raw(values: [text]))
            try await task.put(.empty)
            await task.stop()
        }
        #expect(try written == "a\nb\n")
    }

    @Test func `a full disk is an outage that loses nothing`() async throws {
        let task = try task("/dev/full")
        try await task.start()
        try await task.put(.raw(values: ["a"]))
        let failure = await #expect(throws: TaskFailure.self) { try await task.flush() }
        #expect(failure?.verdict == .retry(after: nil))
        #expect(failure?.description == "writing /dev/full: No space left on device")
    }

    @Test func `a directory names the key`() async throws {
        let task = try task("/tmp")
        let failure = await #expect(throws: TaskFailure.self) { try await task.start() }
        #expect(failure?.verdict == .config(key: "file"))
    }
}
