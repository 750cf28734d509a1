import ConnectConfig
public import ConnectModel
public import ConnectSDK
import KafkaClient
public import Lifecycle
import Logs
import Metrics
import Synchronization

/// One worker: stores, herder and config directory, from the first broker contact to the last status.
///
/// ``herder`` answers from the beginning ("starting" until the internal topics are read), so that REST can listen first.
/// ```swift
/// let worker = try Worker(config, plugins: plugins, metrics: metrics, version: "1.0.0", commit: "abc")
/// try await ServiceGroup([worker, server]).run()
/// ```
public final class Worker: Service {
    /// Names it in error texts.
    public let name = "worker"
    private let config: WorkerConfig
    private let context: HerderContext
    private let workerHerder: WorkerHerder
    private let topics: InternalTopics
    private let admin: Admin
    private let embedded: (any TopicCreator)?
    private let address = Mutex<(url: String, port: Int)>(("", 0))
    let cluster = ClusterDoor()
    private let log = Logger("sluice.runtime.worker")

    /// What REST and others ask and tell.
    public var herder: any Herder { workerHerder }

    /// The same for any kind of task runner: tests script theirs.
    init(
        _ config: WorkerConfig,
        plugins: Plugins,
        metrics: MetricsRegistry,
        version: String,
        commit: String,
        embedded: (any TopicCreator)?,
        makeRunner: @escaping @Sendable (TaskSpec, TaskEnvironment, Bool) -> any TaskRunning
    ) throws(KafkaClientError) {
        self.config = config
        admin = try Admin(config.internalSettings(.admin, ["client.id": "connect-\(config.groupID)-admin"]))
        let topics = try InternalTopics(config, admin)
        self.topics = topics
        let creator: any TopicCreator = embedded ?? AdminTopicCreator(admin)
        self.embedded = embedded
        let offsets = OffsetStore(topics.log(config.offsetTopic.name))
        var environment = TaskEnvironment(
            plugins: plugins,
            settings: config.clientSettings,
            converterDefaults: config.converters,
            offsets: offsets,
            listener: NoListener(),
            topics: creator,
            metrics: metrics,
            offsetFlushInterval: config.offsetFlushInterval,
            offsetFlushTimeout: config.offsetFlushTimeout,
            shutdownGrace: config.shutdownTimeout
        )
        environment.transactionGroup = config.isExactlyOnce ? config.groupID : nil
        environment.createsTopics = config.createsTopics
        environment.lease = cluster.lease
        environment.stallAfter = config.stallAfter
        context = HerderContext(
            config: config,
            plugins: plugins,
            stores: (
                ConfigStore(topics.log(config.configTopic.name)), StatusStore(topics.log(config.statusTopic.name)),
                offsets
            ),
            groups: AdminGroupOffsets(admin: admin),
            environment: environment,
            workerID: config.defaultWorkerID,
            fencing: config.isExactlyOnce
                ? KafkaProducerFencing(group: config.groupID, settings: config.clientSettings) : nil,
            offsetTopics: KafkaOffsetTopics(config: config.offsetTopic, topics: topics, admin: admin, creator: creator),
            makeRunner: makeRunner
        )
        workerHerder = WorkerHerder(context, version: version, commit: commit)
    }

    /// `host:port` under which REST is reached, once it listens, and its base URL; `port` is the one it is bound to.
    ///
    /// The first goes into every status, all of it into what other workers know of this one.
    public func advertise(_ workerID: String, url: String? = nil, port: Int = 0) {
        context.workerID = workerID
        address.withLock { $0 = (url ?? "http://\(workerID)", port) }
    }
    /// Gives the worker another part of the cluster's work.
    public func apply(_ assignment: Assignment) { workerHerder.apply(assignment) }

    /// Runs until asked to stop, then ends all tasks within `task.shutdown.graceful.timeout.ms` and says so in the status topic.
    ///
    /// - Throws: ``WorkerFailure`` when an internal topic must not be used.
    public func run(until stop: Latch) async throws {
        for warning in config.warnings {
            log.warn("Worker property", ["key": "\(warning.key)", "problem": "\(warning.message)"])
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(name: "topics") { [topics] in await topics.run() }
            group.addTask(name: "status") { [context] in await context.status.run() }
            group.addTask(name: "connectors") { [context] in await context.nursery.run() }
            group.addTask(name: "term") { [cluster] in
                await stop.wait()
                cluster.endTerm()
            }
            group.addTask(name: "cluster") { [cluster] in await cluster.run() }
            let failure: (any Error)?
            do {
                try await work(until: stop)
                failure = nil
            } catch { failure = error }
            await workerHerder.shutDown()
            context.status.finish()
            await endStatusWrites()
            await cluster.close()
            await topics.close()
            group.cancelAll()
            try await group.waitForAll()
            if let failure { throw failure }
        }
    }

    private func work(until stop: Latch) async throws {
        let began = ContinuousClock.now
        guard let isShared = try await startStores(until: stop) else { return }
        let first = context.status.generation + 1
        if isShared {
            context.status.mute(true)
            workerHerder.goLive(.nothing(generation: first))
            join(floor: first - 1)
        } else {
            cluster.lease.unlimit()
            await topics.claim()
            workerHerder.goLive(Assignment(generation: first))
            cluster.lead()
        }
        let clusterID = await workerHerder.workerInfo().kafkaClusterID ?? "unknown"
        log.info(
            "Worker started",
            [
                "group": "\(config.groupID)", "cluster": "\(clusterID)",
                "connectors": .int(context.configs.names.count), "after": "\(ContinuousClock.now - began)",
            ]
        )
        // The leader's config directory counts, and only while it leads.
        while let term = await cluster.nextTerm(until: stop) {
            guard let path = config.configDirectory else {
                await term.wait()
                continue
            }
            let directory = ConfigDirectory(path, herder: workerHerder, owners: context.configs)
            workerHerder.use { directory.problems }
            await directory.run(until: term)
        }
    }
    private func join(floor: Int) {
        let (url, port) = address.withLock { $0 }
        let herder = workerHerder, context = context, cluster = cluster
        let membership = ClusterMembership(
            ClusterMembership.Parts(
                config: config,
                admin: admin,
                topics: topics,
                workerID: context.workerID,
                url: url.isEmpty ? "http://\(context.workerID)" : url,
                place: .here(port: port),
                lease: cluster.lease,
                floors: { (max(floor, context.status.generation), 0) },
                lead: { record in
                    herder.lead(record)
                    cluster.lead()
                },
                standDown: {
                    cluster.endTerm()
                    herder.standDown()
                }
            )
        )
        workerHerder.use(membership)
        cluster.open(membership)
    }

