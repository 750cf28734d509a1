internal import CRDKafka
public import ConnectModel

/// A change of what a group member owns, as ``Consumer/subscribe(topics:rebalance:onRebalance:)`` reports it.
public enum RebalanceEvent: Sendable, Hashable {
    /// The member got partitions: all of them (eager) or more of them (cooperative).
    case assigned([TopicPartition])
    /// The member gives partitions back and may still commit them.
    case revoked([TopicPartition])
    /// The partitions belong to someone else already; a commit would be refused.
    case lost([TopicPartition])
}

/// Who answers a rebalance.
public enum RebalanceMode: Sendable, Hashable {
    /// The caller: `poll` returns the change, `assign` or `unassign` answers it.
    case byCaller
    /// The consumer: partitions start at the committed offset, and go at once when revoked.
    case automatic
}

/// Where to start reading a partition.
public enum StartPosition: Sendable, Hashable {
    /// At the group's committed offset, else as `auto.offset.reset` says.
    case stored
    /// At an offset; when it does not exist, as `auto.offset.reset` says.
    case offset(Int64)
    /// At the oldest record.
    case beginning
    /// Behind the newest record.
    case end

    /// librdkafka's logical offsets.
    var raw: Int64 {
        switch self {
        case .stored: Int64(RD_KAFKA_OFFSET_STORED)
        case .offset(let offset): max(0, offset)
        case .beginning: Int64(RD_KAFKA_OFFSET_BEGINNING)
        case .end: Int64(RD_KAFKA_OFFSET_END)
        }
    }
}

/// A rebalance on its way from librdkafka to the caller.
enum Rebalance: Sendable {
    case assigned([TopicPartition])
    case revoked([TopicPartition], lost: Bool)
    case failed(KafkaClientError)

    var event: RebalanceEvent? {
        switch self {
        case .assigned(let partitions): .assigned(partitions)
        case .revoked(let partitions, let lost): lost ? .lost(partitions) : .revoked(partitions)
        case .failed: nil
        }
    }
}

/// Rebalances that the caller has not seen, and the one it has seen but not answered.
struct RebalanceInbox {
    var pending: [Rebalance] = []
    var open: Rebalance?
    var mode = RebalanceMode.byCaller
    var isClosing = false
    var observer: (@Sendable (RebalanceEvent) -> Void)?
    /// From a subscription or a revocation until the group has given partitions.
    var isJoining = false
    var wasAssigned = false

    /// True when the change must be answered on the spot.
    mutating func add(_ change: Rebalance) -> Bool {
        switch change {
        case .assigned: (isJoining, wasAssigned) = (false, true)
        case .revoked: isJoining = true
        case .failed: break
        }
        if case .failed = change {
            pending.append(change)
            return true
        }
        if isClosing || mode == .automatic { return true }
        pending.append(change)
        return false
    }

    /// The next change for the caller; it stays open until answered.
    mutating func surface() -> Rebalance? {
        guard !pending.isEmpty else { return nil }
        let change = pending.removeFirst()
        if case .failed = change { return change }
        open = change
        return change
    }

    mutating func takeOpen() -> Rebalance? {
        defer { open = nil }
        return open
    }
}

/// Tells librdkafka what became of a rebalance, by the protocol that the group speaks.
enum RebalanceAnswer {
    /// Takes what is offered, at the committed offsets, and gives back what is asked for.
    static func accept(_ change: Rebalance, _ rk: OpaquePointer) {
        switch change {
        case .assigned(let partitions):
            let stored = partitions.map { (key: $0, value: StartPosition.stored.raw) }
            _ = unsafe assign(PartitionList(stored), incrementally: isCooperative(rk), rk)
        case .revoked(let partitions, _): _ = unsafe unassign(partitions, rk)
        case .failed: unsafe rd_kafka_assign(rk, nil)
        }
    }

    static func isCooperative(_ rk: OpaquePointer) -> Bool {
        guard let name = unsafe rd_kafka_rebalance_protocol(rk) else { return false }
        return unsafe String(cString: name) == "COOPERATIVE"
    }

    static func assign(
        _ list: consuming PartitionList,
        incrementally: Bool,
        _ rk: OpaquePointer
    ) -> KafkaClientError? {
        if incrementally {
            guard let error = unsafe list.withPointer({ unsafe rd_kafka_incremental_assign(rk, $0) }) else {
                return nil
            }
            return unsafe KafkaClientError(consuming: error, doing: "assigning partitions")
        }
        let code = unsafe list.withPointer { unsafe rd_kafka_assign(rk, $0) }
        return .ifFailed(code, doing: "assigning partitions")
    }

    static func unassign(_ partitions: [TopicPartition], _ rk: OpaquePointer) -> KafkaClientError? {
        guard unsafe isCooperative(rk) else {
            return unsafe .ifFailed(rd_kafka_assign(rk, nil), doing: "giving partitions back")
        }
        let list = PartitionList(partitions)
        guard let error = unsafe list.withPointer({ unsafe rd_kafka_incremental_unassign(rk, $0) }) else { return nil }
        return unsafe KafkaClientError(consuming: error, doing: "giving partitions back")
    }
}
