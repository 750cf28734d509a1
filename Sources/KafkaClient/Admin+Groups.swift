internal import CRDKafka
public import ConnectModel

/// Consumer groups.
extension Admin {
    /// All consumer groups.
    public func listGroups(timeout: Duration = .seconds(30)) async throws(KafkaClientError) -> [GroupListing] {
        let groups = try await unsafe request("listing groups", timeout) { rk, options, queue in
            unsafe rd_kafka_ListConsumerGroups(rk, options, queue)
        } read: { event throws(KafkaClientError) in
            guard let result = unsafe rd_kafka_event_ListConsumerGroups_result(event) else { return [GroupListing]() }
            var count = 0
            if let errors = unsafe rd_kafka_ListConsumerGroups_result_errors(result, &count), count > 0,
                let first = unsafe errors[0]
            {
                throw unsafe Self.error(copying: first, doing: "listing groups")
            }
            guard let list = unsafe rd_kafka_ListConsumerGroups_result_valid(result, &count) else { return [] }
            return (0..<count).compactMap { index in
                guard let group = unsafe list[index] else { return nil }
                let state = unsafe rd_kafka_ConsumerGroupListing_state(group)
                return unsafe GroupListing(
                    id: String(cString: rd_kafka_ConsumerGroupListing_group_id(group)),
                    state: String(cString: rd_kafka_consumer_group_state_name(state)),
                    isSimple: rd_kafka_ConsumerGroupListing_is_simple_consumer_group(group) != 0
                )
            }
        }
        return groups.sorted { $0.id < $1.id }
    }

    /// One group with its members; a group that does not exist is described as `Dead` by the brokers.
    public func describeGroup(
        _ group: String,
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> GroupDescription {
        let doing = "describing group \"\(group)\""
        return try await unsafe request(doing, timeout) { rk, options, queue in
            unsafe group.withCString { name in
                var names: [UnsafePointer<CChar>?] = unsafe [name]
                unsafe rd_kafka_DescribeConsumerGroups(rk, &names, 1, options, queue)
            }
        } read: { event throws(KafkaClientError) in
            var count = 0
            guard let result = unsafe rd_kafka_event_DescribeConsumerGroups_result(event),
                let list = unsafe rd_kafka_DescribeConsumerGroups_result_groups(result, &count), count > 0,
                let found = unsafe list[0]
            else { throw KafkaClientError(code: .groupNotFound, reason: "\(doing): no answer for it") }
            if let error = unsafe rd_kafka_ConsumerGroupDescription_error(found) {
                throw unsafe Self.error(copying: error, doing: doing)
            }
            return unsafe Self.description(found)
        }
    }

    /// The group's committed offsets.
    public func groupOffsets(
        _ group: String,
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> [TopicPartition: Int64] {
        let doing = "reading offsets of group \"\(group)\""
        return try await unsafe request(doing, timeout) { rk, options, queue in
            var list = unsafe [rd_kafka_ListConsumerGroupOffsets_new(group, nil)]
            unsafe rd_kafka_ListConsumerGroupOffsets(rk, &list, 1, options, queue)
            unsafe list.forEach { unsafe rd_kafka_ListConsumerGroupOffsets_destroy($0) }
        } read: { event throws(KafkaClientError) in
            var count = 0
            guard let result = unsafe rd_kafka_event_ListConsumerGroupOffsets_result(event),
                let groups = unsafe rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count)
            else { return [:] }
            return try unsafe Self.offsets(ofGroup: groups, count, doing)
        }
    }

    /// Sets committed offsets of a group; only while it has no members (`groupNotEmpty`, `unknownMember` otherwise).
    public func alterGroupOffsets(
        _ group: String,
        _ offsets: [TopicPartition: Int64],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) {
        guard !offsets.isEmpty else { return }
        let doing = "setting offsets of group \"\(group)\""
        _ = try await unsafe request(doing, timeout) { rk, options, queue in
            let partitions = PartitionList(offsets)
            var list = unsafe [partitions.withPointer { unsafe rd_kafka_AlterConsumerGroupOffsets_new(group, $0) }]
            unsafe rd_kafka_AlterConsumerGroupOffsets(rk, &list, 1, options, queue)
            unsafe list.forEach { unsafe rd_kafka_AlterConsumerGroupOffsets_destroy($0) }
        } read: { event throws(KafkaClientError) -> [TopicPartition: Int64] in
            var count = 0
            guard let result = unsafe rd_kafka_event_AlterConsumerGroupOffsets_result(event),
                let groups = unsafe rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &count)
            else { return [:] }
            return try unsafe Self.offsets(ofGroup: groups, count, doing)
        }
    }

