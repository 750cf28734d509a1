public import ConnectConfig
import KafkaClient

/// A worker's properties, parsed; every key has a default, so that an empty config runs.
public struct WorkerConfig: Sendable {
    /// One of the three internal topics.
    public struct InternalTopicConfig: Sendable, Hashable {
        /// The topic's name.
        public var name: String
        /// Partitions when it is created; -1 is the broker's default.
        public var partitions: Int
        /// Copies when it is created; 0 takes 3 or the number of brokers, -1 the broker's default.
        public var replicationFactor: Int
        /// Further topic configs when it is created (`config.storage.min.insync.replicas=2`).
        public var configs: [String: String] = [:]
    }
    /// How failed tasks are restarted; a connector may set its own.
    struct RestartRules: Sendable, Hashable {
        var mode = RestartMode.onFailure
        var backoff = Duration.seconds(10)
        var backoffMax = Duration.seconds(300)
        /// Nil is without limit.
        var attempts: Int? = 10
        var reset = Duration.seconds(600)
    }

    /// All properties as given, without defaults.
    public let raw: [String: String]
    /// `bootstrap.servers`.
    public let bootstrapServers: String
    /// `group.id`.
    public let groupID: String
    /// `client.id`; empty for none.
    public let clientID: String
    /// `exactly.once.source.support` is `enabled`.
    public let isExactlyOnce: Bool
    /// `session.timeout.ms`: a worker that was not heard of for so long is dead.
    public let sessionTimeout: Duration
    /// `heartbeat.interval.ms`.
    public let heartbeatInterval: Duration
    /// `exactly.once.source.support` is `preparing` or `enabled`: configs are written by one worker at a time.
    let hasFencedConfigs: Bool
    /// `config.storage.topic` and what belongs to it.
    public let configTopic: InternalTopicConfig
    /// `offset.storage.topic` and what belongs to it.
    public let offsetTopic: InternalTopicConfig
    /// `status.storage.topic` and what belongs to it.
    public let statusTopic: InternalTopicConfig
    /// `key.converter`, `value.converter`, `header.converter` and their own keys, for connectors that name none.
    public let converters: [String: String]
    /// `offset.flush.interval.ms`.
    public let offsetFlushInterval: Duration
    /// `offset.flush.timeout.ms`.
    public let offsetFlushTimeout: Duration
    /// `task.shutdown.graceful.timeout.ms`.
    public let shutdownTimeout: Duration
    /// `topic.creation.enable`.
    public let createsTopics: Bool
    let stallAfter: Duration
    let overridePolicy: OverridePolicy
    let restart: RestartRules
    let refusesUnknownKeys: Bool
    /// Where REST listens, with which certificate, and whom it lets in.
    public let rest: RESTSettings
    /// `rest.request.timeout.ms`.
    public let requestTimeout: Duration
    /// `rest.advertised.host.name`.
    public let advertisedHost: String?
    /// `rest.advertised.port`.
    public let advertisedPort: Int?
    /// `access.control.allow.origin`; empty for none.
    public let allowOrigin: String
    /// `access.control.allow.methods`; empty for the usual ones.
    public let allowMethods: String
    /// `response.http.headers.config`; empty for none.
    public let responseHeaders: String
    /// `topic.tracking.enable`.
    public let tracksTopics: Bool
    /// `topic.tracking.allow.reset`.
    public let allowsTopicReset: Bool
    /// `config.directory`; nil for none.
    public let configDirectory: String?
    let providers: ConfigProviders
    let reloadInterval: Duration
    let elasticsearchURL: String?
    /// What is odd but accepted: unknown keys with a guess, keys without effect, client settings that cannot be translated.
    public let warnings: [ConfigIssue]

    /// Parses what the sources say; throws every issue at once, each with the place of its key.
    public init(_ sources: WorkerSources) throws(ConfigInvalid) {
        do throws(ConfigInvalid) { try self.init(sources.values) } catch {
            throw ConfigInvalid(issues: error.issues.map(sources.placed))
        }
    }

