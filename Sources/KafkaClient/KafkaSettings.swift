internal import CRDKafka

/// The settings of one client: librdkafka's names, or the Java client's (translated by ``translate(_:for:)``).
///
/// ```swift
/// var settings = KafkaSettings(bootstrapServers: "localhost:9092", ["client.id": "orders"])
/// settings["linger.ms"] = "20"
/// let producer = try Producer(settings)
/// ```
/// Printing hides the values of secrets.
public struct KafkaSettings: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// Whose settings they are; the Java client's names differ in meaning between the three.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// ``Producer``
        case producer
        /// ``Consumer``
        case consumer
        /// ``Admin``
        case admin
    }

    /// All settings by key.
    public private(set) var values: [String: String]

    /// Names the brokers (`host:port,host:port`) and further settings.
    public init(bootstrapServers: String, _ values: [String: String] = [:]) {
        self.values = values
        self.values["bootstrap.servers"] = bootstrapServers
    }

    /// Any setting by its key; nil is the default of this library or of librdkafka.
    public subscript(key: String) -> String? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// `bootstrap.servers`.
    public var bootstrapServers: String {
        get { values["bootstrap.servers"] ?? "" }
        set { values["bootstrap.servers"] = newValue }
    }

    /// `client.id`: how broker logs, quotas and group listings name this client.
    public var clientID: String? {
        get { values["client.id"] }
        set { values["client.id"] = newValue }
    }

    /// `group.id`: the consumer group.
    public var groupID: String? {
        get { values["group.id"] }
        set { values["group.id"] = newValue }
    }

    /// `transactional.id`: makes the producer transactional.
    public var transactionalID: String? {
        get { values["transactional.id"] }
        set { values["transactional.id"] = newValue }
    }

    /// `max.poll.records`, which is this library's to honour: the default of ``Consumer/poll(maxRecords:maxBytes:timeout:)``.
    public var maxPollRecords: Int {
        get { values["max.poll.records"].flatMap { Int($0) } ?? 500 }
        set { values["max.poll.records"] = "\(newValue)" }
    }

    /// Further settings over these; the given ones win.
    public func merging(_ others: [String: String]) -> KafkaSettings {
        var merged = self
        merged.values.merge(others) { _, new in new }
        return merged
    }

    /// `key=value` pairs in order of key, secrets as `[hidden]`.
    public var description: String {
        values.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(Self.isSecret($0.key) ? "[hidden]" : $0.value)" }
            .joined(separator: " ")
    }

    /// Hides secrets from `dump` too.
    public var customMirror: Mirror { Mirror(self, children: ["values": description]) }

    /// Whether the key's value must not appear in logs, errors or API answers.
    public static func isSecret(_ key: String) -> Bool {
        let key = key.lowercased()
        return secretParts.contains { key.contains($0) }
    }

    private static let secretParts = [
        "password", "secret", "jaas", "ssl.key", "ssl.keystore.key", "keytab", "token", "oauthbearer.config", "key.pem",
    ]

    /// Settings that this library handles itself, so librdkafka does not get them.
    static let own: Set<String> = ["max.poll.records", "default.api.timeout.ms"]
}

extension KafkaSettings {
    /// Bounds of what a producer holds; ours, so that a full queue suspends the sender instead of failing a record.
    struct ProducerBounds: Equatable {
        var records = 500_000
        var bytes = 24 << 20
    }

    /// What librdkafka gets, our defaults under the caller's values.
    func forProducer() throws(KafkaClientError) -> (settings: [String: String], bounds: ProducerBounds) {
        var all: [String: String] = [
            "acks": "all",
            "enable.idempotence": "true",
            "linger.ms": "5",
            "partitioner": "murmur2_random",
            "socket.nagle.disable": "true",
        ]
        // Without idempotence the caller chooses acks, order and retries freely.
        merge(into: &all)
        if let acks = values["acks"] ?? values["request.required.acks"], !["all", "-1"].contains(acks) {
            if values["enable.idempotence"] == nil {
                all["enable.idempotence"] = "false"
            } else if values["enable.idempotence"] == "true" {
                throw KafkaClientError(
                    code: .configuration,
                    reason: "setting acks: must be all when enable.idempotence=true, got \(acks)"
                )
            }
        }
        var bounds = ProducerBounds()
        if let records = try number("queue.buffering.max.messages", in: 1...10_000_000) { bounds.records = records }
        if let kbytes = try number("queue.buffering.max.kbytes", in: 1...2_147_483_647) { bounds.bytes = kbytes << 10 }
        all["queue.buffering.max.messages"] = "10000000"
        all["queue.buffering.max.kbytes"] = "2147483647"
        return (all, bounds)
    }

    func forConsumer() throws(KafkaClientError) -> [String: String] {
        var all: [String: String] = [
            "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
            "auto.offset.reset": "earliest",
            "queued.min.messages": "50000",
            "queued.max.messages.kbytes": "8192",
            "socket.nagle.disable": "true",
        ]
        if Self.libraryVersion >= 0x0202_00ff { all["fetch.queue.backoff.ms"] = "10" }
        merge(into: &all)
        // librdkafka's assignment machinery wants a group even where nobody subscribes or commits.
        if all["group.id"] == nil { all["group.id"] = "no-group-\(UInt64.random(in: 0 ... .max))" }
        if all["enable.auto.commit"] == "true", values["enable.auto.offset.store"] == nil {
            all["enable.auto.offset.store"] = "true"
        }
        return all
    }

    func forAdmin() -> [String: String] {
        // The end of a partition is where its records end, those of open transactions included.
        var all: [String: String] = ["socket.nagle.disable": "true", "isolation.level": "read_uncommitted"]
        merge(into: &all)
        return all
    }

    /// How long a call may take that has no timeout of its own: `default.api.timeout.ms`, one minute.
    var defaultTimeout: Duration {
        .milliseconds(values["default.api.timeout.ms"].flatMap { Int($0) } ?? 60_000)
    }

    private func merge(into all: inout [String: String]) {
        for (key, value) in values where !Self.own.contains(key) { all[key] = value }
    }

    private func number(_ key: String, in range: ClosedRange<Int>) throws(KafkaClientError) -> Int? {
        guard let text = values[key] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw KafkaClientError(
                code: .configuration,
                reason: "setting \(key): must be between \(range.lowerBound) and \(range.upperBound), got \(text)"
            )
        }
        return number
    }

    /// The version of the librdkafka in use, `0xMMmmrrpp`.
    static var libraryVersion: Int32 { rd_kafka_version() }
}
