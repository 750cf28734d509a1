public import ConnectModel

/// Writes records that could not be processed to a topic of their own, as Kafka Connect's sinks do.
///
/// Key, value, timestamp and headers travel unchanged; with `contextHeaders` the headers `__connect.errors.*` are appended,
/// so tools made for Kafka Connect can read them.
/// ```swift
/// let deadLetters = DeadLetterHandler(producer: producer, topic: "orders-dlq")
/// try await deadLetters.report(batch.record(at: 3), .init(stage: "TASK_PUT", error: "value is no JSON object"))
/// ```
public struct DeadLetterHandler: Sendable {
    /// The record that failed, where known with its place.
    public struct FailedRecord: Sendable, Hashable {
        /// Where it was read.
        public var partition: TopicPartition?
        /// Its offset there.
        public var offset: Int64?
        /// The serialized key.
        public var key: [UInt8]?
        /// The serialized value.
        public var value: [UInt8]?
        /// Its headers.
        public var headers: [RecordBuffer.Header]
        /// Milliseconds since 1970.
        public var timestamp: Int64?

        /// Describes a record.
        public init(
            partition: TopicPartition? = nil,
            offset: Int64? = nil,
            key: [UInt8]?,
            value: [UInt8]?,
            headers: [RecordBuffer.Header] = [],
            timestamp: Int64? = nil
        ) {
            self.partition = partition
            self.offset = offset
            self.key = key
            self.value = value
            self.headers = headers
            self.timestamp = timestamp
        }
    }

    /// What went wrong, where.
    public struct Context: Sendable, Hashable {
        /// Which step failed, as Kafka Connect names it: `KEY_CONVERTER`, `VALUE_CONVERTER`, `TRANSFORMATION`, `TASK_PUT`.
        public var stage: String
        /// The failure in words; nil makes a header with a null value.
        public var error: String?
        /// The class or type of the failure.
        public var errorType: String
        /// The converter, transform or sink that failed.
        public var component: String
        /// The connector.
        public var connector: String?
        /// The connector's task.
        public var task: Int?
        /// Where in the code it failed.
        public var trace: String?

        /// Describes a failure.
        public init(
            stage: String,
            error: String?,
            errorType: String = "",
            component: String = "",
            connector: String? = nil,
            task: Int? = nil,
            trace: String? = nil
        ) {
            self.stage = stage
            self.error = error
            self.errorType = errorType
            self.component = component
            self.connector = connector
            self.task = task
            self.trace = trace
        }
    }

    /// The topic for failed records.
    public let topic: String
    private let producer: Producer
    private let contextHeaders: Bool

    /// Writes to `topic`, which must exist or be made on first use by the brokers.
    public init(producer: Producer, topic: String, contextHeaders: Bool = true) {
        self.producer = producer
        self.topic = topic
        self.contextHeaders = contextHeaders
    }

    /// Writes one failed record and waits until the brokers have it; throws when it could not be written.
    @discardableResult
    public func report(_ record: FailedRecord, _ context: Context) async throws(KafkaClientError) -> RecordMetadata {
        try await producer.send(self.record(for: record, context))
    }

    /// What ``report(_:_:)`` sends, for callers that send it themselves, such as in a transaction.
    public func record(for failed: FailedRecord, _ context: Context) -> ProducerRecord {
        ProducerRecord(
            topic: topic,
            key: failed.key,
            value: failed.value,
            headers: failed.headers + (contextHeaders ? Self.headers(failed, context) : []),
            timestamp: failed.timestamp
        )
    }

    private static func headers(_ failed: FailedRecord, _ context: Context) -> [RecordBuffer.Header] {
        var headers: [RecordBuffer.Header] = []
        func add(_ name: String, _ text: String?) {
            headers.append(.init(name: "__connect.errors.\(name)", value: text.map { Array($0.utf8) }))
        }
        if let partition = failed.partition, let offset = failed.offset {
            add("topic", partition.topic)
            add("partition", "\(partition.partition)")
            add("offset", "\(offset)")
        }
        add("connector.name", context.connector ?? "")
        add("task.id", "\(context.task ?? 0)")
        add("stage", context.stage)
        add("class.name", context.component)
        add("exception.class.name", context.errorType)
        add("exception.message", context.error)
        add("exception.stacktrace", context.trace)
        return headers
    }
}

extension MessageBatch {
    /// A copy of one record, for ``DeadLetterHandler``.
    public func record(at index: Int) -> DeadLetterHandler.FailedRecord {
        let timestamp = timestamp(at: index)
        return DeadLetterHandler.FailedRecord(
            partition: topicPartition(at: index),
            offset: offset(at: index),
            key: key(at: index),
            value: value(at: index),
            headers: headers(at: index),
            timestamp: timestamp < 0 ? nil : timestamp
        )
    }
}