    /// Parses properties; throws every issue at once.
    public init(_ raw: [String: String] = [:]) throws(ConfigInvalid) {
        var values = Values(raw)
        self.raw = raw
        bootstrapServers = values[WorkerKeys.bootstrapServers, "localhost:9092"]
        groupID = values[WorkerKeys.groupID, "connect-cluster"]
        clientID = values[WorkerKeys.clientID, ""]
        sessionTimeout = values[WorkerKeys.sessionTimeout, .seconds(10)]
        heartbeatInterval = values[WorkerKeys.heartbeatInterval, .seconds(1)]
        let support = values[WorkerKeys.exactlyOnce, .disabled]
        (isExactlyOnce, hasFencedConfigs) = (support == .enabled, support != .disabled)
        configTopic = values.topic("config", WorkerKeys.configTopic, nil, WorkerKeys.configReplication)
        offsetTopic = values.topic(
            "offset",
            WorkerKeys.offsetTopic,
            WorkerKeys.offsetPartitions,
            WorkerKeys.offsetReplication
        )
        statusTopic = values.topic(
            "status",
            WorkerKeys.statusTopic,
            WorkerKeys.statusPartitions,
            WorkerKeys.statusReplication
        )
        converters = values.converters()
        offsetFlushInterval = values[WorkerKeys.offsetFlushInterval, .seconds(60)]
        offsetFlushTimeout = values[WorkerKeys.offsetFlushTimeout, .seconds(5)]
        shutdownTimeout = values[WorkerKeys.shutdownTimeout, .seconds(5)]
        createsTopics = values[WorkerKeys.topicCreation, true]
        stallAfter = values[WorkerKeys.stallTimeout, .seconds(120)]
        overridePolicy = values[WorkerKeys.overridePolicy, .all]
        restart = values.restartRules(defaults: RestartRules())
        refusesUnknownKeys = values[WorkerKeys.unknownKeys, .warn] == .error
        let extensions = values[WorkerKeys.restExtensions, []]
        rest = values.rest(extensions)
        requestTimeout = values[WorkerKeys.restTimeout, .seconds(90)]
        advertisedHost = values[WorkerKeys.advertisedHost, nil]
        advertisedPort = values[WorkerKeys.advertisedPort, nil]
        _ = values[WorkerKeys.advertisedListener, nil]
        allowOrigin = values[WorkerKeys.allowOrigin, ""]
        allowMethods = values[WorkerKeys.allowMethods, ""]
        responseHeaders = values[WorkerKeys.responseHeaders, ""]
        tracksTopics = values[WorkerKeys.topicTracking, true]
        allowsTopicReset = values[WorkerKeys.topicTrackingReset, true]
        configDirectory = values[WorkerKeys.configDirectory, nil].flatMap { $0.isEmpty ? nil : $0 }
        providers = values.providers(values[WorkerKeys.configProviders, []])
        reloadInterval = values[WorkerKeys.reloadInterval, .seconds(10)]
        elasticsearchURL = values[WorkerKeys.elasticsearchURL, nil]
        warnings = Self.warnings(raw)
        _ = try values.reader.finish { true }
    }

    private static func warnings(_ raw: [String: String]) -> [ConfigIssue] {
        var found: [ConfigIssue] = []
        for key in raw.keys.sorted() {
            if let reason = WorkerKeys.withoutEffect[key] {
                found.append(ConfigIssue(key: key, message: "has no effect: \(reason)"))
            } else if key == WorkerKeys.restExtensions.name {
                for name in (raw[key] ?? "").split(separator: ",") where !isBasicAuthentication(String(name)) {
                    found.append(ConfigIssue(key: key, message: "\(name) has no effect: Java classes cannot be loaded"))
                }
            } else if !WorkerKeys.isKnown(key) {
                let hint = Suggestion.hint(for: key, among: WorkerKeys.names)
                found.append(ConfigIssue(key: key, message: "is not a known worker property and has no effect.\(hint)"))
            }
        }
        for (prefix, role) in [
            ("producer.", KafkaSettings.Role.producer), ("consumer.", .consumer), ("admin.", .admin),
        ] {
            let unsupported = KafkaSettings.translate(values(raw, under: prefix), for: role).unsupported
            for (key, reason) in unsupported.sorted(by: { $0.key < $1.key }) where !key.hasPrefix("listeners") {
                found.append(ConfigIssue(key: prefix + key, message: "has no effect: \(reason)"))
            }
        }
        return found
    }
    /// Kafka Connect's `org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension`.
    static func isBasicAuthentication(_ name: String) -> Bool {
        name.filter { !$0.isWhitespace }.split(separator: ".").last == "BasicAuthSecurityRestExtension"
    }
    /// The keys under a prefix, without it.
    static func values(_ raw: [String: String], under prefix: String) -> [String: String] {
        raw.reduce(into: [:]) { found, pair in
            if pair.key.hasPrefix(prefix) { found[String(pair.key.dropFirst(prefix.count))] = pair.value }
        }
    }
}

