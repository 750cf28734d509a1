internal import CRDKafka
public import ConnectModel
internal import Synchronization

/// Consumed records, still in librdkafka's memory, which is freed with the batch.
///
/// Keys and values are spans into that memory; nothing is copied or allocated per record:
/// ```swift
/// batch.forEach { index, key, value in
///     bytes += value?.byteCount ?? 0
/// }
/// ```
/// A batch may be read by several tasks. It keeps its fetch buffers alive, so do not collect batches without a bound.
@safe public final class MessageBatch: Sendable {
    /// What kind of time a record's timestamp is.
    public enum TimestampType: Sendable, Hashable {
        /// The record has none.
        case none
        /// When the record was made.
        case createTime
        /// When the broker appended it.
        case logAppendTime
    }

    typealias Messages = UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>

    nonisolated(unsafe) private let messages: Messages  // filled once before the batch is shared, then only read
    private let handle: RDKafkaHandle  // messages refer to the client's topics
    private let headerLock = Mutex(())  // librdkafka parses a message's headers at first reading
    private let indices: [Int32]

    /// How many records are in it.
    public let count: Int
    /// Bytes of all keys and values.
    public let byteCount: Int
    /// The partitions that records of this batch come from, in order of first appearance.
    public let partitions: [TopicPartition]

    /// Takes over `count` messages without error, and the memory that lists them.
    init(messages: Messages, count: Int, byteCount: Int, handle: RDKafkaHandle) {
        unsafe self.messages = messages
        self.count = count
        self.byteCount = byteCount
        self.handle = handle
        (partitions, indices) = unsafe Self.table(messages, count)
    }

    deinit {
        for index in 0..<count { unsafe rd_kafka_message_destroy(messages[index]) }
        unsafe messages.deallocate()
    }

    /// Reads every record in order.
    public func forEach<E: Error>(
        _ body: (_ index: Int, _ key: RawSpan?, _ value: RawSpan?) throws(E) -> Void
    ) throws(E) {
        try forEach(in: 0..<count, body)
    }

