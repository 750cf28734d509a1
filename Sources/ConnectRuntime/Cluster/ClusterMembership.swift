import ConnectModel
import KafkaClient
import Lifecycle
import Logs
import Synchronization

/// Carries out what ``ClusterMachine`` decides: is a member of the group, asks its coordinator, writes the cluster topic.
final class ClusterMembership: Sendable {
    /// What the worker gives it, and wants to be told.
    struct Parts: Sendable {
        var config: WorkerConfig
        var admin: Admin
        var topics: InternalTopics
        var workerID: String
        var url: String
        var place: Place
        var lease: Lease
        /// What a new leader's generation and epoch must exceed.
        var floors: @Sendable () -> (generation: Int, epoch: Int64)
        /// The work begins.
        var lead: @Sendable (ClusterRecord) -> Void
        /// The work ends at once: nothing may be written when this returns but what is in a system call already.
        var standDown: @Sendable () -> Void
    }
    enum Mail: Sendable {
        case event(Int, ClusterMachine.Event)
        case sample(Int, Heartbeats.Sample)
        case failure(Int, KafkaClientError)
        case record
        case leave
    }
    private struct Shared {
        var latest: ClusterRecord?
        var view: ClusterView
        var producer: Producer?
    }
    let parts: Parts
    let log = Logger("sluice.runtime.cluster")
    let mailbox = Mailbox<Mail>()
    private let refusals = LogLimiter(every: .seconds(60))
    private let limiter = LogLimiter(every: .seconds(30))
    private let shared: Mutex<Shared>
    let group: String
    private let earlier = Runs()
    private final class Runs: Sendable {
        private let runs = Mutex<Set<String>>([])
        func contains(_ run: String) -> Bool { runs.withLock { $0.contains(run) } }
        func add(_ run: String) { runs.withLock { _ = $0.insert(run) } }
    }

    init(_ parts: Parts) {
        self.parts = parts
        group = parts.config.groupID
        shared = Mutex(Shared(view: ClusterView(role: .joining, workerID: parts.workerID)))
    }

    /// Takes a record of the cluster topic; called by the topic's reader, from before ``run()`` on.
    func take(_ record: LogRecord) {
        guard record.key == ClusterRecord.key(group), let value = record.value,
            let parsed = (try? JSONParser.parse(value)).flatMap(ClusterRecord.init)
        else { return }
        shared.withLock { $0.latest = parsed }
        mailbox.post(.record)
    }
    /// What is known now.
    var view: ClusterView { shared.withLock { $0.view } }
    /// Ends ``run()`` after the lead has been given up and the group left: others need not wait for the session to end.
    func leave() { mailbox.post(.leave) }

    /// The workers of the group, as its coordinator lists them now.
    func members() async throws(KafkaClientError) -> [WorkerMember] {
        let leader = shared.withLock { $0.latest?.leader?.run }
        return try await parts.admin.describeGroup(group, timeout: .seconds(5)).members.compactMap { member in
            ClusterMember(clientID: member.clientID).map {
                WorkerMember(
                    workerID: $0.workerID,
                    url: $0.url,
                    role: $0.run == leader ? .leader : .standby,
                    host: member.host
                )
            }
        }.sorted { ($0.workerID, $0.url) < ($1.workerID, $1.url) }
    }

    // The loop

    private struct Loop {
        var machine: ClusterMachine
        var number = 0
        var consumer: Consumer?
        var heartbeats: Heartbeats
        /// How far the two clocks are apart, measured before anything that is judged with it.
        var asleep = BootClock.now - BootClock.monotonic
        var isLeaving = false
    }

