internal import CRDKafka
internal import ConnectModel

/// librdkafka's list of partitions with offsets.
@safe struct PartitionList: ~Copyable {
    struct Entry {
        let partition: TopicPartition
        let offset: Int64
        let error: rd_kafka_resp_err_t
    }

    private let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ partitions: some Collection<TopicPartition>) {
        unsafe pointer = rd_kafka_topic_partition_list_new(Int32(clamping: partitions.count))
        for partition in partitions { unsafe add(partition) }
    }

    init(_ offsets: some Collection<(key: TopicPartition, value: Int64)>) {
        unsafe pointer = rd_kafka_topic_partition_list_new(Int32(clamping: offsets.count))
        for (partition, offset) in offsets {
            guard let entry = unsafe add(partition) else { continue }
            unsafe entry.pointee.offset = offset
        }
    }

    /// Takes over a list that C made for the caller.
    init(adopting list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) { unsafe pointer = list }

    deinit { unsafe rd_kafka_topic_partition_list_destroy(pointer) }

    @discardableResult
    private func add(_ partition: TopicPartition) -> UnsafeMutablePointer<rd_kafka_topic_partition_t>? {
        unsafe rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
    }

    func withPointer<T>(_ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> T) -> T {
        unsafe body(pointer)
    }

    var entries: [Entry] { unsafe Self.entries(of: pointer) }

    /// Offsets of the partitions that have one.
    var offsets: [TopicPartition: Int64] {
        var found: [TopicPartition: Int64] = [:]
        for entry in entries where entry.offset >= 0 { found[entry.partition] = entry.offset }
        return found
    }

    /// The first failure of a single partition.
    func firstError(doing: String) -> KafkaClientError? {
        for entry in entries where entry.error != RD_KAFKA_RESP_ERR_NO_ERROR {
            return KafkaClientError(entry.error, doing: "\(doing) of \(entry.partition)")
        }
        return nil
    }

    static func entries(of list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [Entry] {
        let count = unsafe Int(list.pointee.cnt)
        guard count > 0, let elements = unsafe list.pointee.elems else { return [] }
        return (0..<count).map { index in
            let raw = unsafe elements[index]
            let topic = unsafe String(cString: raw.topic)
            return unsafe Entry(
                partition: TopicPartition(topic, raw.partition),
                offset: raw.offset,
                error: raw.err
            )
        }
    }
}
