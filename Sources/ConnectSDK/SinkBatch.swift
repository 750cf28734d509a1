public import ConnectModel

/// The bytes of raw records, owned by whoever read them (the Kafka client's batch, a test's array).
public protocol RecordMemory: AnyObject, Sendable {
    /// Calls `body` for each record of `range` in order, lending key and value; nil is a null key or a tombstone.
    func forEach(
        in range: Range<Int>,
        _ body: (_ index: Int, _ key: RawSpan?, _ value: RawSpan?) throws -> Void
    ) rethrows
    /// The record's headers, in order; empty for most.
    func headers(at index: Int) -> [RecordBuffer.Header]
}

/// Where one record of a ``SinkBatch`` came from.
public struct RecordOrigin: Sendable, Hashable {
    /// Index into ``SinkBatch/partitions``.
    public var partition: Int
    /// The record's offset.
    public var offset: Int64
    /// Milliseconds since 1970; -1 when there is none.
    public var timestamp: Int64

    /// Makes an origin.
    public init(partition: Int, offset: Int64, timestamp: Int64) {
        (self.partition, self.offset, self.timestamp) = (partition, offset, timestamp)
    }
}

/// Records on their way to a sink, in the order of each partition, with where they came from.
///
/// Either raw bytes that no converter had to touch (a JSON, text or bytes converter, no transform), or parsed records.
/// A sink that passes bytes on never parses; one that needs fields parses raw values once, by itself.
public struct SinkBatch: Sendable {
    /// The records.
    public enum Content: Sendable {
        /// Untouched bytes; the formats are what the converters take them for, so JSON may still be malformed.
        case raw(any RecordMemory, key: RawFormat, value: RawFormat)
        /// Parsed, converted and transformed.
        case records([ConnectRecord])
    }
    /// The records.
    public let content: Content
    /// The topic partitions that ``origins`` refers to: the original ones, whatever a transform made of the topic.
    public let partitions: [TopicPartition]
    /// One per record; filtered records leave gaps in the offsets.
    public let origins: [RecordOrigin]

    /// Makes a batch; `content` and `origins` have the same count.
    public init(_ content: Content, partitions: [TopicPartition], origins: [RecordOrigin]) {
        if case .records(let records) = content {
            precondition(records.count == origins.count, "\(records.count) records with \(origins.count) origins")
        }
        (self.content, self.partitions, self.origins) = (content, partitions, origins)
    }
    /// A batch without records: a tick.
    public static var empty: Self { Self(.records([]), partitions: [], origins: []) }

    /// How many records are in it.
    public var count: Int { origins.count }
    /// Whether it is only a tick.
    public var isEmpty: Bool { origins.isEmpty }

    /// The topic a record goes by: after transforms for parsed records, the original one for raw records.
    public func topic(at index: Int) -> String {
        if case .records(let records) = content { return records[index].topic }
        return partitions[origins[index].partition].topic
    }
    /// The original partition of a record.
    public func topicPartition(at index: Int) -> TopicPartition { partitions[origins[index].partition] }
}