    /// Reads the records of a range of indices in order.
    public func forEach<E: Error>(
        in range: Range<Int>,
        _ body: (_ index: Int, _ key: RawSpan?, _ value: RawSpan?) throws(E) -> Void
    ) throws(E) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "records \(range) of a batch of \(count)")
        for index in range {
            guard let message = unsafe messages[index] else { continue }
            let key = unsafe UnsafeRawBufferPointer(start: message.pointee.key, count: message.pointee.key_len)
            let value = unsafe UnsafeRawBufferPointer(start: message.pointee.payload, count: message.pointee.len)
            switch unsafe (key.baseAddress != nil, value.baseAddress != nil) {
            case (false, true): try unsafe body(index, nil, value.bytes)
            case (true, true): try unsafe body(index, key.bytes, value.bytes)
            case (true, false): try unsafe body(index, key.bytes, nil)
            case (false, false): try body(index, nil, nil)
            }
        }
    }

    /// Reads one value; nil is a tombstone.
    public func withValue<R, E: Error>(at index: Int, _ body: (RawSpan?) throws(E) -> R) throws(E) -> R {
        let message = unsafe message(index)
        guard let start = unsafe message.pointee.payload else { return try body(nil) }
        let value = unsafe UnsafeRawBufferPointer(start: start, count: message.pointee.len)
        return try unsafe body(value.bytes)
    }

    /// Reads one key.
    public func withKey<R, E: Error>(at index: Int, _ body: (RawSpan?) throws(E) -> R) throws(E) -> R {
        let message = unsafe message(index)
        guard let start = unsafe message.pointee.key else { return try body(nil) }
        let key = unsafe UnsafeRawBufferPointer(start: start, count: message.pointee.key_len)
        return try unsafe body(key.bytes)
    }

    /// A copy of a record's key.
    public func key(at index: Int) -> [UInt8]? { withKey(at: index) { $0?.copied } }

    /// A copy of a record's value.
    public func value(at index: Int) -> [UInt8]? { withValue(at: index) { $0?.copied } }

    /// Index into ``partitions`` of a record's partition.
    public func partitionIndex(at index: Int) -> Int { indices.isEmpty ? 0 : Int(indices[index]) }

    /// A record's partition.
    public func topicPartition(at index: Int) -> TopicPartition { partitions[partitionIndex(at: index)] }

    /// A record's offset.
    public func offset(at index: Int) -> Int64 { unsafe message(index).pointee.offset }

    /// A record's timestamp in milliseconds since 1970; -1 when it has none.
    public func timestamp(at index: Int) -> Int64 { typedTimestamp(at: index).milliseconds }

    /// A record's timestamp in milliseconds since 1970 (-1 for none) and what time it is.
    public func typedTimestamp(at index: Int) -> (milliseconds: Int64, type: TimestampType) {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = unsafe rd_kafka_message_timestamp(message(index), &kind)
        switch kind {
        case RD_KAFKA_TIMESTAMP_CREATE_TIME: return (milliseconds, .createTime)
        case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME: return (milliseconds, .logAppendTime)
        default: return (-1, .none)
        }
    }

    /// Whether a record has headers.
    public func hasHeaders(at index: Int) -> Bool {
        unsafe withHeaders(at: index) { unsafe $0.map { unsafe rd_kafka_header_cnt($0) > 0 } ?? false }
    }

    /// A record's headers in order; names may repeat.
    public func headers(at index: Int) -> [RecordBuffer.Header] {
        unsafe withHeaders(at: index) { list in
            guard let list = unsafe list else { return [] }
            return unsafe (0..<rd_kafka_header_cnt(list)).compactMap { unsafe Self.header($0, of: list) }
        }
    }

    /// The offset behind the last record of each partition: what to commit once all records are dealt with.
    public var endOffsets: [TopicPartition: Int64] {
        var ends: [TopicPartition: Int64] = [:]
        for index in stride(from: count - 1, through: 0, by: -1) {
            let partition = topicPartition(at: index)
            if ends[partition] == nil { ends[partition] = offset(at: index) + 1 }
            if ends.count == partitions.count { break }
        }
        return ends
    }

    // --- C

    private func message(_ index: Int) -> UnsafeMutablePointer<rd_kafka_message_t> {
        precondition(index >= 0 && index < count, "record \(index) of a batch of \(count)")
        guard let message = unsafe messages[index] else { preconditionFailure("record \(index) is missing") }
        return unsafe message
    }

    private func withHeaders<R>(at index: Int, _ body: (OpaquePointer?) -> R) -> R {
        headerLock.withLock { _ in
            var list: OpaquePointer?
            let code = unsafe rd_kafka_message_headers(message(index), &list)
            return unsafe body(code == RD_KAFKA_RESP_ERR_NO_ERROR ? list : nil)
        }
    }

    private static func header(_ index: Int, of list: OpaquePointer) -> RecordBuffer.Header? {
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        guard unsafe rd_kafka_header_get_all(list, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let name = unsafe name
        else { return nil }
        let bytes = unsafe value.map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: size)) }
        return unsafe RecordBuffer.Header(name: String(cString: name), value: bytes)
    }

    /// Names the partitions; the index list stays empty when there is only one.
    private static func table(_ messages: Messages, _ count: Int) -> ([TopicPartition], [Int32]) {
        var keys: [(topic: OpaquePointer?, partition: Int32)] = unsafe []
        var indices: [Int32] = []
        var last = 0
        for index in 0..<count {
            guard let message = unsafe messages[index] else { continue }
            let (topic, partition) = unsafe (message.pointee.rkt, message.pointee.partition)
            if unsafe keys.isEmpty || keys[last].topic != topic || keys[last].partition != partition {
                if let known = unsafe keys.firstIndex(where: { unsafe $0.topic == topic && $0.partition == partition })
                {
                    last = known
                } else {
                    unsafe keys.append((topic, partition))
                    last = unsafe keys.count - 1
                    if unsafe keys.count == 2 { indices = [Int32](repeating: 0, count: index) }
                }
            }
            if unsafe keys.count > 1 { indices.append(Int32(last)) }
        }
        let names = unsafe keys.map { key in
            unsafe TopicPartition(String(cString: rd_kafka_topic_name(key.topic)), key.partition)
        }
        return (names, indices)
    }
}

extension RawSpan {
    /// The bytes as an array.
    public var copied: [UInt8] { unsafe withUnsafeBytes { unsafe [UInt8]($0) } }
}
