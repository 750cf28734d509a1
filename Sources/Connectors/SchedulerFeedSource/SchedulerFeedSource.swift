import ConnectConfig
public import ConnectSDK

/// Polls a scheduler's price and deal feeds and writes them as `price-updates` and `deal-updates`.
public enum SchedulerFeedSource {
    /// Describes the connector.
    public static let descriptor = SourceDescriptor(
        name: "SchedulerFeedSource",
        version: "1.0",
        summary:
            "Polls a price feed and a deal feed, by HTTP with conditional requests or from a file, and keys by ASIN.",
        keys: Keys.all,
        check: { raw throws(ConfigInvalid) in _ = try SchedulerFeedConfig(raw) },
        make: { raw, context throws(ConfigInvalid) in SchedulerFeedTask(try SchedulerFeedConfig(raw), context) }
    )

    enum Keys {
        static let shortestInterval = 30_000

        static func url(_ job: FeedKind) -> ConfigKey<String> {
            .string(
                "\(job.rawValue).url",
                default: "",
                importance: .high,
                "Where the feed is fetched: http:// or https://. It is asked for changes only (ETag, Last-Modified)."
            )
        }
        static func file(_ job: FeedKind) -> ConfigKey<String> {
            .string(
                "\(job.rawValue).file",
                default: "",
                importance: .high,
                "A file of JSON lines to replay instead; each run goes on where the last one stopped."
            )
        }
        static func topic(_ job: FeedKind) -> ConfigKey<String> {
            .string(
                "\(job.rawValue).topic",
                default: job.defaultTopic,
                nonEmpty: true,
                importance: .medium,
                "The topic that the messages go to."
            )
        }
        static func interval(_ job: FeedKind) -> ConfigKey<Duration> {
            .milliseconds(
                "\(job.rawValue).interval.ms",
                in: shortestInterval...Int(Int64.max),
                default: job.defaultInterval,
                importance: .medium,
                "How long after the start of a run the next one starts; also across restarts."
            )
        }
        static let batchSize = ConfigKey<Int>.int(
            "batch.size",
            in: 1...100_000,
            default: 500,
            importance: .low,
            "Most messages handed over at a time."
        )
        static let pointer = ConfigKey<String>.string(
            "items.pointer",
            default: "",
            importance: .low,
            "Where in a JSON answer the list of items is, as a JSON pointer: /data/items. Empty: the answer itself is "
                + "the list, or JSON lines."
        )
        static let runOnce = ConfigKey<Bool>.boolean(
            "run.once",
            default: false,
            importance: .medium,
            "Runs each job once, at once, and then no more."
        )
        static let emitUnchanged = ConfigKey<Bool>.boolean(
            "emit.unchanged",
            default: true,
            importance: .medium,
            "Whether a price is sent that is the same as the last one sent for its ASIN."
        )
        static let domain = ConfigKey<String>.string(
            "default.domain",
            default: "de",
            importance: .low,
            "The domain of items that name none."
        )
        static let currency = ConfigKey<String>.string(
            "default.currency",
            default: "EUR",
            importance: .low,
            "The currency of items that name none."
        )
        static let zone = ConfigKey<SchedulerFeedConfig.Zone>.choice(
            "timestamp.zone",
            default: SchedulerFeedConfig.Zone.none,
            importance: .low,
            "Whether times that the connector sets end with Z or, as the scheduler's own, with no zone; all are UTC."
        )
        static let username = ConfigKey<String?>.optionalString(
            "connection.username",
            importance: .low,
            "The user name, if the server asks for one."
        )
        static let password = ConfigKey<Secret?>.secret(
            "connection.password",
            importance: .low,
            "The password of connection.username."
        )
        static let readTimeout = ConfigKey<Duration>.milliseconds(
            "read.timeout.ms",
            in: 1...3_600_000,
            default: 30_000,
            importance: .low,
            "How long to wait for the server without a byte moving; rounded up to seconds."
        )
        static let all: [any AnyConfigKey] =
            FeedKind.allCases.flatMap { job -> [any AnyConfigKey] in
                [url(job), file(job), topic(job), interval(job)]
            } + [
                batchSize, pointer, runOnce, emitUnchanged, domain, currency, zone, username, password, readTimeout,
            ]
    }
}
