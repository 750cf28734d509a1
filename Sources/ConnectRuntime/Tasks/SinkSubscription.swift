import ConnectConfig

/// What a sink's consumer subscribes to.
struct SinkSubscription: Sendable, Hashable {
    var topics: [String]
    /// The whole name must match, as with Java's `Pattern.matches`; nil when topics are named.
    var pattern: String?

    /// Exactly one of `topics` and `topics.regex` must be given.
    init(_ raw: [String: String]) throws(ConfigInvalid) {
        var reader = ConfigReader(raw)
        let topics = reader.read(SinkConnectorKeys.topics), regex = reader.read(SinkConnectorKeys.topicsRegex)
        let either = "Must configure one of topics or topics.regex"
        let isEmpty = (topics ?? []).isEmpty && (regex ?? "").isEmpty
        reader.require(!isEmpty, SinkConnectorKeys.topics, either)
        reader.require(
            (topics ?? []).isEmpty || (regex ?? "").isEmpty,
            SinkConnectorKeys.topicsRegex,
            "\(either), but not both"
        )
        self = try reader.finish {
            guard let topics, let regex else { return nil }
            return Self(topics: topics, pattern: regex.isEmpty ? nil : regex)
        }
    }
    private init(topics: [String], pattern: String?) { (self.topics, self.pattern) = (topics, pattern) }
}
