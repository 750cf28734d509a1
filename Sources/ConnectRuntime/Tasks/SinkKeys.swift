public import ConnectConfig

/// The keys of every sink connector beyond its own (Kafka Connect 4.3, `SinkConnectorConfig`).
public enum SinkKeys {
    /// `topics`.
    public static let topics = ConfigKey<[String]>.list(
        "topics",
        default: [],
        importance: .high,
        "The topics to read, separated by commas."
    ).shown(in: "Common", as: "Topics", width: .long)
    /// `topics.regex`.
    public static let topicsRegex = ConfigKey<String>.string(
        "topics.regex",
        default: "",
        importance: .high,
        "Reads every topic whose whole name matches this expression, also topics made later. Either this or topics is given."
    ).shown(in: "Common", as: "Topics regex", width: .long)

    /// Both.
    public static let all: [any AnyConfigKey] = [topics, topicsRegex]

    /// What to subscribe to; exactly one of the two keys must be given.
    static func subscription(_ raw: [String: String]) throws(ConfigInvalid) -> (topics: [String], pattern: String?) {
        var reader = ConfigReader(raw)
        let topics = reader.read(topics), regex = reader.read(topicsRegex)
        let both = "Must configure one of topics or topics.regex"
        let isEmpty = (topics ?? []).isEmpty && (regex ?? "").isEmpty
        reader.require(!isEmpty, Self.topics, both)
        reader.require((topics ?? []).isEmpty || (regex ?? "").isEmpty, Self.topicsRegex, "\(both), but not both")
        return try reader.finish {
            guard let topics, let regex else { return nil }
            // librdkafka matches a prefix; Java's Pattern.matches wants the whole name.
            return (topics, regex.isEmpty ? nil : "^(\(regex))$")
        }
    }
}
