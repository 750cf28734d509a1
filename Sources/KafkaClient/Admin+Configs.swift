internal import CRDKafka

/// Settings of topics.
extension Admin {
    /// All settings of a topic that the brokers tell, defaults included; secrets are left out.
    public func describeTopicConfigs(
        _ topic: String,
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) -> [String: String] {
        try await topicConfigs(topic, ownOnly: false, timeout)
    }

    /// Changes settings of a topic, leaving its others as they are.
    ///
    /// Two callers at a time may undo each other's change: the older protocol replaces all settings at once.
    public func alterTopicConfigs(
        _ topic: String,
        _ changes: [String: String],
        timeout: Duration = .seconds(30)
    ) async throws(KafkaClientError) {
        guard !changes.isEmpty else { return }
        let all = try await topicConfigs(topic, ownOnly: true, timeout).merging(changes) { $1 }
        let doing = "changing settings of topic \"\(topic)\""
        let error = try await unsafe request(doing, timeout) { rk, options, queue in
            let resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
            for (key, value) in all { unsafe _ = rd_kafka_ConfigResource_set_config(resource, key, value) }
            var list = unsafe [resource]
            unsafe rd_kafka_AlterConfigs(rk, &list, 1, options, queue)
            unsafe rd_kafka_ConfigResource_destroy(resource)
        } read: { event -> KafkaClientError? in
            var count = 0
            guard let result = unsafe rd_kafka_event_AlterConfigs_result(event),
                let list = unsafe rd_kafka_AlterConfigs_result_resources(result, &count), count > 0,
                let first = unsafe list[0]
            else { return nil }
            return unsafe Self.failure(of: first, doing)
        }
        if let error { throw error }
    }

    private func topicConfigs(
        _ topic: String,
        ownOnly: Bool,
        _ timeout: Duration
    ) async throws(KafkaClientError) -> [String: String] {
        let doing = "reading settings of topic \"\(topic)\""
        return try await unsafe request(doing, timeout) { rk, options, queue in
            var list = unsafe [rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)]
            unsafe rd_kafka_DescribeConfigs(rk, &list, 1, options, queue)
            unsafe list.forEach { unsafe rd_kafka_ConfigResource_destroy($0) }
        } read: { event throws(KafkaClientError) in
            var count = 0
            guard let result = unsafe rd_kafka_event_DescribeConfigs_result(event),
                let list = unsafe rd_kafka_DescribeConfigs_result_resources(result, &count), count > 0,
                let first = unsafe list[0]
            else { return [:] }
            if let error = unsafe Self.failure(of: first, doing) { throw error }
            var size = 0
            guard let entries = unsafe rd_kafka_ConfigResource_configs(first, &size) else { return [:] }
            var configs: [String: String] = [:]
            for index in 0..<size {
                guard let entry = unsafe entries[index], let value = unsafe rd_kafka_ConfigEntry_value(entry) else {
                    continue
                }
                let source = unsafe rd_kafka_ConfigEntry_source(entry)
                if ownOnly, source != RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG { continue }
                configs[unsafe String(cString: rd_kafka_ConfigEntry_name(entry))] = unsafe String(cString: value)
            }
            return configs
        }
    }

    private static func failure(of resource: OpaquePointer, _ doing: String) -> KafkaClientError? {
        let code = unsafe rd_kafka_ConfigResource_error(resource)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let text = unsafe rd_kafka_ConfigResource_error_string(resource).map { unsafe String(cString: $0) }
        return KafkaClientError(code, doing: doing, detail: text)
    }
}
