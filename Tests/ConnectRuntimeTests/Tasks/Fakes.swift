import ConnectConfig
import ConnectModel
import ConnectSDK
import KafkaClient
import Lifecycle
import Metrics
import Synchronization

@testable import ConnectRuntime

/// A value that tests wait for to become what they expect.
final class Watched<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var waiters: [(until: @Sendable (Value) -> Bool, latch: Latch)] = []
    }
    private let state: Mutex<State>

    init(_ value: Value) { state = Mutex(State(value: value)) }
    var value: Value { state.withLock { $0.value } }

    func change(_ body: (inout Value) -> Void) {
        let woken = state.withLock { state -> [Latch] in
            body(&state.value)
            let value = state.value
            let woken = state.waiters.filter { $0.until(value) }.map(\.latch)
            state.waiters.removeAll { $0.latch.isOpen || $0.until(value) }
            return woken
        }
        for latch in woken { latch.open() }
    }

    /// False when it did not come true in time.
    func becomes(within time: Duration = .seconds(60), _ until: @escaping @Sendable (Value) -> Bool) async -> Bool {
        let latch = Latch()
        let isThere = state.withLock { state in
            if until(state.value) { return true }
            state.waiters.append((until, latch))
            return false
        }
        return isThere ? true : await latch.wait(for: time)
    }
}

final class FakeListener: TaskListener {
    struct Seen: Sendable {
        var states: [TaskState] = []
        var traces: [String] = []
        var topics: Set<String> = []
        var notes: [String?] = []
    }
    let seen = Watched(Seen())
    func task(_ id: TaskID, became state: TaskState, trace: String?) {
        seen.change {
            $0.states.append(state)
            if let trace { $0.traces.append(trace) }
        }
    }
    func task(_ id: TaskID, usesTopic topic: String) { seen.change { $0.topics.insert(topic) } }
    func task(_ id: TaskID, reports note: String?) { seen.change { $0.notes.append(note) } }
}

final class FakeOffsets: OffsetStorage {
    let stored = Watched([OffsetMap: OffsetMap]())
    let failures = Mutex(0)
    func positions(of connector: String) async throws -> [SourcePosition] {
        stored.value.map { SourcePosition(partition: $0.key, offset: $0.value) }
    }
    func store(_ positions: [SourcePosition], of connector: String) async throws {
        let fails = failures.withLock { left in
            left -= 1
            return left >= 0
        }
        if fails { throw KafkaClientError(code: .timedOut, reason: "injected", isRetriable: true) }
        stored.change { for position in positions { $0[position.partition] = position.offset } }
    }
}

/// A sink that keeps what it gets and fails on demand.
final class FakeSink: SinkTask {
    struct Row: Sendable, Hashable {
        var partition: TopicPartition
        var offset: Int64
        var value: String?
    }
    struct Seen: Sendable {
        var rows: [Row] = []
        var opened: [TopicPartition] = []
        var closed: [TopicPartition] = []
        var puts = 0
        var ticks = 0
        var preCommits = 0
        var isFlushed = true
        var isStopped = false
    }
    let seen = Watched(Seen())
    private let starts: [TopicPartition: Int64]
    /// Only what was flushed may be committed, and a commit alone does not flush: a sink with long files.
    private let keepsOpen: Bool
    private let fault: @Sendable (_ put: Int, _ rows: [Row]) -> TaskFailure?

    init(
        starts: [TopicPartition: Int64] = [:],
        keepsOpen: Bool = false,
        fault: @escaping @Sendable (_ put: Int, _ rows: [Row]) -> TaskFailure? = { _, _ in nil }
    ) { (self.starts, self.keepsOpen, self.fault) = (starts, keepsOpen, fault) }

    func start() async throws(TaskFailure) {}
    func open(_ partitions: [TopicPartition]) async throws(TaskFailure) -> [TopicPartition: Int64] {
        seen.change { $0.opened += partitions }
        return starts
    }
    func put(_ batch: SinkBatch) async throws(TaskFailure) {
        if batch.isEmpty { return seen.change { $0.ticks += 1 } }
        let rows = Self.rows(batch)
        seen.change { $0.puts += 1 }
        if let failure = fault(seen.value.puts, rows) { throw failure }
        seen.change { seen in
            seen.rows += rows
            seen.isFlushed = false
        }
    }
    func flush() async throws(TaskFailure) { seen.change { $0.isFlushed = true } }
    func preCommit(_ delivered: [TopicPartition: Int64]) async throws(TaskFailure) -> [TopicPartition: Int64] {
        seen.change { $0.preCommits += 1 }
        return keepsOpen && !seen.value.isFlushed ? [:] : delivered
    }
    func close(_ partitions: [TopicPartition]) async { seen.change { $0.closed += partitions } }
    func stop() async { seen.change { $0.isStopped = true } }

