import ConnectConfig

/// The settings of Kafka's Java clients that are not plain text, by type (Kafka 4.3.1, `ProducerConfig` and the like).
enum ClientSettingTypes: String {
    case producer
    case consumer
    case admin

    /// Why `text` is no value of a setting, as Kafka's `ConfigDef` says it; nil when it is one, or when any text is.
    func problem(_ name: String, _ text: String) -> String? {
        guard let type = type(of: name) else { return nil }
        let value = text.trimmingBlanks
        let reason: String? =
            switch type {
            case .boolean:
                ["true", "false"].contains(value.lowercased()) ? nil : "Expected value to be either true or false"
            case .double: Double(value) == nil ? "Not a number of type DOUBLE" : nil
            case .class: KnownClasses.isKnown(value) ? nil : "Class \(text) could not be found."
            default:
                (try? ConfigKey<Int>.number(value, type)) == nil ? "Not a number of type \(type.rawValue)" : nil
            }
        return reason.map { ConfigIssue.invalid(name, value: text, $0).message }
    }
    private func type(of name: String) -> ConfigType? {
        Self.shared[name] ?? (self == .producer ? Self.ofProducer[name] : nil)
            ?? (self == .consumer ? Self.ofConsumer[name] : nil) ?? (self == .admin ? Self.ofAdmin[name] : nil)
    }

    private static func table(_ lists: [ConfigType: String]) -> [String: ConfigType] {
        var found: [String: ConfigType] = [:]
        for (type, names) in lists { for name in names.split(separator: " ") { found[String(name)] = type } }
        return found
    }
    private static let shared = table([
        .boolean: "enable.metrics.push sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.header.urlencode",
        .class: "sasl.client.callback.handler.class sasl.login.callback.handler.class sasl.login.class "
            + "sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class ssl.engine.factory.class",
        .double: "sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor "
            + "sasl.login.refresh.window.factor sasl.login.refresh.window.jitter",
        .int: "metrics.num.samples receive.buffer.bytes request.timeout.ms sasl.login.connect.timeout.ms "
            + "sasl.login.read.timeout.ms sasl.oauthbearer.assertion.claim.exp.seconds "
            + "sasl.oauthbearer.assertion.claim.nbf.seconds sasl.oauthbearer.clock.skew.seconds send.buffer.bytes",
        .long: "connections.max.idle.ms metadata.max.age.ms metadata.recovery.rebootstrap.trigger.ms "
            + "metrics.sample.window.ms reconnect.backoff.max.ms reconnect.backoff.ms retry.backoff.max.ms "
            + "retry.backoff.ms sasl.kerberos.min.time.before.relogin sasl.login.retry.backoff.max.ms "
            + "sasl.login.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.refresh.ms "
            + "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.ms "
            + "socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms",
        .short: "sasl.login.refresh.buffer.seconds sasl.login.refresh.min.period.seconds",
    ])
    private static let ofProducer = table([
        .boolean: "enable.idempotence partitioner.adaptive.partitioning.enable partitioner.ignore.keys "
            + "transaction.two.phase.commit.enable",
        .class: "key.serializer partitioner.class value.serializer",
        .int: "batch.size compression.gzip.level compression.lz4.level compression.zstd.level delivery.timeout.ms "
            + "max.in.flight.requests.per.connection max.request.size retries transaction.timeout.ms",
        .long: "buffer.memory linger.ms max.block.ms metadata.max.idle.ms partitioner.availability.timeout.ms",
    ])
    private static let ofConsumer = table([
        .boolean: "allow.auto.create.topics check.crcs enable.auto.commit exclude.internal.topics "
            + "internal.throw.on.fetch.stable.offset.unsupported",
        .class: "key.deserializer value.deserializer",
        .int: "auto.commit.interval.ms default.api.timeout.ms fetch.max.bytes fetch.max.wait.ms fetch.min.bytes "
            + "heartbeat.interval.ms max.partition.fetch.bytes max.poll.interval.ms max.poll.records session.timeout.ms",
    ])
    private static let ofAdmin = table([.int: "default.api.timeout.ms retries"])
}
