import ConnectConfig

extension WorkerKeys {
    /// Prefixes under which any key may follow.
    static let openPrefixes = [
        "producer.", "consumer.", "admin.", "key.converter.", "value.converter.", "header.converter.",
        "config.providers.", "config.storage.", "offset.storage.", "status.storage.", "listeners.https.",
        "admin.listeners.https.",
    ]
    /// Client settings that the worker's own clients take and that all clients of its connectors inherit.
    static let clientPrefixes = ["security.", "sasl.", "ssl."]
    /// Further client settings of the worker's own clients (Kafka Connect 4.3, `WorkerConfig` and `DistributedConfig`).
    static let clientKeys: Set<String> = [
        "client.dns.lookup", "metadata.max.age.ms", "request.timeout.ms", "connections.max.idle.ms",
        "reconnect.backoff.ms", "reconnect.backoff.max.ms", "retry.backoff.ms", "retry.backoff.max.ms",
        "send.buffer.bytes", "receive.buffer.bytes", "socket.connection.setup.timeout.ms",
        "socket.connection.setup.timeout.max.ms",
    ]
    /// Kafka Connect's keys that mean nothing here, and why; they are accepted, so that its files can be used as they are.
    static let withoutEffect: [String: String] = {
        var found: [String: String] = [
            "plugin.path": "connectors are built in", "plugin.discovery": "connectors are built in",
            "connect.protocol": "workers agree through a consumer group",
            "metric.reporters": "metrics are at /metrics", "metrics.num.samples": "metrics are at /metrics",
            "metrics.recording.level": "metrics are at /metrics", "metrics.sample.window.ms": "metrics are at /metrics",
            "task.shutdown.force.timeout.ms": "late tasks are cancelled",
            "key.converter.plugin.version": "converters are built in",
            "offset.storage.file.filename": "offsets are kept in Kafka",
            "metadata.recovery.strategy": "the client always asks all brokers it knows",
            "metadata.recovery.rebootstrap.trigger.ms": "the client always asks all brokers it knows",
            "internal.key.converter": "internal topics are always plain JSON",
            "internal.value.converter": "internal topics are always plain JSON",
        ]
        let coordination = [
            "rebalance.timeout.ms", "scheduled.rebalance.max.delay.ms",
            "worker.sync.timeout.ms", "worker.unsync.backoff.ms", "inter.worker.key.generation.algorithm",
            "inter.worker.key.size", "inter.worker.key.ttl.ms", "inter.worker.signature.algorithm",
            "inter.worker.verification.algorithms",
        ]
        for key in coordination { found[key] = "workers agree through a consumer group" }
        return found
    }()

    /// Names that are known by themselves, for suggestions.
    static var names: [String] { all.map(\.definition.name) + clientKeys + withoutEffect.keys }

    /// Whether a key means something, even if only to a client or converter.
    static func isKnown(_ key: String) -> Bool {
        all.contains { $0.definition.name == key } || clientKeys.contains(key) || withoutEffect[key] != nil
            || (openPrefixes + clientPrefixes).contains { key.hasPrefix($0) && key.count > $0.count }
    }
}
