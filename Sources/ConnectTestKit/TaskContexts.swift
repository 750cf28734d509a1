public import ConnectModel
public import ConnectSDK
public import Lifecycle
public import Metrics
import Synchronization

/// Stands in for the runtime around one source task: keeps offsets in memory.
public final class TestSourceContext: SourceTaskContext {
    /// Whose task this is.
    public let id: TaskID
    /// Opened by the test to ask the task to stop.
    public let stop = Latch()
    /// What the task counts.
    public let metrics = MetricsRegistry()
    private let stored: Mutex<[OffsetMap: OffsetMap]>
    private let woken = Mutex(0)

    /// Starts with these offsets stored.
    public init(_ connector: String = "test", task: Int = 0, stored: [SourcePosition] = []) {
        id = TaskID(connector, task)
        let pairs = stored.compactMap { position in position.offset.map { (position.partition, $0) } }
        self.stored = Mutex(Dictionary(pairs) { _, last in last })
    }

    /// How often the task asked to be polled again.
    public var wakes: Int { woken.withLock { $0 } }
    /// Stores positions as the runtime does after their records are acknowledged.
    public func store(_ positions: [SourcePosition]) {
        stored.withLock { stored in for position in positions { stored[position.partition] = position.offset } }
    }
    /// The stored offset of a source partition.
    public func offset(of partition: OffsetMap) async throws(TaskFailure) -> OffsetMap? {
        stored.withLock { $0[partition] }
    }
    /// All stored offsets.
    public func offsets() async throws(TaskFailure) -> [SourcePosition] {
        stored.withLock { stored in stored.map { SourcePosition(partition: $0.key, offset: $0.value) } }
    }
    /// Counts.
    public func wake() { woken.withLock { $0 += 1 } }
}

/// Stands in for the runtime around one sink task.
public final class TestSinkContext: SinkTaskContext {
    /// Whose task this is.
    public let id: TaskID
    /// Opened by the test to ask the task to stop.
    public let stop = Latch()
    /// What the task counts.
    public let metrics = MetricsRegistry()
    /// The owner's number.
    public let epoch: Int64
    private let requests = Mutex(0)

    /// A context for one owner.
    public init(_ connector: String = "test", task: Int = 0, epoch: Int64 = 1) {
        (id, self.epoch) = (TaskID(connector, task), epoch)
    }

    /// How often the task asked for a commit.
    public var commitRequests: Int { requests.withLock { $0 } }
    /// Counts.
    public func requestCommit() { requests.withLock { $0 += 1 } }
}

/// Raw records in an array, for sinks under test.
public final class ArrayMemory: RecordMemory {
    /// One record's bytes.
    public struct Record: Sendable {
        /// The key; nil is a null key.
        public var key: [UInt8]?
        /// The value; nil is a tombstone.
        public var value: [UInt8]?
        /// The headers.
        public var headers: [RecordBuffer.Header]

        /// A record of texts.
        public init(key: String? = nil, _ value: String?, headers: [RecordBuffer.Header] = []) {
            (self.key, self.value, self.headers) = (key.map { Array($0.utf8) }, value.map { Array($0.utf8) }, headers)
        }
    }
    private let records: [Record]

    /// Keeps the records.
    public init(_ records: [Record]) { self.records = records }

    /// Lends each record.
    public func forEach(
        in range: Range<Int>,
        _ body: (_ index: Int, _ key: RawSpan?, _ value: RawSpan?) throws -> Void
    ) rethrows {
        for index in range {
            let record = records[index]
            try unsafe body(index, record.key?.span.bytes, record.value?.span.bytes)
        }
    }
    /// The record's headers.
    public func headers(at index: Int) -> [RecordBuffer.Header] { records[index].headers }
}

extension SinkBatch {
    /// Raw records of one partition with offsets from `first` on; the timestamp of each is its offset.
    public static func raw(
        _ partition: TopicPartition = TopicPartition("orders", 0),
        from first: Int64 = 0,
        _ records: [ArrayMemory.Record],
        key: RawFormat = .utf8,
        value: RawFormat = .json
    ) -> SinkBatch {
        let origins = records.indices.map { index in
            RecordOrigin(partition: 0, offset: first + Int64(index), timestamp: first + Int64(index))
        }
        return SinkBatch(.raw(ArrayMemory(records), key: key, value: value), partitions: [partition], origins: origins)
    }
    /// Raw values of one partition without keys.
    public static func raw(
        _ partition: TopicPartition = TopicPartition("orders", 0),
        from first: Int64 = 0,
        values: [String?],
        value: RawFormat = .json
    ) -> SinkBatch {
        raw(partition, from: first, values.map { ArrayMemory.Record($0) }, value: value)
    }
}
