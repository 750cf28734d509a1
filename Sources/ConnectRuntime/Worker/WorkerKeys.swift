import ConnectConfig

/// How far an unknown key of a connector is tolerated.
enum UnknownKeys: String, CaseIterable, Sendable {
    case warn
    case error
}

/// Who may set client settings in a connector's config (Kafka Connect 4.3).
enum OverridePolicy: String, CaseIterable, Sendable {
    case all = "All"
    case none = "None"
    case principal = "Principal"
}

/// Whether sources write records and offsets in one transaction (KIP-618).
enum ExactlyOnceMode: String, CaseIterable, Sendable {
    case disabled
    case preparing
    case enabled
}

/// What happens to a task that failed (not Kafka Connect's; its tasks stay down).
enum RestartMode: String, CaseIterable, Sendable {
    case never
    case onFailure = "on-failure"
}

/// Every worker property that has an effect, declared once; names and defaults are Kafka Connect 4.3's where it has the key.
enum WorkerKeys {
    static let bootstrapServers = ConfigKey<String>.string(
        "bootstrap.servers",
        default: "localhost:9092",
        nonEmpty: true,
        importance: .high,
        "Kafka brokers to start from, `host:port` separated by commas. Without it `KAFKA_BOOTSTRAP_SERVERS` counts."
    ).shown(in: "Cluster")
    static let groupID = ConfigKey<String>.string(
        "group.id",
        default: "connect-cluster",
        nonEmpty: true,
        importance: .high,
        "Workers with the same group id share the work. Kafka Connect has no default."
    ).shown(in: "Cluster")
    static let clientID = ConfigKey<String>.string(
        "client.id",
        default: "",
        importance: .low,
        "Prefix of the names that the brokers see in logs and quotas."
    ).shown(in: "Cluster")
    static let exactlyOnce = ConfigKey<ExactlyOnceMode>.choice(
        "exactly.once.source.support",
        default: .disabled,
        importance: .high,
        "Whether source tasks commit records and offsets in one transaction: disabled, preparing or enabled."
    ).shown(in: "Cluster")
    static let sessionTimeout = ConfigKey<Duration>.milliseconds(
        "session.timeout.ms",
        in: 1_000...1_800_000,
        default: 10_000,
        importance: .high,
        "A worker of the group that was not heard of for so long is taken for dead, and another one takes its work over. It "
            + "stops writing by itself a fifth of that time earlier. The brokers allow 6 seconds and more by default."
    ).shown(in: "Cluster")
    static let heartbeatInterval = ConfigKey<Duration>.milliseconds(
        "heartbeat.interval.ms",
        in: 1...600_000,
        default: 1_000,
        importance: .high,
        "Time between two heartbeats of a worker, at most a third of `session.timeout.ms`. It is also how long a standby may "
            + "take to notice a change; Kafka Connect's default is 3000."
    ).shown(in: "Cluster")

    static let configTopic = topic(
        "config",
        "connect-configs",
        "Keeps connectors, tasks and target states; one partition."
    )
    static let offsetTopic = topic("offset", "connect-offsets", "Keeps how far sources have read.")
    static let statusTopic = topic("status", "connect-status", "Keeps states of connectors and tasks.")
    static let configReplication = replication("config")
    static let offsetReplication = replication("offset")
    static let statusReplication = replication("status")
    static let offsetPartitions = partitions("offset", 25)
    static let statusPartitions = partitions("status", 5)

    static let keyConverter = converter("key.converter", "keys")
    static let valueConverter = converter("value.converter", "values")
    static let headerConverter = ConfigKey<String>.string(
        "header.converter",
        default: "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        importance: .low,
        type: .class,
        "Converter of record headers for connectors that name none."
    ).shown(in: "Converters")

