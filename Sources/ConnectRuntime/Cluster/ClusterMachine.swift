/// Decides whether this worker leads, stands by, or must stop: pure, without clock and I/O.
///
/// Whoever owns the one partition of the cluster topic leads. Before a worker starts anything it makes sure that the one
/// who led before writes no more: it must have left the group, or be known to be dead. A worker that finds nobody else alive
/// in its group need not wait for the group's first round: it leads provisionally until the group confirms it.
struct ClusterMachine: Sendable {
    struct Settings: Sendable, Hashable {
        /// `session.timeout.ms`: the coordinator takes a member for dead after so long without a heartbeat.
        var session = Duration.seconds(10)
        /// So much earlier a worker stops by itself: the time to cancel its tasks.
        var margin: Duration { max(.milliseconds(500), session / 5) }
        /// The pause before a new membership.
        var rejoinPause = Duration.seconds(1)
    }
    /// What happened; times are on one clock that counts suspended time.
    enum Event: Sendable {
        /// The partition came or went.
        case owns(Bool)
        /// The coordinator expelled this member.
        case lost
        /// The member's state in the group, and since when the coordinator has surely heard of it.
        case heard(since: Duration?, isSteady: Bool, isJoining: Bool)
        /// What the coordinator listed, asked at `at`.
        case members([ClusterMember], strangers: Int, at: Duration)
        /// The coordinator did not answer.
        case probeFailed
        /// The newest record of the cluster topic; nil when there is none.
        case record(ClusterRecord?)
        /// Our record is in the topic, and it is the newest.
        case published(ClusterRecord)
        /// Our record is not in the topic; fenced when another worker was quicker.
        case publishFailed(isFenced: Bool)
        /// The broker refuses this member.
        case refused(String)
        /// The shell has a new membership.
        case joined(ClusterMember)
    }
    /// What to do next; a step that is under way is not given again.
    enum Step: Sendable, Hashable {
        /// Wait for an event, at most until then.
        case wait(until: Duration?)
        /// Ask the coordinator for the members.
        case probe
        /// Write this record, in a transaction that fences all earlier leaders.
        case publish(ClusterRecord)
        /// Start the work.
        case lead(generation: Int)
        /// Stop writing at once: cancel everything.
        case standDown(String)
        /// Leave the group and join it again.
        case rejoin
    }
    enum Phase: Sendable, Hashable {
        case following
        /// Our record is being written.
        case claiming
        /// The record is there, the work not yet started.
        case elected
        case leading
        /// Something ended our lead; the work has to be stopped.
        case ousted(String)
        /// No member at present, or one that must become another.
        case out(until: Duration)
    }
    let settings: Settings
    private(set) var me: ClusterMember
    private(set) var phase = Phase.following
    private(set) var record: ClusterRecord?
    /// Until when the coordinator surely counts us among the living, less the margin.
    private(set) var leaseEnd: Duration?
    /// Why this worker cannot take part.
    private(set) var trouble: String?
    private(set) var owns = false
    private var isSteady = false
    private var isJoining = false
    private var isBusy = false
    private var nextProbe = Duration.zero
    private var probes = 0
    /// Since when the leader of an unconfirmed record is not among the members.
    private var missing: (run: String, since: Duration)?
    private var decision = Decision.unknown
    private enum Decision: Sendable { case unknown, claim, yield }
    /// Whether a place's worker is dead; asks the kernel.
    private let isDead: @Sendable (ClusterMember) -> Bool
    /// Records of ours are newer than any of these.
    var generationFloor = 0
    var epochFloor: Int64 = 0

    init(
        _ settings: Settings,
        _ me: ClusterMember,
        record: ClusterRecord?,
        isDead: @escaping @Sendable (ClusterMember) -> Bool
    ) {
        (self.settings, self.me, self.record, self.isDead) = (settings, me, record, isDead)
    }