    /// Finds or makes the topics and reads them; waits for Kafka as long as it takes.
    ///
    /// Whether other workers may share the work, which those of an embedded Kafka cannot; nil when stopped meanwhile.
    private func startStores(until stop: Latch) async throws -> Bool? {
        let wanted = [
            InternalTopicCheck.Want(
                key: WorkerKeys.configTopic.name,
                purpose: "connector configurations",
                config: config.configTopic,
                isSinglePartition: true
            ),
            InternalTopicCheck.Want(
                key: WorkerKeys.offsetTopic.name,
                purpose: "source connector offsets",
                config: config.offsetTopic
            ),
            InternalTopicCheck.Want(
                key: WorkerKeys.statusTopic.name,
                purpose: "connector and task statuses",
                config: config.statusTopic
            ),
        ]
        let shared = InternalTopicCheck.Want(
            key: WorkerKeys.groupID.name,
            purpose: "the choice of a leader",
            config: config.clusterTopic,
            isSinglePartition: true
        )
        let backoff = Backoff(initial: .milliseconds(200), maximum: .seconds(5))
        var attempt = 0
        while !stop.isOpen {
            do {
                let clusterID = try await admin.clusterID(timeout: .seconds(5))
                workerHerder.use(clusterID: clusterID)
                let check = InternalTopicCheck(admin, embedded: embedded, clusterID: clusterID)
                let wants = check.isMock ? wanted : wanted + [shared]
                var partitions = try await check.ensure(wants)
                for (want, count) in zip(wants, partitions) where count == nil {
                    // A cluster without admin protocol makes a topic when somebody writes to it.
                    try await topics.write([LogWrite("created", nil)], to: want.config.name, readBack: false)
                }
                if partitions.contains(nil) { partitions = try await check.ensure(wants) }
                try await readTopics(wants, partitions)
                if clusterID == nil {
                    // Asked while Kafka was still coming up; by now it can tell.
                    workerHerder.use(clusterID: try await admin.clusterID(timeout: .seconds(1)))
                }
                if attempt > 0 { log.info("Kafka is there") }
                return !check.isMock
            } catch let error as WorkerFailure { throw error } catch is CancellationError { return nil } catch {
                let reason = "Waiting for Kafka at \(config.bootstrapServers): \(error)"
                workerHerder.starting(reason)
                if attempt == 0 { log.warn("Waiting for Kafka", ["reason": "\(error)"]) }
                attempt += 1
                _ = await stop.wait(for: backoff.delay(attempt: attempt - 1))
            }
        }
        return nil
    }
    private func readTopics(_ wants: [InternalTopicCheck.Want], _ partitions: [Int32?]) async throws {
        let handlers: [@Sendable (LogRecord) -> Void] = [
            { [context] in context.configs.take($0) }, { [context] in context.offsets.take($0) },
            { [context] in context.status.take($0) }, { [cluster] in cluster.take($0) },
        ]
        try await topics.start(
            zip(wants, zip(partitions, handlers)).map { want, rest in
                let count = want.isSinglePartition ? 1 : rest.0 ?? 1
                return InternalTopics.Topic(
                    name: want.config.name,
                    partitions: count,
                    handler: rest.1,
                    isTransactional: want.config.name == config.clusterTopic.name
                )
            }
        )
    }
    /// The last statuses may take no longer than a commit of offsets.
    private func endStatusWrites() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [context] in await context.status.drained() }
            group.addTask { [config] in try? await Task.sleep(for: config.offsetFlushTimeout) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// Hears nothing; every run of a task gets a listener of its own.
private struct NoListener: TaskListener {
    func task(_ id: ConnectModel.TaskID, became state: TaskState, trace: String?) {}
    func task(_ id: ConnectModel.TaskID, usesTopic topic: String) {}
    func task(_ id: ConnectModel.TaskID, reports note: String?) {}
}

extension OffsetStore: TransactionalOffsetStorage {
    /// The records that ``store(_:of:)`` would write.
    public func encoded(_ positions: [SourcePosition], of connector: String) async throws -> RecordBuffer {
        var buffer = RecordBuffer()
        let topic = buffer.index(ofTopic: self.topic)
        for position in positions {
            let value = position.offset.map { JSON($0).bytes }
            buffer.append(topic: topic, key: key(of: position.partition, connector: connector), value: value)
        }
        return buffer
    }
    /// These positions were committed in a transaction: they are seen at once.
    public func committed(_ positions: [SourcePosition], of connector: String) async { note(positions, of: connector) }

    /// All stored positions of a connector, those that other workers wrote before the call included.
    public func positions(of connector: String) async throws -> [SourcePosition] {
        try await readToEnd()
        return stored(of: connector)
    }
    /// Stores positions for good; a position without offset removes the stored one.
    public func store(_ positions: [SourcePosition], of connector: String) async throws {
        try await put(positions, of: connector)
    }
}