    static let offsetFlushInterval = ConfigKey<Duration>.milliseconds(
        "offset.flush.interval.ms",
        default: 60_000,
        importance: .low,
        "Time between two commits of offsets."
    ).shown(in: "Tasks")
    static let offsetFlushTimeout = ConfigKey<Duration>.milliseconds(
        "offset.flush.timeout.ms",
        default: 5_000,
        importance: .low,
        "Longest time one commit of offsets may take before it is given up and tried again later."
    ).shown(in: "Tasks")
    static let shutdownTimeout = ConfigKey<Duration>.milliseconds(
        "task.shutdown.graceful.timeout.ms",
        default: 5_000,
        importance: .low,
        "Time that all tasks together have to finish and commit when they are stopped; late ones are cancelled and commit "
            + "nothing more."
    ).shown(in: "Tasks")
    static let topicCreation = ConfigKey<Bool>.boolean(
        "topic.creation.enable",
        default: true,
        importance: .low,
        "Whether topics that sources write to are created by their `topic.creation.*` keys."
    ).shown(in: "Tasks")
    static let overridePolicy = ConfigKey<OverridePolicy>.choice(
        "connector.client.config.override.policy",
        default: .all,
        importance: .low,
        "What connectors may set with `producer.override.*`, `consumer.override.*`, `admin.override.*`: All, None, or "
            + "Principal (security keys only)."
    ).shown(in: "Tasks")
    static let restartPolicy = ConfigKey<RestartMode>.choice(
        "errors.restart.policy",
        default: .onFailure,
        importance: .medium,
        "What happens to a task that failed: `on-failure` starts it again after a pause, `never` leaves it FAILED as Kafka "
            + "Connect does. A config error is never retried. A connector may set its own."
    ).shown(in: "Tasks")
    static let restartBackoff = ConfigKey<Duration>.milliseconds(
        "errors.restart.backoff.ms",
        in: 1...3_600_000,
        default: 10_000,
        importance: .low,
        "Pause before the first automatic restart; doubles with each."
    ).shown(in: "Tasks")
    static let restartBackoffMax = ConfigKey<Duration>.milliseconds(
        "errors.restart.backoff.max.ms",
        in: 1...86_400_000,
        default: 300_000,
        importance: .low,
        "Longest pause before an automatic restart."
    ).shown(in: "Tasks")
    static let restartAttempts = ConfigKey<Int>.int(
        "errors.restart.max.attempts",
        in: -1...1_000_000,
        default: 10,
        importance: .low,
        "Automatic restarts in a row before a task stays FAILED; -1 is without limit."
    ).shown(in: "Tasks")
    static let restartReset = ConfigKey<Duration>.milliseconds(
        "errors.restart.reset.ms",
        in: 1...86_400_000,
        default: 600_000,
        importance: .low,
        "A task that has run this long is healthy again: its count of restarts starts anew."
    ).shown(in: "Tasks")
    static let stallTimeout = ConfigKey<Duration>.milliseconds(
        "task.stall.timeout.ms",
        in: 1...86_400_000,
        default: 120_000,
        importance: .low,
        "A RUNNING task that delivers nothing for this long though something waits is reported as STALLED, in its status and "
            + "in metrics."
    ).shown(in: "Tasks")
    static let unknownKeys = ConfigKey<UnknownKeys>.choice(
        "config.unknown.keys",
        default: .warn,
        importance: .medium,
        "What an unknown key in a connector's config is: `warn` accepts it and says so, `error` refuses the config."
    ).shown(in: "Tasks")

    static let listeners = ConfigKey<[String]>.list(
        "listeners",
        default: ["http://127.0.0.1:8083"],
        importance: .low,
        "Where REST listens: `http://host:port` or `https://host:port`; an empty host is every interface. HTTPS takes its "
            + "certificate from `listeners.https.ssl.keystore.location`, a PEM file with private key and certificate "
            + "(`ssl.key.password` opens a locked key), or from `ssl.keystore.key` and `ssl.keystore.certificate.chain`."
    ).shown(in: "REST")
    static let adminListeners = ConfigKey<[String]?>(
        "admin.listeners",
        type: .list,
        default: .some(nil),
        defaultText: nil,
        importance: .low,
        "Where `/admin` listens; absent for the same listeners, empty for nowhere."
    ) { text throws(ConfigIssue.Reason) in
        text.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
    }.shown(in: "REST")
    static let advertisedHost = ConfigKey<String?>.optionalString(
        "rest.advertised.host.name",
        importance: .low,
        "Host under which other workers and people reach REST."
    ).shown(in: "REST")
    static let advertisedPort = ConfigKey<Int?>(
        "rest.advertised.port",
        type: .int,
        default: .some(nil),
        defaultText: nil,
        importance: .low,
        valid: "[0,...,65535]",
        "Port under which other workers and people reach REST."
    ) { text throws(ConfigIssue.Reason) in
        guard let port = Int(text.filter { !$0.isWhitespace }) else {
            throw ConfigIssue.Reason("Not a number of type INT")
        }
        guard (0...65_535).contains(port) else { throw ConfigIssue.Reason("Value must be no more than 65535") }
        return port
    }.shown(in: "REST")
    static let advertisedListener = ConfigKey<String?>.optionalString(
        "rest.advertised.listener",
        importance: .low,
        "Which listener other workers use: http or https."
    ).shown(in: "REST")
    static let restExtensions = ConfigKey<[String]>.list(
        "rest.extension.classes",
        default: [],
        importance: .low,
        "`BasicAuthSecurityRestExtension`, with or without package, asks for user and password; other Java classes cannot be "
            + "loaded and have no effect."
    ).shown(in: "REST")
    static let restCredentials = ConfigKey<String?>.optionalString(
        "rest.basic.auth.credentials.file",
        importance: .medium,
        "Properties file with a line `user=password` for everybody whom REST lets in, as Kafka Connect's "
            + "PropertyFileLoginModule reads it. Only `/` and `/health` stay open. Absent lets everybody in."
    ).shown(in: "REST")
    static let restTimeout = ConfigKey<Duration>.milliseconds(
        "rest.request.timeout.ms",
        in: 1...3_600_000,
        default: 90_000,
        importance: .low,
        "Longest time until REST answers; later the answer is 500 and says what the worker was doing."
    ).shown(in: "REST")
    static let allowOrigin = ConfigKey<String>.string(
        "access.control.allow.origin",
        default: "",
        importance: .low,
        "Value of Access-Control-Allow-Origin; empty sends none."
    ).shown(in: "REST")
    static let allowMethods = ConfigKey<String>.string(
        "access.control.allow.methods",
        default: "",
        importance: .low,
        "Methods allowed to other origins, separated by commas; empty allows GET, POST and HEAD."
    ).shown(in: "REST")
    static let responseHeaders = ConfigKey<String>.string(
        "response.http.headers.config",
        default: "",
        importance: .low,
        "Headers of every answer: `set X-Frame-Options: DENY, add Cache-Control: no-cache`."
    ).shown(in: "REST")
    static let topicTracking = ConfigKey<Bool>.boolean(
        "topic.tracking.enable",
        default: true,
        importance: .low,
        "Whether the topics a connector uses are kept."
    ).shown(in: "REST")
    static let topicTrackingReset = ConfigKey<Bool>.boolean(
        "topic.tracking.allow.reset",
        default: true,
        importance: .low,
        "Whether REST may forget the topics used so far."
    ).shown(in: "REST")