    /// Whether this worker does the work now.
    var leads: Bool { phase == .leading || phase == .elected }
    /// Whether the record says that the lead is ours, and that the group gave it.
    private var isConfirmed: Bool { record?.leader?.run == me.run && record?.isConfirmed == true }

    // Events

    mutating func on(_ event: Event, now: Duration) {
        switch event {
        case .owns(let now): owned(now)
        case .lost:
            (owns, isSteady) = (false, false)
            decision = .unknown
            fall("the group has expelled this worker", now)
        case .heard(let since, let steady, let joining):
            (isSteady, isJoining) = (steady, joining)
            if steady { trouble = nil }
            if steady, let since { extend(to: since + settings.session - settings.margin) }
        case .members(let members, let strangers, let at):
            isBusy = false
            listed(members, strangers, at, now)
        case .probeFailed:
            isBusy = false
            nextProbe = now + .milliseconds(500)
        case .record(let new): read(new, now)
        case .published(let new):
            isBusy = false
            record = new
            if phase == .claiming { phase = .elected }
        case .publishFailed(let isFenced):
            isBusy = false
            decision = .unknown
            nextProbe = now + .milliseconds(500)
            if phase == .claiming { phase = .following }
            if isFenced { fall("another worker leads", now) }
        case .refused(let reason):
            trouble = reason
            (owns, isSteady) = (false, false)
            fall(reason, now)
            if phase == .following { phase = .out(until: now + settings.rejoinPause * 5) }
        case .joined(let member): joined(member, now)
        }
    }
    private mutating func joined(_ member: ClusterMember, _ now: Duration) {
        me = member
        (phase, owns, isSteady, isJoining, isBusy) = (.following, false, false, false, false)
        (decision, probes, nextProbe, leaseEnd) = (.unknown, 0, now, nil)
    }
    private mutating func owned(_ now: Bool) {
        owns = now
        decision = .unknown
        (probes, nextProbe) = (0, .zero)
    }
    private mutating func extend(to end: Duration) { leaseEnd = leaseEnd.map { max($0, end) } ?? end }
    /// Ends a lead, or a claim that is under way.
    private mutating func fall(_ reason: String, _ now: Duration) {
        switch phase {
        case .elected, .leading: phase = .ousted(reason)
        case .claiming: phase = .out(until: now + settings.rejoinPause)
        case .following, .ousted, .out: break
        }
        if !leads { leaseEnd = nil }
    }
    private mutating func read(_ new: ClusterRecord?, _ now: Duration) {
        // Our own words come back through the topic, and may come late.
        if let new, let old = record,
            (new.generation, new.isConfirmed ? 1 : 0) < (old.generation, old.isConfirmed ? 1 : 0)
        {
            return
        }
        guard new != record else { return }
        record = new
        if case .following = phase { decision = .unknown }
        guard leads, let new, new.leader?.run != me.run else { return }
        fall("worker \(new.leader?.workerID ?? "unknown") leads now", now)
    }
    private mutating func listed(_ members: [ClusterMember], _ strangers: Int, _ at: Duration, _ now: Duration) {
        probes += 1
        let isListed = members.contains { $0.run == me.run }
        if leads {
            guard isListed else { return fall("the group no longer lists this worker", now) }
            // Who waits for a round to end is not expected to send heartbeats; being listed is the proof.
            if !isConfirmed {
                extend(to: at + settings.session - settings.margin)
            } else if isJoining {
                extend(to: at + .seconds(2))
            }
            nextProbe = now + .milliseconds(700)
            return
        }
        guard case .following = phase else { return }
        decision = isListed ? decide(members, strangers, at) : .unknown
        nextProbe = now + (owns ? .milliseconds(500) : .milliseconds(min(500, 40 + 20 * probes)))
        if case .claim = decision, !owns { extend(to: at + settings.session - settings.margin) }
    }
    /// What the list of members means for one who is in it.
    private mutating func decide(_ members: [ClusterMember], _ strangers: Int, _ at: Duration) -> Decision {
        let others = members.filter { $0.run != me.run }
        let isAlone = strangers == 0 && others.allSatisfy(isDead)
        guard owns || isAlone else { return .unknown }
        guard let leader = record?.leader, leader.run != me.run, !isDead(leader) else {
            missing = nil
            return .claim
        }
        if others.contains(where: { $0.run == leader.run }) {
            missing = nil
            return .yield
        }
        if record?.isConfirmed == true { return .claim }
        // Its coordinator may have forgotten it before it was told: it stops within a session.
        guard let missing, missing.run == leader.run else {
            missing = (leader.run, at)
            return .unknown
        }
        return at >= missing.since + settings.session ? .claim : .unknown
    }

