import Compression
import ConnectConfig
import ConnectModel
import ConnectSDK
import ConnectTestKit
import FileAccess
import Glibc
import Synchronization
import Testing

@testable import FileSink

private let orders = TopicPartition("orders", 0)

@Suite struct SegmentNameTests {
    @Test func `names are read back, whatever the topic is called`() {
        let partition = TopicPartition("a-0-b.c_d", 12)
        let part = SegmentName(partition, first: 7)
        let whole = SegmentName(partition, first: 7, last: 41)
        #expect(part.fileName() == "a-0-b.c_d-12-00000000000000000007.part")
        #expect(whole.fileName(".gz") == "a-0-b.c_d-12-00000000000000000007-00000000000000000041.jsonl.gz")
        #expect(SegmentName(part.fileName()) == part)
        for ending in ["", ".gz", ".zst"] { #expect(SegmentName(whole.fileName(ending)) == whole) }
    }

    @Test(arguments: [
        "orders-0.manifest", "orders-0-1-2.jsonl", "x.part", "-0-00000000000000000007.part", "notes.jsonl",
        "orders-0-00000000000000000007.jsonl", "orders-x-00000000000000000007.part",
    ])
    func `files of others are left alone`(name: String) {
        #expect(SegmentName(name) == nil || SegmentName(name)?.partition.topic == "")
    }
}

@Suite final class FileSinkTests {
    private let directory = "/tmp/sluice-filesink-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    private let clock = TestTime()
    deinit {
        for name in (try? FileTree.names(in: directory)) ?? [] { try? FileTree.remove("\(directory)/\(name)") }
        unsafe _ = rmdir(directory)
    }

    private func task(_ keys: [String: String] = [:]) async throws -> FileSinkTask {
        var raw = ["directory": directory]
        raw.merge(keys) { $1 }
        let task = FileSinkTask(try FileSinkConfig(raw), TestSinkContext(), now: { [clock] in clock.now })
        try await task.start()
        return task
    }
    private var segments: [String] {
        get throws { try FileTree.names(in: directory).filter { SegmentName($0)?.last != nil } }
    }
    private var lines: [String] {
        get throws {
            try segments.flatMap { name in
                let file = try DecodedFile(path: "\(directory)/\(name)")
                var bytes: [UInt8] = []
                while try file.advance() { file.withChunk { bytes.append($0) } }
                return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
                    .dropLast().map(String.init)
            }
        }
    }

    @Test func `raw JSON passes byte for byte and appears with its whole file`() async throws {
        let task = try await task(["rotate.records": "2"])
        #expect(try await task.open([orders]) == [:])
        let values = [#"{"a": 1.10}"#, #"{"b":"é"}"#, "{\n  \"c\": [1,\r\n\t2]\n}"]
        try await task.put(.raw(values: values))
        #expect(try segments == ["orders-0-00000000000000000000-00000000000000000001.jsonl"])
        #expect(try lines == [#"{"a": 1.10}"#, #"{"b":"é"}"#])
        #expect(try await task.preCommit([orders: 3]) == [orders: 2])
        try await task.flush()
        #expect(try lines.last == #"{ "c": [1, 2] }"#)
        #expect(try await task.preCommit([orders: 9]) == [orders: 9])
        let manifest = String(decoding: try FileTree.read("\(directory)/orders-0.manifest"), as: UTF8.self)
        #expect(
            manifest == """
                {"file":"orders-0-00000000000000000000-00000000000000000001.jsonl","first":0,"last":1,"records":2,"bytes":23}
                {"file":"orders-0-00000000000000000002-00000000000000000002.jsonl","first":2,"last":2,"records":1,"bytes":16}

                """
        )
    }

