public import ConnectModel

/// Reads from somewhere and hands over records.
///
/// All methods run on the task's own thread, one at a time, and may block, but every wait has a time-out or ends when
/// ``SourceTaskContext/stop`` opens. Kafka Connect 4.3, `SourceTask`.
public protocol SourceTask: Sendable {
    /// Called once, before the first ``poll()``; reads the stored offsets through the context.
    func start() async throws(TaskFailure)
    /// The next records, or how long to wait before asking again; returns soon after `stop` opens.
    func poll() async throws(TaskFailure) -> SourcePoll
    /// These offsets are stored for good (and their records acknowledged): the place to move or delete what has been read.
    func committed(_ offsets: [SourcePosition]) async throws(TaskFailure)
    /// Called once, last; also after a failure.
    func stop() async
}

extension SourceTask {
    /// Nothing to tidy.
    public func committed(_ offsets: [SourcePosition]) async throws(TaskFailure) {}
    /// Nothing to close.
    public func stop() async {}
}

/// What a ``SourceTask/poll()`` gives.
public enum SourcePoll: Sendable {
    /// Records, in order.
    case batch(SourceBatch)
    /// Nothing now; asked again after this time, earlier when ``SourceTaskContext/wake`` is called.
    case idle(Duration)
    /// Nothing will ever come again (a finite source, `run.once`); the task stays RUNNING and is not asked again.
    case finished
}

/// How far one source partition has been read.
public struct SourcePosition: Sendable, Hashable {
    /// What is read: `{"filename":"/data/in.txt"}`.
    public let partition: OffsetMap
    /// How far; nil removes the stored offset.
    public let offset: OffsetMap?

    /// Makes a position.
    public init(partition: OffsetMap, offset: OffsetMap?) { (self.partition, self.offset) = (partition, offset) }
}

/// What the bytes of raw records are, so that the runtime knows which converter may pass them on untouched.
public enum RawFormat: Sendable, Hashable {
    /// A JSON text: one value, UTF-8.
    case json
    /// UTF-8 text.
    case utf8
    /// Anything.
    case bytes
}

/// Records of one poll with the positions that they bring their partitions to.
///
/// The batch is the unit of acknowledgement: its positions become committable when every record of it and of all batches
/// before it is acknowledged by Kafka, filtered out, or in the dead letter queue. An empty batch moves positions only.
public struct SourceBatch: Sendable {
    /// The records.
    public enum Content: Sendable {
        /// Serialized by the source; a converter of the same format sends the values on as they are. Keys are UTF-8 text.
        case raw(RecordBuffer, format: RawFormat)
        /// For transforms and other converters to work on.
        case records([ConnectRecord])
    }
    /// The records in order.
    public var content: Content
    /// Where the read partitions stand after this batch, the last position of each.
    public var positions: [SourcePosition]
    /// With `transaction.boundary=connector`: a transaction ends after this batch.
    public var endsTransaction: Bool

    /// Makes a batch.
    public init(_ content: Content, positions: [SourcePosition], endsTransaction: Bool = false) {
        (self.content, self.positions, self.endsTransaction) = (content, positions, endsTransaction)
    }
    /// How many records are in it.
    public var count: Int {
        switch content {
        case .raw(let buffer, _): buffer.count
        case .records(let records): records.count
        }
    }
}
