import ConnectConfig

/// The two jobs.
enum FeedKind: String, Sendable, CaseIterable {
    case prices, deals
    var defaultTopic: String { self == .prices ? "price-updates" : "deal-updates" }
    var defaultInterval: Int { self == .prices ? 21_600_000 : 3_600_000 }
}

/// The parsed keys.
struct SchedulerFeedConfig: Sendable {
    enum Zone: String, Sendable, CaseIterable {
        case none
        case utc = "z"
    }
    /// One job's own keys.
    struct Job: Sendable, Hashable {
        var kind: FeedKind
        /// Where it reads; exactly one of both.
        var url: String?
        var file: String?
        var topic: String
        var interval: Duration
        /// The source, as stored offsets name it.
        var source: String { url ?? file ?? "" }
    }

    var jobs: [Job] = []
    var batchSize = 0
    var pointer: [String] = []
    var runsOnce = false
    var emitsUnchanged = true
    var domain = ""
    var currency = ""
    var zone = Zone.none
    var username: String?
    var password: Secret?
    var readTimeout: Duration = .zero

    init(_ raw: [String: String]) throws(ConfigInvalid) {
        typealias Keys = SchedulerFeedSource.Keys
        var reader = ConfigReader(raw)
        for kind in FeedKind.allCases {
            let url = reader.read(Keys.url(kind)) ?? "", file = reader.read(Keys.file(kind)) ?? ""
            let topic = reader.read(Keys.topic(kind)) ?? "", interval = reader.read(Keys.interval(kind)) ?? .zero
            if url.isEmpty && file.isEmpty { continue }
            reader.require(url.isEmpty || file.isEmpty, Keys.file(kind), "cannot be given together with the URL")
            reader.require(
                url.isEmpty || url.hasPrefix("http://") || url.hasPrefix("https://"),
                Keys.url(kind),
                "must begin with http:// or https://"
            )
            jobs.append(
                Job(
                    kind: kind,
                    url: url.isEmpty ? nil : url,
                    file: url.isEmpty ? file : nil,
                    topic: topic,
                    interval: interval
                )
            )
        }
        reader.require(!jobs.isEmpty, Keys.url(.prices), "or another of prices.file, deals.url, deals.file is required")
        batchSize = reader.read(Keys.batchSize) ?? 0
        let pointer = reader.read(Keys.pointer) ?? ""
        reader.require(pointer.isEmpty || pointer.hasPrefix("/"), Keys.pointer, "must begin with /")
        self.pointer = pointer.split(separator: "/").map {
            String($0).replacing("~1", with: "/").replacing("~0", with: "~")
        }
        runsOnce = reader.read(Keys.runOnce) ?? false
        emitsUnchanged = reader.read(Keys.emitUnchanged) ?? true
        domain = reader.read(Keys.domain) ?? ""
        currency = reader.read(Keys.currency) ?? ""
        zone = reader.read(Keys.zone) ?? .none
        username = reader.read(Keys.username) ?? nil
        password = reader.read(Keys.password) ?? nil
        readTimeout = reader.read(Keys.readTimeout) ?? .zero
        let parsed = self
        self = try reader.finish { parsed }
    }
}
