import ConnectConfig

/// What happens to a record that can never be delivered.
enum ErrorTolerance: String, Sendable, Hashable {
    /// The task fails.
    case none
    /// The record is reported (log, dead letter queue) and left out.
    case all
}

/// What `errors.*` of a connector says, of sinks and sources alike.
struct ErrorSettings: Sendable, Hashable {
    /// How long a failed call is made again before the task fails; nil for as long as it takes.
    ///
    /// Kafka Connect's default of 0 does not limit outages there either: it is about converters and transforms, which
    /// here never fail in a way that passes by itself.
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
        let timeout = reader.read(ConnectorKeys.retryTimeout), delay = reader.read(ConnectorKeys.retryDelay)
        let word = reader.read(ConnectorKeys.tolerance)
        let logs = reader.read(ConnectorKeys.logEnable), details = reader.read(ConnectorKeys.logMessages)
        let topic = reader.read(SinkConnectorKeys.deadLetterTopic)
        let replication = reader.read(SinkConnectorKeys.deadLetterReplication)
        let headers = reader.read(SinkConnectorKeys.deadLetterHeaders)
        self = try reader.finish {
            guard let timeout, let delay, let word, let logs, let details, let topic, let replication, let headers,
                let tolerance = ErrorTolerance(rawValue: word)
            else { return nil }
            var settings = Self()
            settings.retryTimeout = timeout > 0 ? .milliseconds(timeout) : nil
            settings.retryDelayMax = .milliseconds(max(1, delay))
            (settings.tolerance, settings.logs, settings.logsDetails) = (tolerance, logs, details)
            settings.deadLetterTopic = topic.isEmpty ? nil : topic
            (settings.deadLetterReplication, settings.deadLetterHeaders) = (replication, headers)
            return settings
        }
    }
}