    /// Is a member of the group until ``leave()`` is called or the task is cancelled.
    func run() async {
        let place = parts.place, earlier = earlier
        var loop = Loop(
            machine: ClusterMachine(
                ClusterMachine.Settings(session: parts.config.sessionTimeout),
                newMember(),
                record: shared.withLock { $0.latest }
            ) { other in
                // An earlier membership of this worker stopped its work before it was given up.
                if earlier.contains(other.run) { return true }
                return other.place.map { there in place.knowsDead(there) { Place.startTime(of: $0) } } ?? false
            },
            heartbeats: Heartbeats(start: BootClock.monotonic)
        )
        await withDiscardingTaskGroup { group in
            join(&loop, in: &group)
            while !Task.isCancelled {
                for mail in mailbox.drain() { take(mail, &loop) }
                if loop.isLeaving { break }
                loop.asleep = BootClock.now - BootClock.monotonic
                (loop.machine.generationFloor, loop.machine.epochFloor) = parts.floors()
                let step = loop.machine.next(now: BootClock.now)
                parts.lease.set(loop.machine.leads ? loop.machine.leaseEnd : nil)
                show(loop.machine)
                await perform(step, &loop, in: &group)
            }
            await part(loop)
            group.cancelAll()
        }
    }

    private func take(_ mail: Mail, _ loop: inout Loop) {
        let now = BootClock.now
        switch mail {
        case .event(let number, let event):
            guard number == loop.number else { return }
            loop.machine.on(event, now: now)
        case .sample(let number, let sample):
            guard number == loop.number else { return }
            loop.heartbeats.took(sample)
            let since = loop.heartbeats.heardSince.map { $0 + loop.asleep }
            let (isSteady, isJoining) = (loop.heartbeats.isSteady, loop.heartbeats.isJoining)
            loop.machine.on(.heard(since: since, isSteady: isSteady, isJoining: isJoining), now: now)
        case .failure(let number, let error):
            guard number == loop.number else { return }
            let reason = explained(error)
            refusals { log.warn("Cannot join the group of workers", ["reason": "\(reason)", "suppressed": $0]) }
            loop.machine.on(.refused(reason), now: now)
        case .record: loop.machine.on(.record(shared.withLock { $0.latest }), now: now)
        case .leave: loop.isLeaving = true
        }
    }

    private func perform(
        _ step: ClusterMachine.Step,
        _ loop: inout Loop,
        in group: inout DiscardingTaskGroup
    ) async {
        let number = loop.number
        switch step {
        case .wait(let deadline):
            await mailbox.wait(until: deadline.map { .now + min(.seconds(3_600), $0 - BootClock.now) })
        case .probe:
            group.addTask(name: "cluster.probe") { [self] in mailbox.post(.event(number, await probe())) }
        case .publish(let record):
            let expected = loop.machine.record
            group.addTask(name: "cluster.publish") { [self] in
                mailbox.post(.event(number, await publish(record, expecting: expected)))
            }
        case .lead(let generation):
            log.info("Leads the cluster", ["group": "\(self.group)", "generation": .int(generation)])
            if let record = loop.machine.record { parts.lead(record) }
        case .standDown(let reason):
            parts.standDown()
            log.warn(
                "Stopped all work of this worker; another one may do it now",
                ["reason": "\(reason)", "group": "\(self.group)"]
            )
        case .rejoin:
            earlier.add(loop.machine.me.run)
            await part(loop)
            join(&loop, in: &group)
        }
    }

    private func show(_ machine: ClusterMachine) {
        let record = machine.record
        let isOurs = record?.leader?.run == machine.me.run
        let leader = isOurs && !machine.leads ? nil : record?.leader
        let view = ClusterView(
            role: machine.leads ? .leader : leader != nil && machine.trouble == nil ? .standby : .joining,
            workerID: parts.workerID,
            leaderID: leader?.workerID,
            leaderURL: leader?.url,
            problem: machine.trouble
        )
        let old = shared.withLock { shared in
            defer { shared.view = view }
            return shared.view
        }
        guard view.role == .standby, old.role != .standby || old.leaderID != view.leaderID else { return }
        log.info("Stands by", ["group": "\(group)", "leader": "\(view.leaderURL ?? "")"])
    }

