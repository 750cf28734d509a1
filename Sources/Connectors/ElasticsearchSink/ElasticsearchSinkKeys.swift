import ConnectConfig

extension ElasticsearchSink {
    /// The keys, with the definitions and defaults of Confluent's sink 14; those at the end of each group are ours.
    enum Keys {
        typealias Config = ElasticsearchSinkConfig

        static let url = ConfigKey<[String]>.list(
            "connection.url",
            importance: .high,
            "Comma-separated addresses of the cluster, such as http://es1:9200,http://es2:9200. The next one is used "
                + "when one cannot be reached."
        )
        static let username = ConfigKey<String?>.optionalString(
            "connection.username",
            "The user name, if the cluster asks for one."
        )
        static let password = ConfigKey<Secret?>.secret(
            "connection.password",
            importance: .medium,
            "The password of connection.username."
        )
        static let apiKey = ConfigKey<Secret?>.secret(
            "connection.api.key",
            importance: .medium,
            "An API key in its encoded form, instead of user name and password."
        )
        static let compression = ConfigKey<Bool>.boolean(
            "connection.compression",
            default: false,
            importance: .low,
            "Whether request bodies are sent compressed with gzip."
        )
        static let connectTimeout = ConfigKey<Duration>.milliseconds(
            "connection.timeout.ms",
            in: 0...43_200_000,
            type: .int,
            default: 1_000,
            importance: .low,
            "How long to wait for a connection."
        )
        static let readTimeout = ConfigKey<Duration>.milliseconds(
            "read.timeout.ms",
            in: 0...604_800_000,
            type: .int,
            default: 3_000,
            importance: .low,
            "How long to wait for the server without a byte moving; rounded up to seconds."
        )
        static let idleConnection = ConfigKey<Duration>.milliseconds(
            "max.connection.idle.time.ms",
            type: .int,
            default: 60_000,
            importance: .low,
            "A connection that was idle for longer is not used again."
        )
        static let proxyHost = ConfigKey<String?>.optionalString("proxy.host", importance: .low, "A proxy's host.")
        static let proxyPort = ConfigKey<Int>.int(
            "proxy.port",
            in: 1...65_535,
            default: 8_080,
            importance: .low,
            "The proxy's port."
        )
        static let proxyUsername = ConfigKey<String?>.optionalString(
            "proxy.username",
            importance: .low,
            "The user name for the proxy."
        )
        static let proxyPassword = ConfigKey<Secret?>.secret(
            "proxy.password",
            importance: .low,
            "The password of proxy.username."
        )
        static let authorities = ConfigKey<String?>.optionalString(
            "elastic.https.ssl.ca.location",
            "A PEM file of authorities that may have signed the server's certificate; the system's when absent."
        )
        static let certificate = ConfigKey<String?>.optionalString(
            "elastic.https.ssl.certificate.location",
            importance: .low,
            "A PEM file with our own certificate."
        )
        static let certificateKey = ConfigKey<String?>.optionalString(
            "elastic.https.ssl.key.location",
            importance: .low,
            "A PEM file with the key of our certificate."
        )
        static let certificateKeyPassword = ConfigKey<Secret?>.secret(
            "elastic.https.ssl.key.password",
            importance: .low,
            "The password of that key."
        )
        static let hostNameCheck = ConfigKey<String>.string(
            "elastic.https.ssl.endpoint.identification.algorithm",
            default: "https",
            importance: .low,
            "https checks that the server's certificate bears its host name; empty does not."
        )

        static let batchSize = ConfigKey<Int>.int(
            "batch.size",
            in: 1...1_000_000,
            default: 2_000,
            "Most records in one request. Requests become smaller by themselves while the cluster is overloaded."
        )
        static let bulkBytes = ConfigKey<Int>.int(
            "bulk.size.bytes",
            in: 1...Int(Int32.max),
            type: .long,
            default: 5 << 20,
            importance: .low,
            "Most bytes in one request, before compression; a larger record goes alone."
        )
        static let inFlight = ConfigKey<Int>.int(
            "max.in.flight.requests",
            in: 1...1_000,
            default: 5,
            "Most requests on their way at a time. One when documents have neither versions nor ids of their own."
        )
        static let buffered = ConfigKey<Int>.int(
            "max.buffered.records",
            in: 1...Int(Int32.max),
            default: 20_000,
            importance: .low,
            "Most records in all requests on their way."
        )
        static let linger = ConfigKey<Duration>.milliseconds(
            "linger.ms",
            in: 0...604_800_000,
            default: 1,
            importance: .low,
            "Accepted for compatibility, without effect: records are sent as soon as they are read."
        )
        static let flushTimeout = ConfigKey<Duration>.milliseconds(
            "flush.timeout.ms",
            in: 1...604_800_000,
            default: 180_000,
            importance: .low,
            "How long the task goes on with one batch that the cluster refuses for the time being before it reports "
                + "an outage and pauses its partitions."
        )
        static let flushSynchronously = ConfigKey<Bool>.boolean(
            "flush.synchronously",
            default: false,
            importance: .low,
            "Accepted for compatibility, without effect: offsets are committed for indexed records only."
        )
        static let maxRetries = ConfigKey<Int>.int(
            "max.retries",
            in: 0...Int(Int32.max),
            default: 5,
            importance: .low,
            "How often requests are tried again at once, with growing pauses, before the task reports an outage and "
                + "pauses its partitions; it never gives up."
        )
        static let retryBackoff = ConfigKey<Duration>.milliseconds(
            "retry.backoff.ms",
            in: 0...86_400_000,
            default: 100,
            importance: .low,
            "The first pause between two tries; it doubles with every further one, up to 10 seconds, with jitter."
        )
        static let all: [any AnyConfigKey] =
            [
                url, username, password, apiKey, compression, connectTimeout, readTimeout, idleConnection, proxyHost,
                proxyPort, proxyUsername, proxyPassword, authorities, certificate, certificateKey,
                certificateKeyPassword, hostNameCheck, batchSize, bulkBytes, inFlight, buffered, linger, flushTimeout,
                flushSynchronously, maxRetries, retryBackoff,
            ] + documents
    }
}