    static let configDirectory = ConfigKey<String?>.optionalString(
        "config.directory",
        importance: .medium,
        "Directory whose `*.json` files are connectors; a change takes effect within two seconds. Absent for none."
    ).shown(in: "Config")
    static let configProviders = ConfigKey<[String]>.list(
        "config.providers",
        default: ["env", "file", "dir"],
        importance: .low,
        "Names that `${name:…}` in connector configs may use; each has `config.providers.NAME.class` and "
            + "`config.providers.NAME.param.*`. `env`, `file` and `dir` need no class; `CommandConfigProvider` runs "
            + "`param.command` with path and key, without a shell, and takes what it prints (`param.timeout.ms`, "
            + "`param.ttl.ms`)."
    ).shown(in: "Config")
    static let reloadInterval = ConfigKey<Duration>.milliseconds(
        "config.reload.interval.ms",
        in: 100...86_400_000,
        default: 10_000,
        importance: .low,
        "How often values from config providers are looked up again; a connector whose value has changed is restarted, "
            + "unless its `config.action.reload` is `none`."
    ).shown(in: "Config")
    static let elasticsearchURL = ConfigKey<String?>.optionalString(
        "elasticsearch.url",
        importance: .low,
        "Default of `connection.url` for Elasticsearch sinks that name none (`CONNECT_ELASTICSEARCH_URL`)."
    ).shown(in: "Config")

    static let all: [any AnyConfigKey] = [
        bootstrapServers, groupID, clientID, exactlyOnce, sessionTimeout, heartbeatInterval,
        configTopic, configReplication, offsetTopic, offsetReplication, offsetPartitions, statusTopic,
        statusReplication,
        statusPartitions,
        keyConverter, valueConverter, headerConverter,
        offsetFlushInterval, offsetFlushTimeout, shutdownTimeout, topicCreation, overridePolicy, restartPolicy,
        restartBackoff, restartBackoffMax, restartAttempts, restartReset, stallTimeout, unknownKeys,
        listeners, adminListeners, advertisedHost, advertisedPort, advertisedListener, restExtensions, restCredentials,
        restTimeout, allowOrigin, allowMethods,
        responseHeaders, topicTracking, topicTrackingReset,
        configDirectory, configProviders, reloadInterval, elasticsearchURL,
    ]

    private static func topic(_ kind: String, _ fallback: String, _ text: String) -> ConfigKey<String> {
        .string(
            "\(kind).storage.topic",
            default: fallback,
            nonEmpty: true,
            importance: .high,
            "Compacted topic, created when missing. \(text)"
        ).shown(in: "Internal topics")
    }
    private static func replication(_ kind: String) -> ConfigKey<Int> {
        .int(
            "\(kind).storage.replication.factor",
            in: -1...32_767,
            type: .short,
            default: 0,
            importance: .low,
            "Copies of the topic when it is created; 0 takes 3, or the number of brokers when there are fewer; -1 the "
                + "broker's default."
        ).shown(in: "Internal topics")
    }
    private static func partitions(_ kind: String, _ fallback: Int) -> ConfigKey<Int> {
        .int(
            "\(kind).storage.partitions",
            in: -1...10_000,
            default: fallback,
            importance: .low,
            "Partitions of the topic when it is created; -1 takes the broker's default."
        ).shown(in: "Internal topics")
    }
    private static func converter(_ name: String, _ what: String) -> ConfigKey<String> {
        .string(
            name,
            default: "org.apache.kafka.connect.json.JsonConverter",
            importance: .high,
            type: .class,
            "Converter of record \(what) for connectors that name none. With the default, `\(name).schemas.enable` is false "
                + "unless it is set: plain JSON."
        ).shown(in: "Converters")
    }
}