    // Steps

    /// What to do now; the shell reports the outcome as an event.
    mutating func next(now: Duration) -> Step {
        switch phase {
        case .ousted(let reason):
            phase = .out(until: now + settings.rejoinPause)
            (leaseEnd, trouble) = (nil, reason)
            return .standDown(reason)
        case .out(let due):
            guard now >= due else { return .wait(until: due) }
            phase = .out(until: .seconds(Int64.max / 4))  // until the shell has joined
            return .rejoin
        case .elected:
            guard let leaseEnd else { return .wait(until: nil) }  // the first heartbeat is on its way
            guard now < leaseEnd else { return expire(now) }
            phase = .leading
            return .lead(generation: record?.generation ?? 1)
        case .leading: return leading(now)
        case .claiming: return .wait(until: nil)
        case .following: return following(now)
        }
    }
    private func isLeased(_ now: Duration) -> Bool { leaseEnd.map { now < $0 } ?? false }
    private mutating func expire(_ now: Duration) -> Step {
        phase = .ousted(
            "no heartbeat was answered in time, so another worker may take the work over; is Kafka reachable?"
        )
        return next(now: now)
    }
    private mutating func leading(_ now: Duration) -> Step {
        guard isLeased(now) else { return expire(now) }
        guard !isBusy else { return .wait(until: leaseEnd) }
        if owns, !isConfirmed, isSteady, now >= nextProbe {
            isBusy = true
            return .publish(made(generation: record?.generation ?? 1, isConfirmed: true))
        }
        guard !isConfirmed || isJoining else { return .wait(until: leaseEnd) }
        return probe(now) ?? .wait(until: min(nextProbe, leaseEnd ?? nextProbe))
    }
    private mutating func following(_ now: Duration) -> Step {
        guard !isBusy else { return .wait(until: nil) }
        switch decision {
        case .claim:
            guard owns || !isSteady else {
                decision = .unknown
                return .wait(until: nil)
            }
            isBusy = true
            phase = .claiming
            let last = max(record?.generation ?? 0, generationFloor)
            return .publish(made(generation: last + 1, isConfirmed: owns))
        case .yield:
            guard owns else { return .wait(until: nil) }
            phase = .out(until: now + settings.rejoinPause)
            return .wait(until: now + settings.rejoinPause)
        case .unknown:
            // Once the group has decided without giving us the partition, its next decision is an event.
            guard owns || !isSteady else { return .wait(until: nil) }
            return probe(now) ?? .wait(until: nextProbe)
        }
    }
    private mutating func probe(_ now: Duration) -> Step? {
        guard !isBusy, now >= nextProbe else { return nil }
        isBusy = true
        return .probe
    }
    private func made(generation: Int, isConfirmed: Bool) -> ClusterRecord {
        let epoch = max(epochFloor, record?.epoch ?? 0)
        return ClusterRecord(generation: generation, leader: me, isConfirmed: isConfirmed, epoch: epoch)
    }
    /// The last word of a leader that has stopped everything and leaves.
    var farewell: ClusterRecord? {
        guard leads, let record, record.leader?.run == me.run else { return nil }
        return ClusterRecord(generation: record.generation, leader: nil, isConfirmed: true, epoch: record.epoch)
    }
}