    @Test(arguments: ["gzip", "zstd"])
    func `compressed files hold the same lines`(compression: String) async throws {
        let values = (0..<5_000).map { #"{"number":\#($0)}"# }
        let task = try await task(["compression": compression, "rotate.bytes": "20000"])
        _ = try await task.open([orders])
        try await task.put(.raw(values: values))
        await task.close([orders])
        #expect(try segments.count > 3)
        #expect(try lines == values)
        #expect(try segments.allSatisfy { $0.hasSuffix(compression == "gzip" ? ".gz" : ".zst") })
    }

    @Test func `tombstones are lines with null, or left out`() async throws {
        for (mode, expected) in [("write", ["1", "null", "2"]), ("ignore", ["1", "null", "2", "3"])] {
            let task = try await task(["behavior.on.null.values": mode])
            let next = try await task.open([orders])[orders] ?? 0
            try await task.put(.raw(from: next, values: mode == "write" ? ["1", nil, "2"] : [nil, "3", nil]))
            await task.close([orders])
            #expect(try lines == expected)
        }
        #expect(try segments.last == "orders-0-00000000000000000004-00000000000000000005.jsonl")
    }

    @Test func `text becomes JSON strings, or stays as it is`() async throws {
        for format in ["json", "text"] {
            let task = try await task(["format": format])
            let next = try await task.open([orders])[orders] ?? 0
            try await task.put(.raw(from: next, values: ["say \"hi\"\n"], value: .utf8))
            await task.close([orders])
        }
        #expect(try lines == [#""say \"hi\"\n""#, "say \"hi\"", ""])
    }

    @Test func `parsed records are written as JSON, one without a form goes to the dead letters first`() async throws {
        let task = try await task()
        _ = try await task.open([orders])
        let good = SchemaAndValue(nil, .object(["price": .decimal(try #require(Decimal("1.10")))]))
        let bad = SchemaAndValue(.string, .int32(1))
        func batch(_ values: [SchemaAndValue]) -> SinkBatch {
            let origins = values.indices.map { RecordOrigin(partition: 0, offset: Int64($0), timestamp: 0) }
            return SinkBatch(
                .records(values.map { ConnectRecord(topic: "orders", value: $0) }),
                partitions: [orders],
                origins: origins
            )
        }
        let failure = await #expect(throws: TaskFailure.self) { try await task.put(batch([good, bad])) }
        guard case .badRecords(let faults, restIsWritten: false)? = failure?.verdict else {
            return #expect(Bool(false), "\(String(describing: failure))")
        }
        #expect(faults.map(\.index) == [1])
        #expect(faults.first?.kind == "org.apache.kafka.connect.errors.DataException")
        try await task.put(batch([good, .null]))
        await task.close([orders])
        #expect(try lines == [#"{"price":1.10}"#, "null"])
    }

    @Test func `time completes a file on a tick`() async throws {
        let task = try await task(["rotate.interval.ms": "500"])
        _ = try await task.open([orders])
        try await task.put(.raw(values: ["1"]))
        clock.advance(.milliseconds(499))
        try await task.put(.empty)
        #expect(try segments.isEmpty)
        clock.advance(.milliseconds(1))
        try await task.put(.empty)
        #expect(try lines == ["1"])
    }

    @Test func `a batch that comes again is not written again`() async throws {
        let task = try await task(["rotate.records": "3"])
        _ = try await task.open([orders])
        for _ in 0..<3 { try await task.put(.raw(values: ["0", "1", "2", "3"])) }
        try await task.put(.raw(from: 2, values: ["2", "3", "4"]))
        await task.close([orders])
        #expect(try lines == ["0", "1", "2", "3", "4"])
    }

    @Test func `one task writes a partition at a time`() async throws {
        let first = try await task(), second = try await task()
        _ = try await first.open([orders])
        try await first.put(.raw(values: ["0"]))
        let other = TopicPartition("orders", 1)
        let failure = await #expect(throws: TaskFailure.self) { try await second.open([other, orders]) }
        #expect(failure?.verdict == .retry(after: nil))
        await first.close([orders])
        #expect(try await second.open([other, orders]) == [orders: 1])
    }

    @Test func `what the manifest lost is listed again, what was moved away stays written`() async throws {
        var first: FileSinkTask? = try await task(["rotate.records": "1"])
        _ = try await first?.open([orders])
        try await first?.put(.raw(values: ["0", "1", "2"]))
        await first?.close([orders])
        first = nil
        let manifest = "\(directory)/orders-0.manifest"
        let text = try FileTree.read(manifest)
        try OpenFile(manifest, .replace).write(text[..<(text.count - 20)])  // torn in its last line
        #expect(try await task().open([orders]) == [orders: 3])
        for name in try segments { try FileTree.remove("\(directory)/\(name)") }
        #expect(try await task().open([orders]) == [orders: 3])
        let lines = String(decoding: try FileTree.read(manifest), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.last?.hasSuffix(#""first":2,"last":2,"bytes":2}"#) == true)
    }

    @Test func `a full disk is an outage, a file in the way is not`() async throws {
        let task = try await task()
        _ = try await task.open([orders])
        #expect(unsafe symlink("/dev/full", "\(directory)/orders-0-00000000000000000000.part") == 0)
        try await task.put(.raw(values: ["1"]))
        let full = await #expect(throws: TaskFailure.self) { try await task.flush() }
        #expect(full?.verdict == .retry(after: nil))
        #expect(full?.because == "No space left on device")
        let blocked = FileSinkTask(try FileSinkConfig(["directory": "/dev/null/x"]), TestSinkContext())
        let refused = await #expect(throws: TaskFailure.self) { try await blocked.start() }
        #expect(refused?.verdict == .config(key: "directory"))
    }

    @Test(arguments: [1, 2, 5, 8, 13])
    func `killed after any call, the files are the topic`(calls: Int) async throws {
        let directory = directory
        let values = (0..<400).map { #"{"n":\#($0)}"# }
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [directory = directory as String, values = values as [String], calls = calls as Int] in
            try await writeAndDie(directory, values, afterCalls: calls)
        }
        #expect(try FileTree.names(in: directory).contains { $0.hasSuffix(".part") })
        let task = try await task(["rotate.records": "37"])
        let next = try await task.open([orders])[orders] ?? 0
        #expect(next == Int64(calls * 20 / 37 * 37))
        #expect(try !FileTree.names(in: directory).contains { $0.hasSuffix(".part") })
        try await task.put(.raw(from: next, values: Array(values[Int(next)...])))
        await task.close([orders])
        #expect(try lines == values)
    }

    @Test func `config problems name their keys`() {
        let issues = FileSink.descriptor.issues(in: ["compression": "rar", "rotate.records": "0"])
        #expect(issues.map(\.key) == ["directory", "compression", "rotate.records"])
    }
}

/// Runs in a process of its own: puts 20 records a call and is killed in the middle of things.
private func writeAndDie(_ directory: String, _ values: [String], afterCalls calls: Int) async throws {
    let raw = ["directory": directory, "rotate.records": "37"]
    let task = try FileSink.descriptor.makeTask(raw, TestSinkContext())
    try await task.start()
    _ = try await task.open([orders])
    for call in 0..<calls {
        try await task.put(.raw(from: Int64(call * 20), values: Array(values[(call * 20)..<(call * 20 + 20)])))
    }
    // The part's file is made with its first write: a part of a crashed task is there whatever was gathered.
    try OpenFile("\(directory)/orders-0-00000000000000009999.part", .replace).write([1, 2, 3])
    kill(getpid(), SIGKILL)
}

/// Time that stands still until a test moves it.
private final class TestTime: Sendable {
    private let time = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { time.withLock { $0 } }
    func advance(_ step: Duration) { time.withLock { $0 = $0.advanced(by: step) } }
}
