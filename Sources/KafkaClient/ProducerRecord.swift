public import ConnectModel

/// One record to send.
public struct ProducerRecord: Sendable, Hashable {
    /// The topic to write to.
    public var topic: String
    /// The partition; nil leaves the choice to the partitioner: murmur2 of the key as in Java's client, any without key.
    public var partition: Int32?
    /// The serialized key.
    public var key: [UInt8]?
    /// The serialized value; nil is a tombstone.
    public var value: [UInt8]?
    /// Headers in order; names may repeat.
    public var headers: [RecordBuffer.Header]
    /// Milliseconds since 1970; nil is the time of sending.
    public var timestamp: Int64?

    /// Makes a record.
    public init(
        topic: String,
        partition: Int32? = nil,
        key: [UInt8]? = nil,
        value: [UInt8]?,
        headers: [RecordBuffer.Header] = [],
        timestamp: Int64? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }

    /// Makes a record of texts, which travel as UTF-8.
    public init(topic: String, key: String? = nil, value: String?, headers: [String: String] = [:]) {
        self.init(
            topic: topic,
            key: key.map { Array($0.utf8) },
            value: value.map { Array($0.utf8) },
            headers: headers.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: Array($0.value.utf8)) }
        )
    }
}

/// Where a record was written.
public struct RecordMetadata: Sendable, Hashable {
    /// The topic.
    public let topic: String
    /// The partition.
    public let partition: Int32
    /// The offset; -1 when the broker's answer did not tell it (`acks=0`, or a retry of an idempotent producer).
    public let offset: Int64
    /// The record's timestamp in milliseconds since 1970; -1 when unknown.
    public let timestamp: Int64

    /// Makes metadata, for tests of code that takes it.
    public init(topic: String, partition: Int32, offset: Int64, timestamp: Int64) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }
}
