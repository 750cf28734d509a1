import ConnectModel
import ConnectSDK
import ConnectTestKit
import FileAccess
import Glibc
import Testing

@testable import FileSink

/// Offsets of a stopped sink moved through REST.
@Suite final class OffsetsMoveTests {
    private let directory = "/tmp/sluice-filesink-move-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    private let orders = TopicPartition("orders", 0), other = TopicPartition("orders-eu", 1)
    deinit { try? Self.remove(directory) }

    private static func remove(_ path: String) throws {
        for name in try FileTree.names(in: path) {
            if try FileTree.facts("\(path)/\(name)")?.isDirectory == true {
                try remove("\(path)/\(name)")
            } else {
                try FileTree.remove("\(path)/\(name)")
            }
        }
        unsafe _ = rmdir(path)
    }
    /// Files 0-1, 2-3 and 4-5 of one partition, 0-1 of another.
    private func fill() async throws {
        let task = try task()
        try await task.start()
        _ = try await task.open([orders, other])
        try await task.put(.raw(orders, values: (0..<6).map { "\($0)" }))
        try await task.put(.raw(other, values: ["7", "8"]))
        try await task.flush()
        await task.stop()
    }
    private func task() throws -> FileSinkTask {
        FileSinkTask(try FileSinkConfig(["directory": directory, "rotate.records": "2"]), TestSinkContext())
    }
    private func move(_ change: SinkOffsetsChange) async throws(OffsetsError) {
        try await FileSink.descriptor.move(offsets: change, of: "files", ["directory": directory])
    }
    private func opened() async throws -> [TopicPartition: Int64] {
        let task = try task()
        try await task.start()
        let next = try await task.open([orders, other])
        await task.stop()
        return next
    }
    private var firsts: [Int64] {
        get throws {
            try FileTree.names(in: directory).compactMap(SegmentName.init).filter { $0.partition == orders }.map(
                \.first
            )
        }
    }

    @Test func `back: the files behind the offset go aside and are written again`() async throws {
        try await fill()
        try await move(.set([orders: 2]))
        #expect(try firsts == [0])
        #expect(try await opened() == [orders: 2, other: 2])
        let aside = try #require(try FileTree.names(in: directory).first { $0.hasPrefix("superseded-") })
        #expect(try FileTree.names(in: "\(directory)/\(aside)").compactMap(SegmentName.init).map(\.first) == [2, 4])
    }
    @Test func `ahead: records are left out`() async throws {
        try await fill()
        try await move(.set([orders: 100]))
        #expect(try firsts == [0, 2, 4])
        #expect(try await opened() == [orders: 100, other: 2])
    }
    @Test func `null and reset: as if never written`() async throws {
        try await fill()
        try await move(.set([orders: nil]))
        #expect(try await opened() == [other: 2])
        try await move(.reset)
        #expect(try await opened() == [:])
        #expect(try FileTree.names(in: directory).allSatisfy { SegmentName($0) == nil })
    }
    @Test func `inside a file is refused with the offsets that are not, and nothing has changed`() async throws {
        try await fill()
        let error = await #expect(throws: OffsetsError.self) { try await move(.set([orders: 3, other: 0])) }
        #expect(error?.isRefusal == true && error?.description.hasSuffix("choose 2 or 4") == true)
        #expect(try await opened() == [orders: 6, other: 2])
    }
    @Test func `while a task writes it is not done`() async throws {
        try await fill()
        let task = try task()
        try await task.start()
        _ = try await task.open([orders])
        let error = await #expect(throws: OffsetsError.self) { try await move(.reset) }
        #expect(error?.isRefusal == false)
        await task.stop()
        #expect(try await opened() == [orders: 6, other: 2])
    }
    @Test func `a sink that has never run has nothing to move`() async throws { try await move(.reset) }
}