    // Membership

    private func newMember() -> ClusterMember {
        let run = String(UInt64.random(in: 0 ... .max), radix: 36)
        return ClusterMember(workerID: parts.workerID, url: parts.url, run: run, place: parts.place)
    }
    private func join(_ loop: inout Loop, in group: inout DiscardingTaskGroup) {
        loop.number += 1
        let number = loop.number, member = newMember(), mailbox = mailbox
        loop.heartbeats = Heartbeats(start: BootClock.monotonic)
        let made: Consumer
        do throws(KafkaClientError) {
            made = try Consumer(settings(member)) { event in
                guard case .statistics(let text) = event, let sample = Heartbeats.Sample(statistics: text) else {
                    return
                }
                mailbox.post(.sample(number, sample))
            }
        } catch {
            loop.machine.on(.joined(member), now: BootClock.now)
            return mailbox.post(.failure(number, error))
        }
        loop.consumer = made
        loop.machine.on(.joined(member), now: BootClock.now)
        group.addTask(name: "cluster.member") { [self] in await follow(made, number) }
    }
    /// Polls, without which the group's changes would not be answered.
    private func follow(_ consumer: Consumer, _ number: Int) async {
        let mailbox = mailbox
        var isSubscribed = false
        while !Task.isCancelled {
            do throws(KafkaClientError) {
                if !isSubscribed {
                    try await consumer.subscribe(topics: [parts.config.clusterTopic.name], rebalance: .automatic) {
                        switch $0 {
                        case .assigned(let partitions):
                            if !partitions.isEmpty { mailbox.post(.event(number, .owns(true))) }
                        case .revoked(let partitions):
                            if !partitions.isEmpty { mailbox.post(.event(number, .owns(false))) }
                        case .lost: mailbox.post(.event(number, .lost))
                        }
                    }
                    isSubscribed = true
                }
                _ = try await consumer.poll(maxRecords: 100, timeout: .seconds(5))
            } catch {
                if error.code == .closed { return }
                guard error.isRetriable else {
                    mailbox.post(.failure(number, error))
                    return
                }
                log.debug("Member of the group", ["reason": "\(error)"])
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }
    private func settings(_ member: ClusterMember) -> KafkaSettings {
        let config = parts.config
        let prefix = config.clientID.isEmpty ? "connect-\(config.groupID)" : config.clientID
        let session = Int((config.sessionTimeout / .milliseconds(1)).rounded())
        let beat = Int((config.heartbeatInterval / .milliseconds(1)).rounded())
        return config.internalSettings(
            .consumer,
            [
                "client.id": member.clientID(prefix: prefix), "group.id": config.groupID,
                "partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": "\(session)",
                "heartbeat.interval.ms": "\(min(beat, max(1, session / 3)))",
                "max.poll.interval.ms": "\(max(60_000, session))", "statistics.interval.ms": "250",
                "auto.offset.reset": "latest", "queued.min.messages": "1", "queued.max.messages.kbytes": "64",
            ]
        )
    }
    /// Leaves: the lead is given up in the topic, then the group is told.
    private func part(_ loop: Loop) async {
        parts.lease.set(nil)
        let producer = shared.withLock { shared in
            defer { shared.producer = nil }
            return shared.producer
        }
        if let producer {
            if let farewell = loop.machine.farewell { await write(farewell, with: producer) }
            await producer.close(timeout: .seconds(1))
        }
        await loop.consumer?.close(timeout: .seconds(3))
    }
    private func write(_ record: ClusterRecord, with producer: Producer) async {
        do throws(KafkaClientError) { try await commit(record, producer) } catch {
            log.debug("The lead was not given up in the topic", ["reason": "\(error)"])
        }
    }

    // Asking and writing

    private func probe() async -> ClusterMachine.Event {
        let asked = BootClock.now
        do throws(KafkaClientError) {
            let found = try await parts.admin.describeGroup(group, timeout: .seconds(2)).members
            let ours = found.compactMap { ClusterMember(clientID: $0.clientID) }
            return .members(ours, strangers: found.count - ours.count, at: asked)
        } catch {
            // A group of Kafka Connect's cannot be listed so; the refusal to join says it better.
            if error.code == .invalidArgument {
                log.debug("Cannot list the workers", ["reason": "\(error)"])
            } else {
                limiter { log.warn("Cannot list the workers", ["reason": "\(error)", "suppressed": $0]) }
            }
            return .probeFailed
        }
    }
    /// Writes the record if the newest one is still that on which it was decided.
    private func publish(_ wanted: ClusterRecord, expecting: ClusterRecord?) async -> ClusterMachine.Event {
        do {
            let held = shared.withLock { $0.producer }
            let producer = try held ?? Producer(transactional())
            if held == nil {
                shared.withLock { $0.producer = producer }
                try await producer.initTransactions(timeout: .seconds(15))
            }
            let config = parts.config
            try await parts.topics.readToEnd(config.clusterTopic.name)
            guard shared.withLock({ $0.latest }) == expecting else {
                shared.withLock { $0.producer = nil }
                await producer.close(timeout: .milliseconds(100))
                return .publishFailed(isFenced: false)
            }
            if held == nil {
                // The new leader acts on everything that the old one has written, and ends what it left open.
                await parts.topics.claim()
                try await parts.topics.readToEnd(config.configTopic.name)
                try await parts.topics.readToEnd(config.statusTopic.name)
            }
            var record = wanted
            record.epoch = max(record.epoch, milliseconds())
            try await commit(record, producer)
            return .published(record)
        } catch {
            let failure = error as? KafkaClientError
            let dead = shared.withLock { shared in
                defer { shared.producer = nil }
                return shared.producer
            }
            await dead?.close(timeout: .milliseconds(100))
            let reason = "\(error)"
            limiter { log.warn("Cannot take the lead yet", ["reason": "\(reason)", "suppressed": $0]) }
            return .publishFailed(isFenced: failure?.code == .fenced)
        }
    }
    private func commit(_ record: ClusterRecord, _ producer: Producer) async throws(KafkaClientError) {
        try await producer.beginTransaction()
        do throws(KafkaClientError) {
            _ = try await producer.send(
                ProducerRecord(
                    topic: parts.config.clusterTopic.name,
                    partition: 0,
                    key: ClusterRecord.key(group),
                    value: record.json.bytes
                )
            )
            try await producer.commitTransaction(timeout: .seconds(5))
        } catch {
            if !error.isFatal { try? await producer.abortTransaction(timeout: .seconds(2)) }
            throw error
        }
    }
    /// Kafka Connect's leader uses the same id for the config topic: a leader of either kind fences the other.
    private func transactional() -> KafkaSettings {
        parts.config.internalSettings(
            .producer,
            [
                "client.id": "connect-\(group)-leader", "transactional.id": "connect-cluster-\(group)",
                "transaction.timeout.ms": "10000", "message.timeout.ms": "10000", "linger.ms": "0",
            ]
        )
    }
    private func explained(_ error: KafkaClientError) -> String {
        switch error.number {
        case 23:
            "group \"\(group)\" has members that speak another protocol, most likely a Kafka Connect worker: it and this "
                + "worker must not run the same connectors at once. Stop the Kafka Connect workers of this group, or give "
                + "this worker another group.id. It tries again by itself, and answers reads meanwhile."
        case 26: "\(error). Set session.timeout.ms to a value that the brokers allow (group.min.session.timeout.ms)."
        case 29, 30, 53:
            "\(error). Allow this worker to read group \"\(group)\" and topic \"\(parts.config.clusterTopic.name)\", and to "
                + "write that topic with transactional id \"connect-cluster-\(group)\"."
        default: "\(error)"
        }
    }
}
