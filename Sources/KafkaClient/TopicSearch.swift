/// Decides when a consumer that looks for topics by their names joins its group with which of them; no clock, no I/O.
///
/// librdkafka's own patterns are POSIX ones, are looked for while a member joins, and joining anew in the middle of a join
/// leaves a dead member behind that holds up the group until its session is over. Here a member joins when the topics
/// it found have stopped coming, and again only when its last join is done.
struct TopicSearch: Sendable {
    enum Decision: Sendable, Equatable {
        case subscribe([String])
        case wait
    }
    /// Topics that the caller named; they belong to the subscription whether they exist or not.
    let named: [String]
    let matches: @Sendable (String) -> Bool
    /// How long after a look the next one is due.
    private let interval: Duration
    private let first = Duration.milliseconds(250)
    private(set) var nextLook: ContinuousClock.Instant
    /// When the names were seen last; nil while what was found then is not subscribed to.
    private(set) var currentAsOf: ContinuousClock.Instant?
    private var subscribed: [String] = []
    private var candidates: [String] = []

    init(
        named: [String],
        interval: Duration,
        now: ContinuousClock.Instant,
        matches: @escaping @Sendable (String) -> Bool
    ) {
        (self.named, self.interval, self.matches, nextLook) = (named, interval, matches, now)
    }

    /// Kafka's own topics match no pattern, as with the Java client's `exclude.internal.topics`.
    static func isInternal(_ topic: String) -> Bool { topic == "__consumer_offsets" || topic == "__transaction_state" }

    /// True when it is time to look; the answer goes to ``found(_:isJoining:now:)``.
    mutating func isDue(_ now: ContinuousClock.Instant) -> Bool {
        guard now >= nextLook else { return false }
        nextLook = now + min(interval, first)
        return true
    }

    /// `topics` are all names of the cluster; nil when it could not be asked.
    mutating func found(_ topics: [String]?, isJoining: Bool, now: ContinuousClock.Instant) -> Decision {
        guard let topics else { return .wait }
        let wanted = Set(topics.filter { !Self.isInternal($0) && matches($0) }).union(named).sorted()
        defer { candidates = wanted }
        if wanted == subscribed || wanted.isEmpty {
            (nextLook, currentAsOf) = (now + interval, now)
            return .wait
        }
        currentAsOf = nil
        // Topics often come several at a time, and each change costs the group a rebalance.
        guard !isJoining, wanted == candidates else { return .wait }
        subscribed = wanted
        nextLook = now + interval
        return .subscribe(wanted)
    }
}