    static func rows(_ batch: SinkBatch) -> [Row] {
        var values: [String?] = []
        switch batch.content {
        case .raw(let memory, _, _):
            memory.forEach(in: 0..<batch.count) { _, _, value in
                guard let value else { return values.append(nil) }
                values.append(String(decoding: value.copied, as: UTF8.self))
            }
        case .records(let records):
            values = records.map { record in if case .string(let text) = record.value.value { text } else { nil } }
        }
        return values.enumerated().map { index, value in
            Row(partition: batch.topicPartition(at: index), offset: batch.origins[index].offset, value: value)
        }
    }
}

/// Hands over numbered lines, raw, a hundred at a time.
final class FakeSource: SourceTask {
    struct Seen: Sendable {
        var next = 0
        var committed = -1
        var isStopped = false
        var polls = 0
    }
    let seen = Watched(Seen())
    private let context: any SourceTaskContext
    private let count: Int
    private let topic: String
    /// Named by a first batch without records.
    private let emptyTopic: String?
    private let line: @Sendable (Int) -> String
    private let fault: @Sendable () -> TaskFailure?
    static let partition: OffsetMap = ["file": .string("f")]

    init(
        _ context: any SourceTaskContext,
        count: Int,
        topic: String,
        emptyTopic: String? = nil,
        line: @escaping @Sendable (Int) -> String = { "line \($0)" },
        fault: @escaping @Sendable () -> TaskFailure? = { nil }
    ) {
        (self.context, self.count, self.topic, self.emptyTopic) = (context, count, topic, emptyTopic)
        (self.line, self.fault) = (line, fault)
    }

    func start() async throws(TaskFailure) {
        let stored = try await context.offset(of: Self.partition)?["n"]?.int ?? 0
        seen.change { $0.next = Int(stored) }
    }
    func poll() async throws(TaskFailure) -> SourcePoll {
        let first = seen.value.next
        if let failure = fault() { throw failure }
        seen.change { $0.polls += 1 }
        guard first < count else { return .finished }
        var buffer = RecordBuffer()
        if let emptyTopic, seen.value.polls == 1 {
            _ = buffer.index(ofTopic: emptyTopic)
            return .batch(SourceBatch(.raw(buffer, format: .utf8), positions: []))
        }
        let index = buffer.index(ofTopic: topic)
        let end = min(count, first + 100)
        for number in first..<end {
            buffer.append(topic: index, key: nil as [UInt8]?, value: Array(line(number).utf8))
        }
        seen.change { $0.next = end }
        let position = SourcePosition(partition: Self.partition, offset: ["n": .int(Int64(end))])
        return .batch(SourceBatch(.raw(buffer, format: .utf8), positions: [position]))
    }
    func committed(_ offsets: [SourcePosition]) async throws(TaskFailure) {
        seen.change { $0.committed = Int(offsets.last?.offset?["n"]?.int ?? -1) }
    }
    func stop() async { seen.change { $0.isStopped = true } }
}

/// Text that must not begin with "bad"; passes raw unless told otherwise.
struct FakeConverter: Converter {
    var rawFormat: RawFormat?
    func toConnect(topic: String, bytes: RawSpan?) throws(DataError) -> SchemaAndValue {
        guard let bytes else { return .null }
        let text = String(decoding: bytes.copied, as: UTF8.self)
        if text.hasPrefix("bad") { throw DataError("begins with bad") }
        return SchemaAndValue(.string, .string(text))
    }
    func fromConnect(topic: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        guard case .string(let text) = data.value else { return nil }
        if text.hasPrefix("bad") { throw DataError("begins with bad") }
        return Array(text.utf8)
    }
}

struct FakeHeaders: HeaderConverter {
    func toConnectHeader(topic: String, name: String, bytes: [UInt8]?) throws(DataError) -> SchemaAndValue {
        SchemaAndValue(.optionalBytes, bytes.map { .bytes($0) } ?? .null)
    }
    func fromConnectHeader(topic: String, name: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        if case .bytes(let bytes) = data.value { bytes } else { nil }
    }
}

/// Drops records whose value begins with "drop".
struct FakeTransform: RecordTransform {
    func apply(_ record: ConnectRecord) throws(DataError) -> ConnectRecord? {
        guard case .string(let text) = record.value.value else { return record }
        if text.hasPrefix("poison") { throw DataError("begins with poison") }
        return text.hasPrefix("drop") ? nil : record
    }
}

/// One embedded cluster with what tasks need around it.
final class TaskBench: Sendable {
    let cluster: EmbeddedCluster
    let listener = FakeListener()
    let offsets = FakeOffsets()
    let metrics = MetricsRegistry()
    let topicsMade = Watched([String: TopicSettings]())
    let environment: TaskEnvironment

