/// Something a client tells besides the answers to its calls; delivered on one of librdkafka's threads.
///
/// The closure that gets it must return soon and must not call the client. librdkafka never writes to standard error.
public enum ClientEvent: Sendable {
    /// A line of librdkafka's log; `level` is syslog's (0 emergency to 7 debug), `facility` such as `FAIL` or `TXNERR`.
    case log(level: Int, facility: String, text: String)
    /// No broker can be reached at present; librdkafka keeps trying.
    case brokersDown(reason: String)
    /// A failure that belongs to no call. Fatal ones end the client's use.
    case error(KafkaClientError)
    /// librdkafka's statistics as JSON, every `statistics.interval.ms`.
    case statistics(json: String)
}
