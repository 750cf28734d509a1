import ConnectModel
import ConnectSDK
import FoundationEssentials
import Lifecycle
import Metrics
import SupermarketSource
import Synchronization
import Testing

/// A context that keeps committed offsets, so that a second task can go on where the first one stopped.
final class FakeContext: SourceTaskContext {
    let id = TaskID("prices", 0)
    let stop = Latch()
    let metrics = MetricsRegistry()
    private let stored: Mutex<[SourcePosition]>

    init(_ positions: [SourcePosition] = []) { stored = Mutex(positions) }

    func offset(of partition: OffsetMap) async throws(TaskFailure) -> OffsetMap? {
        stored.withLock { $0.last { $0.partition == partition }?.offset }
    }
    func offsets() async throws(TaskFailure) -> [SourcePosition] { stored.withLock { $0 } }
    func wake() {}

    func store(_ positions: [SourcePosition]) {
        stored.withLock { stored in
            stored.removeAll { old in positions.contains { $0.partition == old.partition } }
            stored += positions
        }
    }
    var positions: [SourcePosition] { stored.withLock { $0 } }

    /// The metric's sum over all series whose labels hold `label`.
    func sum(_ name: String, _ label: String? = nil) -> Int {
        let samples = metrics.samples().filter { $0.name == name }
        return Int(
            samples.filter { label == nil || $0.labels.values.contains(label ?? "") }.reduce(0) { $0 + $1.value }
        )
    }
}

/// One record as a consumer would see it.
struct SentRecord: Equatable {
    var topic: String
    var key: String
    var value: String
    var headers: [String: String]

    /// A top-level text field, by a plain search: good enough for values without escapes.
    func field(_ name: String) -> String? {
        guard let start = value.firstRange(of: "\"\(name)\":\"") else { return nil }
        let rest = value[start.upperBound...]
        return rest.firstIndex(of: "\"").map { String(rest[..<$0]) }
    }
}

/// A directory of its own that vanishes with the value.
final class Inbox {
    let root: URL
    var path: String { root.appending(path: "in").path }
    var errors: String { root.appending(path: "errors").path }
    var finished: String { root.appending(path: "finished").path }

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "sluice-market-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root.appending(path: "in"), withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func put(_ name: String, _ bytes: [UInt8]) throws {
        let target = root.appending(path: "in/\(name)")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: target)
    }

    func put(_ name: String, _ text: String) throws { try put(name, Array(text.utf8)) }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root.appending(path: path).path) }

    func config(_ extra: [String: String] = [:]) -> [String: String] {
        ["directory": path, "file.stable.ms": "0", "run.once": "true"].merging(extra) { $1 }
    }
}

/// Runs a task until there is nothing left, committing after each batch; `most` batches at most.
@discardableResult
func run(
    _ config: [String: String],
    context: FakeContext = FakeContext(),
    most: Int = .max,
    commits: Bool = true
) async throws -> [SentRecord] {
    let task = try SupermarketSource.descriptor.makeTask(config, context)
    try await task.start()
    var records: [SentRecord] = []
    var batches = 0
    loop: while batches < most {
        switch try await task.poll() {
        case .batch(let batch):
            batches += 1
            records += decode(batch)
            guard commits else { continue }
            context.store(batch.positions)
            try await task.committed(batch.positions)
        case .idle: await Task.yield()
        case .finished: break loop
        }
    }
    await task.stop()
    return records
}

private func decode(_ batch: SourceBatch) -> [SentRecord] {
    guard case .raw(let buffer, .json) = batch.content else { return [] }
    return buffer.entries.map { entry in
        func text(_ range: Range<Int>?) -> String {
            range.map { String(decoding: buffer.bytes[$0], as: UTF8.self) } ?? ""
        }
        let headers = buffer.headers[entry.headers].map { ($0.name, String(decoding: $0.value ?? [], as: UTF8.self)) }
        return SentRecord(
            topic: buffer.topics[entry.topic],
            key: text(entry.key),
            value: text(entry.value),
            headers: Dictionary(headers) { $1 }
        )
    }
}

/// A file of the committed samples.
func sample(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Data")
    return Array(try Data(contentsOf: folder.appending(path: name)))
}

/// The large samples beside the repository, which are not part of it.
enum SharedData {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../../shared/data")
        .standardized
    static var isThere: Bool { FileManager.default.fileExists(atPath: folder.appending(path: "super_pharm").path) }

    static func file(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: path)))
    }
}

/// Occurrences of a text, none overlapping.
func count(_ text: String, in records: [SentRecord]) -> Int {
    let pattern = Array(text.utf8)
    return records.reduce(0) { sum, record in
        var (found, rest) = (0, Array(record.value.utf8)[...])
        while let start = rest.firstIndex(of: pattern[0]) {
            let isMatch = rest[start...].starts(with: pattern)
            if isMatch { found += 1 }
            rest = rest[(isMatch ? start + pattern.count : start + 1)...]
        }
        return sum + found
    }
}
