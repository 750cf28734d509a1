public import ConnectConfig

/// What happens to a record that can never be delivered.
public enum ErrorTolerance: String, Sendable, Hashable, CaseIterable {
    /// The task fails.
    case none
    /// The record is reported (log, dead letter queue) and left out.
    case all
}

/// The `errors.*` keys of a connector (Kafka Connect 4.3, `ConnectorConfig` and `SinkConnectorConfig`).
public enum ErrorKeys {
    private static let group = "Error Handling"

    /// `errors.retry.timeout`.
    public static let retryTimeout = ConfigKey<Int>.int(
        "errors.retry.timeout",
        in: -1...Int(Int64.max),
        type: .long,
        default: 0,
        "How long, in milliseconds, a failed operation is tried again before the task fails. 0 (the default) and -1 set no "
            + "limit: an outage of the target is waited out however long it takes."
    ).shown(in: group, as: "Retry Timeout for Errors")
    /// `errors.retry.delay.max.ms`.
    public static let retryDelayMax = ConfigKey<Duration>.milliseconds(
        "errors.retry.delay.max.ms",
        in: 1...Int(Int64.max),
        default: 60_000,
        "The longest pause, in milliseconds, between two tries of a failed operation. Pauses start at 300 ms, double each "
            + "time and are moved by up to a fifth so that tasks do not come back together."
    ).shown(in: group, as: "Maximum Delay Between Retries for Errors")
    /// `errors.tolerance`.
    public static let tolerance = ConfigKey<ErrorTolerance>.choice(
        "errors.tolerance",
        default: ErrorTolerance.none,
        "What happens to a record that can never be delivered: 'none' fails the task, 'all' reports the record (log, dead "
            + "letter queue) and goes on. An outage is never a reason to leave records out, whatever is set here."
    ).shown(in: group, as: "Error Tolerance", width: .short)
    /// `errors.log.enable`.
    public static let logEnable = ConfigKey<Bool>.boolean(
        "errors.log.enable",
        default: false,
        "Whether every failed record is written to the log. Without it only those that are not tolerated are."
    ).shown(in: group, as: "Log Errors", width: .short)
    /// `errors.log.include.messages`.
    public static let logIncludeMessages = ConfigKey<Bool>.boolean(
        "errors.log.include.messages",
        default: false,
        "Whether the log line of a failed record names its topic, partition, offset and time. Keys and values are never logged."
    ).shown(in: group, as: "Log Error Details", width: .short)
    /// `errors.deadletterqueue.topic.name`.
    public static let deadLetterTopic = ConfigKey<String>.string(
        "errors.deadletterqueue.topic.name",
        default: "",
        "The topic that records go to which this connector cannot deliver, with errors.tolerance=all. Empty: none. "
            + "Offsets are committed only after the topic has them. Works for sinks and for sources."
    ).shown(in: group, as: "Dead Letter Queue Topic Name")
    /// `errors.deadletterqueue.topic.replication.factor`.
    public static let deadLetterReplication = ConfigKey<Int>.int(
        "errors.deadletterqueue.topic.replication.factor",
        in: 1...Int(Int16.max),
        type: .short,
        default: 3,
        "Number of replicas of the dead letter topic when it has to be created."
    ).shown(in: group, as: "Dead Letter Queue Topic Replication Factor")
    /// `errors.deadletterqueue.context.headers.enable`.
    public static let deadLetterHeaders = ConfigKey<Bool>.boolean(
        "errors.deadletterqueue.context.headers.enable",
        default: false,
        "Whether dead letters carry headers that tell where the record came from and why it failed; their names begin with "
            + "'__connect.errors.'."
    ).shown(in: group, as: "Enable Error Context Headers")

    /// All of them, in Kafka Connect's order.
    public static let all: [any AnyConfigKey] = [
        retryTimeout, retryDelayMax, tolerance, logEnable, logIncludeMessages, deadLetterTopic, deadLetterReplication,
        deadLetterHeaders,
    ]
}

/// The parsed ``ErrorKeys``.
struct ErrorSettings: Sendable, Hashable {
    var retryTimeout: Duration?
    var retryDelayMax: Duration = .seconds(60)
    var tolerance: ErrorTolerance = .none
    var logs = false
    var logsDetails = false
    var deadLetterTopic: String?
    var deadLetterReplication = 3
    var deadLetterHeaders = false

    init() {}

    init(_ raw: [String: String]) throws(ConfigInvalid) {
        var reader = ConfigReader(raw)
        let timeout = reader.read(ErrorKeys.retryTimeout), delay = reader.read(ErrorKeys.retryDelayMax)
        let tolerance = reader.read(ErrorKeys.tolerance)
        let logs = reader.read(ErrorKeys.logEnable), details = reader.read(ErrorKeys.logIncludeMessages)
        let topic = reader.read(ErrorKeys.deadLetterTopic), replication = reader.read(ErrorKeys.deadLetterReplication)
        let headers = reader.read(ErrorKeys.deadLetterHeaders)
        self = try reader.finish {
            guard let timeout, let delay, let tolerance, let logs, let details, let topic, let replication, let headers
            else { return nil }
            var settings = Self()
            settings.retryTimeout = timeout > 0 ? .milliseconds(timeout) : nil
            settings.retryDelayMax = delay
            (settings.tolerance, settings.logs, settings.logsDetails) = (tolerance, logs, details)
            settings.deadLetterTopic = topic.isEmpty ? nil : topic
            (settings.deadLetterReplication, settings.deadLetterHeaders) = (replication, headers)
            return settings
        }
    }
}