extension WorkerConfig {
    /// `<group.id>-cluster`: who leads; copied as often as the configs.
    var clusterTopic: InternalTopicConfig {
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        let name = String(groupID.prefix(200).map { allowed.contains($0) ? $0 : "_" })
        return InternalTopicConfig(
            name: "\(name)-cluster",
            partitions: 1,
            replicationFactor: configTopic.replicationFactor,
            configs: configTopic.configs.filter { $0.key == "min.insync.replicas" }
        )
    }
    /// `host:port` of REST as far as the properties tell; the executable knows better once REST listens.
    var defaultWorkerID: String {
        let host = rest.listeners.first?.host ?? "", port = rest.listeners.first?.port ?? 8083
        return "\(advertisedHost ?? (host.isEmpty ? "localhost" : host)):\(advertisedPort ?? port)"
    }
    /// What the clients of connectors start from.
    var clientSettings: ClientSettings {
        ClientSettings(
            bootstrapServers: bootstrapServers,
            common: raw.filter { pair in WorkerKeys.clientPrefixes.contains { pair.key.hasPrefix($0) } },
            producer: Self.values(raw, under: "producer."),
            consumer: sinkSession.merging(Self.values(raw, under: "consumer.")) { $1 },
            admin: Self.values(raw, under: "admin.").filter { !$0.key.hasPrefix("listeners") }
        )
    }
    /// A killed worker's sink tasks hold their partitions until their own sessions are over: not later than the worker's.
    private var sinkSession: [String: String] {
        let session = Int((sessionTimeout / .milliseconds(1)).rounded())
        var settings = ["session.timeout.ms": "\(session)"]
        if session < 9_000 { settings["heartbeat.interval.ms"] = "\(session / 3)" }
        return settings
    }
    /// Settings of one of the worker's own clients.
    func internalSettings(_ role: KafkaSettings.Role, _ ours: [String: String]) -> KafkaSettings {
        let java = raw.filter { pair in
            WorkerKeys.clientKeys.contains(pair.key) || WorkerKeys.clientPrefixes.contains { pair.key.hasPrefix($0) }
        }
        return KafkaSettings(bootstrapServers: bootstrapServers, KafkaSettings.translate(java, for: role).settings)
            .merging(ours)
    }
    /// The producer of the config topic where the group has exactly-once sources.
    ///
    /// Kafka Connect's id for it, `connect-cluster-<group.id>`, is that of the leader's own topic here.
    func fencedWriterSettings(_ client: String) -> KafkaSettings {
        internalSettings(
            .producer,
            [
                "client.id": "\(client)-configs", "transactional.id": "connect-cluster-\(groupID)-configs",
                "acks": "all",
                "enable.idempotence": "true", "linger.ms": "0", "transaction.timeout.ms": "30000",
                "queue.buffering.max.kbytes": "8192",
            ]
        )
    }
}

/// Reads keys one by one; an issue leaves a stand-in, and the reader throws all issues at the end.
private struct Values {
    var reader: ConfigReader
    private let raw: [String: String]

    init(_ raw: [String: String]) {
        self.raw = raw
        reader = ConfigReader(raw)
    }
    subscript<V>(_ key: ConfigKey<V>, _ standIn: V) -> V {
        mutating get { reader.read(key) ?? standIn }
    }
    mutating func topic(
        _ kind: String,
        _ name: ConfigKey<String>,
        _ partitions: ConfigKey<Int>?,
        _ replication: ConfigKey<Int>
    ) -> WorkerConfig.InternalTopicConfig {
        let own: Set = ["topic", "partitions", "replication.factor", "file.filename"]
        let replicas = self[replication, 0]
        let count = partitions.map { self[$0, 1] } ?? 1
        return WorkerConfig.InternalTopicConfig(
            name: self[name, ""],
            partitions: count == 0 ? 1 : count,
            replicationFactor: replicas,
            configs: WorkerConfig.values(raw, under: "\(kind).storage.").filter { !own.contains($0.key) }
        )
    }
    /// Kafka Connect's JsonConverter wraps values in a schema by default, which is nearly never wanted: here it does not.
    mutating func converters() -> [String: String] {
        var found: [String: String] = [:]
        for key in [WorkerKeys.keyConverter, WorkerKeys.valueConverter, WorkerKeys.headerConverter] {
            found[key.name] = self[key, ""]
            for (name, value) in WorkerConfig.values(raw, under: key.name + ".") {
                found["\(key.name).\(name)"] = value
            }
            if raw[key.name] == nil, key.name != "header.converter", found["\(key.name).schemas.enable"] == nil {
                found["\(key.name).schemas.enable"] = "false"
            }
        }
        return found
    }
    mutating func restartRules(defaults: WorkerConfig.RestartRules) -> WorkerConfig.RestartRules {
        var rules = defaults
        rules.mode = self[WorkerKeys.restartPolicy, defaults.mode]
        rules.backoff = self[WorkerKeys.restartBackoff, defaults.backoff]
        rules.backoffMax = max(rules.backoff, self[WorkerKeys.restartBackoffMax, defaults.backoffMax])
        let attempts = self[WorkerKeys.restartAttempts, 10]
        rules.attempts = attempts < 0 ? nil : attempts
        rules.reset = self[WorkerKeys.restartReset, defaults.reset]
        return rules
    }
    mutating func rest(_ extensions: [String]) -> RESTSettings {
        var parts = RESTSettingsReader(raw)
        let settings = parts.settings(
            self[WorkerKeys.listeners, []],
            admin: self[WorkerKeys.adminListeners, nil],
            credentials: self[WorkerKeys.restCredentials, nil],
            isAsking: extensions.contains(where: WorkerConfig.isBasicAuthentication)
        )
        for issue in parts.issues { reader.note(issue) }
        return settings
    }
    mutating func providers(_ names: [String]) -> ConfigProviders {
        do throws(ConfigInvalid) { return try ConfigProviders(names: names, raw) } catch {
            for issue in error.issues { reader.note(issue) }
            return ConfigProviders()
        }
    }
}
