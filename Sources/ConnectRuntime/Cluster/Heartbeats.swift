/// Reads in librdkafka's statistics when the group's coordinator last surely heard of this member: pure.
///
/// The session of a member runs from the moment when its coordinator handles a request. That is after the request was sent,
/// which is after the last look at which it was not yet counted.
struct Heartbeats: Sendable {
    /// One look at the statistics.
    struct Sample: Sendable, Hashable {
        /// When, on librdkafka's monotonic clock.
        var time: Duration
        /// Requests that begin a session anew, sent so far: JoinGroup, SyncGroup, Heartbeat.
        var sent: Int
        /// Whether all requests to the coordinator have been answered.
        var isAnswered: Bool
        /// What the member is doing, in librdkafka's words (`steady`, `wait-join`).
        var phase: String
    }
    private var counted: [(time: Duration, sent: Int)]
    private(set) var phase = "init"
    /// Before this, on librdkafka's clock, the session that now runs cannot have begun; nil before the first answer.
    private(set) var heardSince: Duration?

    /// `start` is before the first request, on librdkafka's clock.
    init(start: Duration) { counted = [(start, 0)] }

    /// The member is in the group, and nothing is being decided.
    var isSteady: Bool { phase == "steady" }
    /// A round of joining is under way: until it ends the coordinator expects no heartbeats.
    var isJoining: Bool { phase == "wait-join" || phase == "wait-sync" }

    /// Takes one look.
    mutating func took(_ sample: Sample) {
        phase = sample.phase
        if sample.isAnswered, sample.sent > 0,
            let before = counted.last(where: { $0.sent < sample.sent })
        {
            heardSince = max(before.time, heardSince ?? before.time)
        }
        counted.append((sample.time, sample.sent))
        if counted.count > 256 { counted.removeFirst(128) }
    }
}

extension Heartbeats.Sample {
    /// Nil when the text is not librdkafka's statistics of a group member.
    init?(statistics text: String) {
        guard let json = try? JSONParser.parse(Array(text.utf8)), let time = json["ts"]?.int,
            let phase = json["cgrp"]?["join_state"]?.string, let brokers = json["brokers"]?.members
        else { return nil }
        var sent = 0
        var open = 0
        for broker in brokers where broker.key == "GroupCoordinator" {
            for request in ["JoinGroup", "SyncGroup", "Heartbeat"] {
                sent += Int(broker.value["req"]?[request]?.int ?? 0)
            }
            open += Int(broker.value["outbuf_cnt"]?.int ?? 0) + Int(broker.value["waitresp_cnt"]?.int ?? 0)
        }
        self.init(time: .microseconds(time), sent: sent, isAnswered: open == 0, phase: phase)
    }
}