    init(partitions: Int = 1, transform: Bool = false, adjust: (inout TaskEnvironment) -> Void = { _ in }) throws {
        cluster = try EmbeddedCluster(brokers: 1)
        for topic in ["in", "out", "dlq"] {
            try cluster.createTopic(topic, partitions: topic == "in" ? partitions : 1, replicationFactor: 1)
        }
        let plugins = Plugins(
            connectors: [],
            converters: [
                PluginDescriptor(name: "Raw", version: "1", summary: "Passes bytes.") {
                    (_, _) throws(ConfigInvalid) in FakeConverter(rawFormat: .utf8)
                },
                PluginDescriptor(name: "Text", version: "1", summary: "Converts text.") {
                    (_, _) throws(ConfigInvalid) in FakeConverter(rawFormat: nil)
                },
            ],
            headerConverters: [
                PluginDescriptor(name: "Headers", version: "1", summary: "Bytes.") {
                    (_, _) throws(ConfigInvalid) in FakeHeaders()
                }
            ],
            chain: { _ throws(ConfigInvalid) in transform ? FakeTransform() : nil }
        )
        let made = topicsMade
        var environment = TaskEnvironment(
            plugins: plugins,
            settings: ClientSettings(bootstrapServers: cluster.bootstrapServers),
            converterDefaults: ["key.converter": "Raw", "value.converter": "Raw", "header.converter": "Headers"],
            offsets: offsets,
            listener: listener,
            topics: Creator(made: made),
            metrics: metrics,
            offsetFlushInterval: .milliseconds(300)
        )
        adjust(&environment)
        self.environment = environment
    }

    private struct Creator: TopicCreator {
        let made: Watched<[String: TopicSettings]>
        func ensureTopic(_ name: String, settings: TopicSettings) async throws {
            made.change { $0[name] = settings }
        }
    }

    func sink(_ task: FakeSink, number: Int = 0, config: [String: String] = [:]) -> TaskRunner {
        let descriptor = SinkDescriptor(name: "FakeSink", version: "1", summary: "Keeps rows.", keys: []) {
            _ throws(ConfigInvalid) in
        } make: { (_, _) throws(ConfigInvalid) in
            task
        }
        let config = ["topics": "in", "connector.class": "FakeSink"].merging(config) { $1 }
        let spec = TaskSpec(
            id: TaskID("sink", number),
            descriptor: descriptor,
            config: config,
            connectorConfig: config,
            epoch: 1
        )
        return TaskRunner(spec, in: environment)
    }

    func source(
        config: [String: String] = [:],
        _ make: @escaping @Sendable (any SourceTaskContext) -> FakeSource
    ) -> TaskRunner {
        let descriptor = SourceDescriptor(name: "FakeSource", version: "1", summary: "Makes lines.", keys: []) {
            _ throws(ConfigInvalid) in
        } make: { (_, context) throws(ConfigInvalid) in
            make(context)
        }
        let spec = TaskSpec(
            id: TaskID("source", 0),
            descriptor: descriptor,
            config: config,
            connectorConfig: config,
            epoch: 1
        )
        return TaskRunner(spec, in: environment)
    }

    /// Runs tasks while `body` looks at them, then stops them; a cancelled one gets no time to end.
    func running(_ runners: TaskRunner..., body: () async throws -> Void) async rethrows {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let stop = Latch()
            for runner in runners { group.addTask { await runner.run(until: stop) } }
            defer { stop.open() }
            try await body()
            stop.open()
            try await group.waitForAll()
        }
    }

    func produce(_ values: [String], to topic: String = "in", partition: Int32 = -1) async throws {
        let producer = try Producer(KafkaSettings(bootstrapServers: cluster.bootstrapServers))
        var buffer = RecordBuffer()
        let index = buffer.index(ofTopic: topic)
        for (number, value) in values.enumerated() {
            buffer.append(topic: index, partition: partition, key: Array("k\(number)".utf8), value: Array(value.utf8))
        }
        try await producer.send(buffer).wait()
        await producer.close()
    }

    struct Read: Sendable {
        var value: String?
        var headers: [RecordBuffer.Header]
    }

    /// Everything in a topic, until there are `count` records.
    func read(_ topic: String, count: Int, partitions: Int = 1) async throws -> [Read] {
        let consumer = try Consumer(KafkaSettings(bootstrapServers: cluster.bootstrapServers, ["group.id": "reader"]))
        try await consumer.assign(
            Dictionary(uniqueKeysWithValues: (0..<Int32(partitions)).map { (TopicPartition(topic, $0), .beginning) })
        )
        var found: [Read] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while found.count < count, ContinuousClock.now < deadline {
            guard case .batch(let batch) = try await consumer.poll(maxRecords: 10_000) else { continue }
            for index in 0..<batch.count {
                let value = batch.value(at: index).map { String(decoding: $0, as: UTF8.self) }
                found.append(Read(value: value, headers: batch.headers(at: index)))
            }
        }
        await consumer.close()
        return found
    }

    func committed(_ partitions: Int = 1, topic: String = "in") async throws -> [Int64] {
        let settings = KafkaSettings(bootstrapServers: cluster.bootstrapServers, ["group.id": "connect-sink"])
        let consumer = try Consumer(settings)
        let wanted = (0..<Int32(partitions)).map { TopicPartition(topic, $0) }
        let found = try await consumer.committed(wanted)
        await consumer.close()
        return wanted.map { found[$0] ?? -1 }
    }
}
