/// A difference from Kafka Connect that is meant.
///
/// Every reason stands in Docs/compatibility.md word for word; one that no longer occurs fails the test as well.
struct Tolerated: Sendable, CustomStringConvertible {
    /// The request: method, path, and the beginning of the body where that matters.
    var request: String
    /// `status`, `content-type`, or the place in the body, and all below it; `*.version` is that key anywhere.
    var place: String
    /// What ours may say there; nil for anything of the same kind.
    var ours: String?
    var reason: String
    var description: String { "\(request) \(place): \(reason)" }

    /// Whether it depends on the moment, so that it may be missing.
    var isTiming: Bool { reason == Self.timing }

    init(_ request: String, _ place: String, _ ours: String? = nil, because reason: String) {
        (self.request, self.place, self.ours, self.reason) = (request, place, ours, reason)
    }
    func covers(_ exchange: Exchange, _ difference: Difference) -> Bool {
        (request == "*" || "\(exchange)".hasPrefix(request))
            && (place.hasPrefix("*")
                ? difference.place.hasSuffix(place.dropFirst()) : difference.place.hasPrefix(place))
            && (ours.map { difference.ours.contains($0) } ?? true)
    }
}

extension Tolerated {
    private static let clientError = "a client's mistake is not the server's failure"
    private static let ownPlugins = "the plugins are ours, under short names; the Java class names are aliases"
    private static let cluster = "a standby must tell who leads"
    fileprivate static let timing =
        "recorded between two steps of Kafka Connect's rebalance, which Sluice does not need"

    /// The same for both recordings.
    private static let both: [Tolerated] = [
        .init("*", "content-type", because: "an error body says that it is JSON"),
        .init("GET /", "$.worker_id", because: cluster),
        .init("GET /", "$.role", because: cluster),
        .init("GET /", "$.leader_url", because: cluster),
        .init("GET /connector-plugins", "$", because: ownPlugins),
        .init(#"POST /connectors {"name":"bad","config":{"connector.class":"NoSuch"#, "$.message", because: ownPlugins),
        .init("PUT /connector-plugins/NoSuch/config/validate", "$", because: ownPlugins),
        .init("PUT /connector-plugins/NoSuch/config/validate", "status", "400", because: clientError),
        .init(#"POST /connectors {"name":"#, "status", "400", because: clientError),
        .init(#"POST /connectors {"name":"#, "$.error_code", "400", because: clientError),
        .init(#"POST /connectors {"name":"#, "$.message", "not JSON", because: clientError),
        .init(#"POST /connectors {"name":"st2""#, "$.message", "initial_state", because: clientError),
        .init(
            #"PATCH /connectors/fs/offsets {"offsets":[{"partition":{"bogus""#,
            "status",
            "400",
            because: clientError
        ),
        .init(
            #"PATCH /connectors/fs/offsets {"offsets":[{"partition":{"bogus""#,
            "$.error_code",
            "400",
            because: clientError
        ),
        .init("GET /connectors?expand=status", "$.sink1", because: timing),
        .init("GET /connectors/fs/status", "$.connector.state", "PAUSED", because: timing),
        .init("GET /connectors/fs/status", "$.tasks[0].state", "PAUSED", because: timing),
        .init("GET /connectors/fs/status", "$.tasks", "[]", because: timing),
        .init("GET /connectors/sink1/offsets", "$.offsets", because: timing),
        .init("GET /connectors/fs/offsets", "$.offsets", "[]", because: "a removed offset is not listed as null"),
        .init(
            "GET /connectors/fs2/topics",
            "$.fs2.topics",
            "[]",
            because: "topics are forgotten when the answer comes"
        ),
        .init("GET /admin/loggers", "$", because: "the loggers are ours"),
        .init("PUT /admin/loggers/org.apache.kafka.connect", "$", because: "the loggers are ours"),
        .init("POST /connectors/fs2/restart", "$.tasks[0].state", "RESTARTING", because: timing),
        .init("POST /connectors/fs2/restart", "$.connector.state", "RESTARTING", because: timing),
        .init("GET /admin/loggers/org.apache.kafka.connect", "$.level", "INFO", because: timing),
    ]
    static let connect43: [Tolerated] = both
    static let connect39: [Tolerated] =
        both + [
            .init("*", "*.version", because: "status carries the plugin's version, as in 4.x"),
            .init("GET /connectors/fs/tasks-config", "", because: "removed in 4.0"),
            .init("PUT /connector-plugins", "$", because: "definitions have order_in_group, as in 4.x"),
        ]
}
