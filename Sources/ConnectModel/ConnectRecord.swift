/// A header of a record.
public struct ConnectHeader: Sendable, Hashable {
    /// The header's name; a record may have several of one name.
    public var name: String
    /// The value with its schema.
    public var value: SchemaAndValue

    /// Makes a header.
    public init(name: String, value: SchemaAndValue) { (self.name, self.value) = (name, value) }
}

/// A record on its way between a connector and Kafka, as transforms see it.
public struct ConnectRecord: Sendable, Hashable {
    /// What a record's timestamp means; raw values are Kafka's names.
    public enum TimestampType: String, Sendable, Hashable {
        /// There is none.
        case none = "NoTimestampType"
        /// Set by the producer.
        case create = "CreateTime"
        /// Set by the broker.
        case logAppend = "LogAppendTime"
    }

    /// What only a record that came from Kafka has.
    public struct Origin: Sendable, Hashable {
        /// The partition it was read from, whatever transforms made of the record's own topic.
        public var partition: TopicPartition
        /// Its offset there.
        public var offset: Int64
        /// What its timestamp means.
        public var timestampType: TimestampType

        /// Names a place in Kafka.
        public init(_ partition: TopicPartition, offset: Int64, timestampType: TimestampType = .create) {
            (self.partition, self.offset, self.timestampType) = (partition, offset, timestampType)
        }
    }

    /// The topic it goes to, or came from unless a transform routed it elsewhere.
    public var topic: String
    /// The partition; nil leaves the choice to the producer.
    public var partition: Int32?
    /// The key.
    public var key: SchemaAndValue
    /// The value.
    public var value: SchemaAndValue
    /// Milliseconds since 1970; nil when there is none.
    public var timestamp: Int64?
    /// The headers in order.
    public var headers: [ConnectHeader]
    /// Where a sink's record was read; nil for a source's record.
    public var origin: Origin?

    /// Puts a record together; give `origin` for a record that goes to a sink.
    public init(
        topic: String,
        partition: Int32? = nil,
        key: SchemaAndValue = .null,
        value: SchemaAndValue,
        timestamp: Int64? = nil,
        headers: [ConnectHeader] = [],
        origin: Origin? = nil
    ) {
        (self.topic, self.partition, self.key, self.value) = (topic, partition, key, value)
        (self.timestamp, self.headers, self.origin) = (timestamp, headers, origin)
    }

    /// The offset, for a sink's record.
    public var offset: Int64? { origin?.offset }
    /// What the timestamp means, for a sink's record.
    public var timestampType: TimestampType? { origin?.timestampType }
}
