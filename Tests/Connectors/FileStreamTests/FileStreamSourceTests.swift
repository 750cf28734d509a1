import ConnectConfig
import ConnectModel
import ConnectSDK
import ConnectTestKit
import Glibc
import Testing

@testable import FileAccess
@testable import FileStream

@Suite final class FileStreamSourceTests {
    private let path = "/tmp/sluice-stream-\(getpid())-\(UInt64.random(in: 0 ... .max)).txt"
    deinit { unsafe _ = unlink(path) }

    private func task(_ context: TestSourceContext, batch: Int = 2_000) async throws -> FileStreamSourceTask {
        let raw = ["file": path, "topic": "lines", "batch.size": "\(batch)"]
        let task = FileStreamSourceTask(try FileStreamSourceConfig(raw), context)
        try await task.start()
        return task
    }
    private func append(_ text: String) throws { try OpenFile(path, .append).write(Array(text.utf8)[...]) }

    /// Polls until there is nothing more, storing positions as the runtime does.
    private func drain(_ task: FileStreamSourceTask, _ context: TestSourceContext) async throws -> [String] {
        var lines: [String] = []
        while true {
            guard case .batch(let batch) = try await task.poll() else { return lines }
            guard case .raw(let buffer, .utf8) = batch.content else { return ["not raw"] }
            #expect(buffer.topics == ["lines"])
            lines += buffer.entries.map { entry in String(decoding: buffer.bytes[entry.value ?? 0..<0], as: UTF8.self) }
            context.store(batch.positions)
        }
    }

    @Test func `lines come in batches with the byte position after them`() async throws {
        try append("אב\r\nb\nc\nunfinished")
        let context = TestSourceContext()
        let task = try await task(context, batch: 2)
        guard case .batch(let first) = try await task.poll() else { return #expect(Bool(false)) }
        #expect(first.count == 2)
        let position = SourcePosition(partition: ["filename": .string(path)], offset: ["position": .int(8)])
        #expect(first.positions == [position])
        #expect(try await drain(task, context) == ["c"])
        try append(" no more\n")
        #expect(try await drain(task, context) == ["unfinished no more"])
    }

    @Test func `a new task goes on where the stored position is`() async throws {
        try append("אחת\nשתיים\nשלוש\n")
        let context = TestSourceContext()
        let first = try await task(context, batch: 1)
        guard case .batch(let batch) = try await first.poll() else { return #expect(Bool(false)) }
        context.store(batch.positions)
        #expect(try await drain(task(context), context) == ["שתיים", "שלוש"])
    }

    @Test func `killed after any batch, it loses and repeats nothing`() async throws {
        let lines = (0..<500).map { "line \($0) " + String(repeating: "é", count: $0 % 40) }
        try append(lines.map { $0 + "\n" }.joined())
        let context = TestSourceContext()
        var read: [String] = []
        while read.count < lines.count {
            let task = try await task(context, batch: 7)
            guard case .batch(let batch) = try await task.poll(), case .raw(let buffer, _) = batch.content else {
                break
            }
            read += buffer.entries.map { String(decoding: buffer.bytes[$0.value ?? 0..<0], as: UTF8.self) }
            context.store(batch.positions)
        }
        #expect(read == lines)
    }

    @Test func `a replaced file is read to its end, then the new one`() async throws {
        try append("a\nlast without end")
        let context = TestSourceContext()
        let task = try await task(context)
        #expect(try await drain(task, context) == ["a"])
        unsafe _ = unlink(path)
        #expect(try await drain(task, context) == [])
        try append("new\n")
        #expect(try await drain(task, context) == ["last without end", "new"])
        #expect(try await context.offset(of: ["filename": .string(path)]) == ["position": .int(4)])
    }

    @Test func `a file that was cut off starts again`() async throws {
        try append("a\nb\n")
        let context = TestSourceContext()
        let running = try await task(context)
        #expect(try await drain(running, context) == ["a", "b"])
        try OpenFile(path, .replace).write([])
        guard case .idle(.zero) = try await running.poll() else { return #expect(Bool(false), "not started over") }
        try append("c\n")
        #expect(try await drain(running, context) == ["c"])
        try OpenFile(path, .replace).write([])
        #expect(try await drain(task(context), context) == [])
        try append("d\n")
        #expect(try await drain(task(TestSourceContext()), context) == ["d"])
    }

    @Test func `a missing file is waited for, a directory is refused`() async throws {
        let task = try await task(TestSourceContext())
        let missing = await #expect(throws: TaskFailure.self) { _ = try await task.poll() }
        #expect(missing?.verdict == .retry(after: .seconds(1)))
        #expect(missing?.because == "No such file or directory; it is used once it is there")
        let directory = FileStreamSourceTask(
            try FileStreamSourceConfig(["file": "/tmp", "topic": "t"]),
            TestSourceContext()
        )
        let refused = await #expect(throws: TaskFailure.self) { _ = try await directory.poll() }
        #expect(refused?.verdict == .config(key: "file"))
    }

    @Test func `a line longer than the block is one record`() async throws {
        let long = String(repeating: "x", count: 3 << 20)
        try append("a\n" + long + "\nb\n")
        let context = TestSourceContext()
        #expect(try await drain(task(context), context) == ["a", long, "b"])
    }

    @Test func `standard input ends with its last line`() async throws {
        try append("a\nb")
        let task = FileStreamSourceTask(
            try FileStreamSourceConfig(["topic": "lines"]),
            TestSourceContext(),
            input: try OpenFile(path, .read)
        )
        try await task.start()
        #expect(try await drain(task, TestSourceContext()) == ["a", "b"])
        guard case .finished = try await task.poll() else { return #expect(Bool(false), "not finished") }
    }

    @Test func `config problems name their keys`() {
        #expect(FileStreamSource.descriptor.issues(in: ["batch.size": "x"]).map(\.key) == ["topic", "batch.size"])
        #expect(FileStreamSource.descriptor.issues(in: ["topic": " "]).map(\.key) == ["topic"])
        #expect(FileStreamSource.descriptor.issues(in: ["topic": "t"]).isEmpty)
    }
}