    /// Removes committed offsets of a group for these partitions.
    public func deleteGroupOffsets(
        _ group: String,
        _ partitions: [TopicPartition],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) {
        guard !partitions.isEmpty else { return }
        let doing = "deleting offsets of group \"\(group)\""
        _ = try await unsafe request(doing, timeout) { rk, options, queue in
            let partitions = PartitionList(partitions)
            var list = unsafe [partitions.withPointer { unsafe rd_kafka_DeleteConsumerGroupOffsets_new(group, $0) }]
            unsafe rd_kafka_DeleteConsumerGroupOffsets(rk, &list, 1, options, queue)
            unsafe list.forEach { unsafe rd_kafka_DeleteConsumerGroupOffsets_destroy($0) }
        } read: { event throws(KafkaClientError) -> [TopicPartition: Int64] in
            var count = 0
            guard let result = unsafe rd_kafka_event_DeleteConsumerGroupOffsets_result(event),
                let groups = unsafe rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, &count)
            else { return [:] }
            return try unsafe Self.offsets(ofGroup: groups, count, doing)
        }
    }

    /// Deletes a group with its offsets; throws `groupNotEmpty` while it has members, `groupNotFound`.
    public func deleteGroup(_ group: String, timeout: Duration = .seconds(30)) async throws(KafkaClientError) {
        let doing = "deleting group \"\(group)\""
        let error = try await unsafe request(doing, timeout) { rk, options, queue in
            var list = unsafe [rd_kafka_DeleteGroup_new(group)]
            unsafe rd_kafka_DeleteGroups(rk, &list, 1, options, queue)
            unsafe list.forEach { unsafe rd_kafka_DeleteGroup_destroy($0) }
        } read: { event -> KafkaClientError? in
            var count = 0
            guard let result = unsafe rd_kafka_event_DeleteGroups_result(event),
                let groups = unsafe rd_kafka_DeleteGroups_result_groups(result, &count), count > 0,
                let first = unsafe groups[0], let error = unsafe rd_kafka_group_result_error(first)
            else { return nil }
            return unsafe Self.error(copying: error, doing: doing)
        }
        if let error { throw error }
    }

    // --- reading results

    private typealias GroupResults = UnsafeMutablePointer<OpaquePointer?>

    private static func offsets(
        ofGroup groups: GroupResults,
        _ count: Int,
        _ doing: String
    ) throws(KafkaClientError) -> [TopicPartition: Int64] {
        guard count > 0, let group = unsafe groups[0] else { return [:] }
        if let error = unsafe rd_kafka_group_result_error(group) {
            throw unsafe Self.error(copying: error, doing: doing)
        }
        guard let list = unsafe rd_kafka_group_result_partitions(group) else { return [:] }
        return try unsafe offsets(of: list, doing)
    }

    private static func description(_ group: OpaquePointer) -> GroupDescription {
        let count = unsafe rd_kafka_ConsumerGroupDescription_member_count(group)
        let members = (0..<count).compactMap { index -> GroupDescription.Member? in
            guard let member = unsafe rd_kafka_ConsumerGroupDescription_member(group, index) else { return nil }
            let instance = unsafe rd_kafka_MemberDescription_group_instance_id(member)
            var owned: [TopicPartition] = []
            if let assignment = unsafe rd_kafka_MemberDescription_assignment(member),
                let list = unsafe rd_kafka_MemberAssignment_partitions(assignment)
            {
                owned = unsafe PartitionList.entries(of: list).map(\.partition)
            }
            return unsafe GroupDescription.Member(
                memberID: String(cString: rd_kafka_MemberDescription_consumer_id(member)),
                clientID: String(cString: rd_kafka_MemberDescription_client_id(member)),
                host: String(cString: rd_kafka_MemberDescription_host(member)),
                instanceID: instance.map { unsafe String(cString: $0) },
                assignment: owned.sorted()
            )
        }
        let state = unsafe rd_kafka_ConsumerGroupDescription_state(group)
        let isSimple = unsafe rd_kafka_ConsumerGroupDescription_is_simple_consumer_group(group) != 0
        let assignor = unsafe rd_kafka_ConsumerGroupDescription_partition_assignor(group)
        return unsafe GroupDescription(
            id: String(cString: rd_kafka_ConsumerGroupDescription_group_id(group)),
            state: String(cString: rd_kafka_consumer_group_state_name(state)),
            protocolType: isSimple ? "" : "consumer",
            assignor: assignor.map { unsafe String(cString: $0) } ?? "",
            coordinator: rd_kafka_ConsumerGroupDescription_coordinator(group).map { node in
                unsafe Broker(
                    id: rd_kafka_Node_id(node),
                    host: String(cString: rd_kafka_Node_host(node)),
                    port: Int(rd_kafka_Node_port(node))
                )
            },
            members: members.sorted { $0.memberID < $1.memberID }
        )
    }
}
