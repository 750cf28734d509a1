internal import Blocking
internal import CRDKafka
internal import ConnectModel

/// Who a consumer is in its group: what a transaction needs to commit the consumer's offsets.
public struct ConsumerGroupMetadata: Sendable, Hashable {
    /// `group.id`.
    public var groupID: String
    /// The generation of the group that the member belongs to; nil before it joined, or where librdkafka does not tell.
    public var generation: Int32?
    /// The member's id, given by the coordinator; nil before it joined.
    public var memberID: String?
    /// `group.instance.id` of a static member.
    public var instanceID: String?
    /// librdkafka's own form, where the metadata came from a consumer.
    var serialized: [UInt8]

    /// Names a group without membership: offsets are then committed unfenced.
    public init(groupID: String, generation: Int32? = nil, memberID: String? = nil, instanceID: String? = nil) {
        self.groupID = groupID
        self.generation = generation
        self.memberID = memberID
        self.instanceID = instanceID
        serialized = []
    }

    /// Reads librdkafka's form: `CGMDv2:`, generation (32 bits), group and member (ending in 0), a null flag, the instance.
    init(groupID: String, serialized: [UInt8]) {
        self.init(groupID: groupID)
        self.serialized = serialized
        let magic = Array("CGMDv2:".utf8)
        guard serialized.starts(with: magic), serialized.count > magic.count + 4 else { return }
        let number = serialized[magic.count..<magic.count + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let texts = serialized[(magic.count + 4)...].split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard texts.count == 3 else { return }
        let member = String(decoding: texts[1], as: UTF8.self)
        generation = Int32(bitPattern: number) < 0 ? nil : Int32(bitPattern: number)
        memberID = member.isEmpty ? nil : member
        if texts[2].first == 0 { instanceID = String(decoding: texts[2].dropFirst().prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Lends librdkafka's object, made for the call.
    func withPointer<R>(_ body: (OpaquePointer) -> R) -> R? {
        var made: OpaquePointer?
        if serialized.isEmpty {
            unsafe made = rd_kafka_consumer_group_metadata_new_with_genid(
                groupID,
                generation ?? -1,
                memberID ?? "",
                instanceID
            )
        } else {
            let error = unsafe rd_kafka_consumer_group_metadata_read(&made, serialized, serialized.count)
            if let error = unsafe error { unsafe rd_kafka_error_destroy(error) }
        }
        guard let made = unsafe made else { return nil }
        defer { unsafe rd_kafka_consumer_group_metadata_destroy(made) }
        return unsafe body(made)
    }
}

extension Consumer {
    /// The consumer's present membership, for ``Producer/sendOffsets(_:group:timeout:)``.
    public func groupMetadata() async throws(KafkaClientError) -> ConsumerGroupMetadata {
        try checkOpen("reading the group membership")
        let (handle, group) = (handle, settings.groupID ?? "")
        return try await control.run { () throws(KafkaClientError) in
            let bytes = unsafe handle.withPointer { rk -> [UInt8]? in
                guard let metadata = unsafe rd_kafka_consumer_group_metadata(rk) else { return nil }
                defer { unsafe rd_kafka_consumer_group_metadata_destroy(metadata) }
                var memory: UnsafeMutableRawPointer?
                var size = 0
                let error = unsafe rd_kafka_consumer_group_metadata_write(metadata, &memory, &size)
                if let error = unsafe error {
                    unsafe rd_kafka_error_destroy(error)
                    return nil
                }
                guard let memory = unsafe memory else { return nil }
                defer { unsafe rd_kafka_mem_free(rk, memory) }
                return unsafe [UInt8](UnsafeRawBufferPointer(start: memory, count: size))
            }
            guard let bytes else {
                throw KafkaClientError(code: .invalidState, reason: "reading the group membership: not in a group")
            }
            return ConsumerGroupMetadata(groupID: group, serialized: bytes)
        }
    }
}
