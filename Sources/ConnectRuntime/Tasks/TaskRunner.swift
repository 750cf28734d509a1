internal import Blocking
import ConnectConfig
import ConnectModel
import ConnectSDK
import KafkaClient
public import Lifecycle
import Logs
import Metrics
import Synchronization

private let log = Logger("sluice.task")

/// Runs one task: start, work, drain, flush, commit, close.
///
/// ```swift
/// let runner = TaskRunner(spec, in: environment)
/// await withTaskGroup { group in
///     group.addTask { await runner.run(until: stop) }
/// }
/// ```
public final class TaskRunner: Sendable {
    /// What it runs.
    public let spec: TaskSpec
    private let environment: TaskEnvironment
    private let board: TaskBoard
    private let wish: Mutex<Wish>

    private struct Wish {
        var isPaused: Bool
        var tell: (@Sendable (_ isPaused: Bool) -> Void)?
    }

    /// Prepares a task; nothing happens before ``run(until:)``.
    public init(_ spec: TaskSpec, in environment: TaskEnvironment, initiallyPaused: Bool = false) {
        (self.spec, self.environment) = (spec, environment)
        wish = Mutex(Wish(isPaused: initiallyPaused))
        board = TaskBoard(
            spec.id,
            spec.descriptor.kind,
            TaskMeters(spec.id, environment.metrics),
            environment.listener,
            stallAfter: environment.stallAfter
        )
    }

    /// What the task looks like now.
    public var snapshot: TaskSnapshot { board.snapshot }

    /// Rests after what is in hand has been delivered and committed; a sink keeps its partitions.
    public func pause() { ask(paused: true) }
    /// Goes on.
    public func resume() { ask(paused: false) }

    private func ask(paused: Bool) {
        let tell = wish.withLock { wish in
            wish.isPaused = paused
            return wish.tell
        }
        tell?(paused)
    }

    /// Returns when the task has ended because `stop` opened, or has failed; the listener is told which.
    ///
    /// An open `stop` asks for an orderly end, for which the task takes at most the environment's `shutdownGrace`.
    /// Cancellation means out of time: the task writes neither records, nor offsets, nor states any more.
    public func run(until stop: Latch) async {
        let thread = TaskThread(label: "sluice.task.\(spec.id)")
        await LogContext.with(["connector": "\(spec.id.connector)", "task": .int(spec.id.task)]) {
            await withTaskExecutorPreference(thread) { await live(until: stop) }
        }
    }

    private func live(until stop: Latch) async {
        let failure = await work(until: stop)
        guard !Task.isCancelled else {
            log.warn("Task was cancelled: it did not end in time")
            return
        }
        guard let failure else {
            board.became(.unassigned)
            environment.listener.task(spec.id, became: .unassigned, trace: nil)
            return
        }
        let trace = "task \(spec.id) stopped: \(failure)"
        log.error("Task failed", ["reason": "\(failure)"])
        board.became(.failed, failure: failure)
        environment.listener.task(spec.id, became: .failed, trace: trace)
    }

    /// Stops the work when the time for an orderly end is over.
    private func work(until stop: Latch) async -> TaskFailure? {
        let grace = environment.shutdownGrace
        return await withTaskGroup(of: Ended.self, returning: TaskFailure?.self) { group in
            let ended = Latch()
            group.addTask(name: "\(spec.id)") { [self] in
                defer { ended.open() }
                do throws(ConfigInvalid) { return .task(try await start(until: stop)) } catch {
                    let key = error.issues.first?.key ?? "connector.class"
                    return .task(.config(key, doing: "starting task \(spec.id)", because: "\(error)"))
                }
            }
            group.addTask(name: "\(spec.id).grace", executorPreference: globalConcurrentExecutor) {
                await stop.wait()
                // Twice the grace: the task ends by itself within one, and this is for calls that do not return.
                return await ended.wait(for: grace * 2) || Task.isCancelled ? .watch : .outOfTime
            }
            while let next = await group.next() {
                switch next {
                case .task(let failure):
                    group.cancelAll()
                    return failure
                case .outOfTime: group.cancelAll()
                case .watch: continue
                }
            }
            return nil
        }
    }
    private enum Ended: Sendable { case task(TaskFailure?), watch, outOfTime }

    private func start(until stop: Latch) async throws(ConfigInvalid) -> TaskFailure? {
        if let descriptor = spec.descriptor as? SinkDescriptor { return try await run(descriptor, until: stop) }
        if let descriptor = spec.descriptor as? SourceDescriptor { return try await run(descriptor, until: stop) }
        return .fatal(
            doing: "starting task \(spec.id)",
            because: "\(spec.descriptor.name) is neither a source nor a sink"
        )
    }

    // MARK: Sinks

    private func run(_ descriptor: SinkDescriptor, until stop: Latch) async throws(ConfigInvalid) -> TaskFailure? {
        let errors = try ErrorSettings(spec.connectorConfig)
        let converters = try makeConverters()
        let subscription = try SinkSubscription(spec.connectorConfig)
        let context = SinkContext(spec, environment, stop)
        let task = try descriptor.makeTask(spec.config, context)
        let clients = TaskClients(id: spec.id, config: spec.connectorConfig, settings: environment.settings)
        let reporter = makeReporter(errors, clients)
        let topics: any TopicCreator
        do throws(KafkaClientError) { topics = try makeTopicCreator(clients) } catch {
            return error.asTaskFailure(doing: "making the admin client", key: "admin.override")
        }
        if let failure = await makeDeadLetterTopic(errors, topics, until: stop) { return failure }
        let consumer: KafkaSinkConsumer
        do throws(KafkaClientError) {
            consumer = try KafkaSinkConsumer(clients.consumer(), subscription, maxBytes: 4 << 20)
        } catch { return error.asTaskFailure(doing: "making the consumer", key: "consumer.override") }
        var settings = SinkTaskMachine.Settings()
        settings.flushInterval = environment.offsetFlushInterval
        settings.grace = environment.shutdownGrace
        settings.retry = RetryPolicy(errors)
        settings.tolerance = errors.tolerance
        var parts = SinkTaskShell.Parts(
            id: spec.id,
            task: task,
            consumer: consumer,
            pipeline: SinkPipeline(
                converters: converters,
                tolerance: errors.tolerance,
                passesJSON: descriptor.takesRawJSON
            ),
            reporter: reporter,
            listener: environment.listener,
            meters: SinkMeters(spec.id, environment.metrics),
            settings: settings,
            commitTimeout: environment.offsetFlushTimeout
        )
        parts.lease = environment.lease
        let shell = SinkTaskShell(parts, board)
        context.bind { shell.requestCommit() }
        let paused = follow { $0 ? shell.pause() : shell.resume() }
        let failure = await observed(parts) { await shell.run(until: stop, paused: paused) }
        follow(nil)
        await reporter.close(timeout: .seconds(1))
        return failure
    }

    /// Lag, rates and stalls of a sink, once a second while `body` runs.
    private func observed(
        _ parts: SinkTaskShell.Parts,
        _ body: @escaping @Sendable () async -> TaskFailure?
    ) async -> TaskFailure? {
        let (board, meters, consumer) = (board, parts.meters, parts.consumer)
        let (reads, sends, commits, skips) = (RateMeter(), RateMeter(), RateMeter(), RateMeter())
        board.show(consumer.topicView)
        let failure = await watched(body) {
            board.show(consumer.topicView)
            meters.show(lag: board.show(await consumer.progress(board.partitions.sorted())))
            meters.readRate.set(reads.rate(meters.read.current, now: board.time.now))
            meters.sendRate.set(sends.rate(meters.sent.current, now: board.time.now))
            meters.commitRate.set(commits.rate(meters.commits.current, now: board.time.now))
            meters.commitSkipRate.set(skips.rate(meters.commitsSkipped.current, now: board.time.now))
        }
        meters.show(lag: [:])
        return failure
    }
    /// Calls `look` once a second while `body` runs, and looks for stalls.
    private func watched(
        _ body: @escaping @Sendable () async -> TaskFailure?,
        _ look: @escaping @Sendable () async -> Void
    ) async -> TaskFailure? {
        await withTaskGroup(of: TaskFailure?.self) { group in
            let (board, ended) = (board, Latch())
            group.addTask(executorPreference: globalConcurrentExecutor) {
                while !(await ended.wait(for: .seconds(1))), !Task.isCancelled {
                    await look()
                    board.checkStall()
                }
                return nil
            }
            let failure = await body()
            ended.open()
            group.cancelAll()
            return failure
        }
    }

    // MARK: Sources

    private func run(_ descriptor: SourceDescriptor, until stop: Latch) async throws(ConfigInvalid) -> TaskFailure? {
        let errors = try ErrorSettings(spec.connectorConfig)
        let converters = try makeConverters()
        let rules = environment.createsTopics ? try TopicRules(spec.connectorConfig) : nil
        var settings = SourceTaskMachine.Settings()
        settings.flushInterval = environment.offsetFlushInterval
        settings.grace = environment.shutdownGrace
        settings.retry = RetryPolicy(errors)
        settings.tolerance = errors.tolerance
        settings.boundary = try .wanted(by: spec.connectorConfig, in: environment)
        let context = SourceContext(spec, environment, stop)
        let task = try descriptor.makeTask(spec.config, context)
        let clients = TaskClients(id: spec.id, config: spec.connectorConfig, settings: environment.settings)
        let reporter = makeReporter(errors, clients)
        let topics: any TopicCreator
        do throws(KafkaClientError) { topics = try makeTopicCreator(clients) } catch {
            return error.asTaskFailure(doing: "making the admin client", key: "admin.override")
        }
        if let failure = await makeDeadLetterTopic(errors, topics, until: stop) { return failure }
        let output: any RecordOutput
        do throws(KafkaClientError) { output = try makeOutput(clients, settings.boundary) } catch {
            return error.asTaskFailure(doing: "making the producer", key: "producer.override")
        }
        var parts = SourceTaskShell.Parts(
            id: spec.id,
            task: task,
            output: output,
            pipeline: SourcePipeline(converters: converters, tolerance: errors.tolerance, json: makeJSONReader()),
            rules: rules,
            reporter: reporter,
            offsets: environment.offsets,
            topics: topics,
            listener: environment.listener,
            meters: SourceMeters(spec.id, environment.metrics),
            settings: settings,
            confirmGeneration: environment.confirmGeneration
        )
        parts.lease = environment.lease
        let shell = SourceTaskShell(parts, board)
        context.bind { shell.wake() }
        let paused = follow { $0 ? shell.pause() : shell.resume() }
        let failure = await observed(parts) { await shell.run(until: stop, paused: paused) }
        follow(nil)
        await reporter.close(timeout: .seconds(1))
        return failure
    }

    private func makeOutput(
        _ clients: TaskClients,
        _ boundary: SourceTaskMachine.Boundary?
    ) throws(KafkaClientError) -> any RecordOutput {
        guard boundary != nil, let group = environment.transactionGroup else {
            return try KafkaOutput(clients.producer())
        }
        var interval = Duration.zero
        if case .interval(let time)? = boundary { interval = time }
        return try KafkaTransactions(clients.producer(transactionalID: "\(group)-\(spec.id)", interval: interval))
    }

    /// Rates and stalls of a source, once a second while `body` runs.
    private func observed(
        _ parts: SourceTaskShell.Parts,
        _ body: @escaping @Sendable () async -> TaskFailure?
    ) async -> TaskFailure? {
        let (board, meters) = (board, parts.meters)
        let (polls, writes) = (RateMeter(), RateMeter())
        return await watched(body) {
            meters.pollRate.set(polls.rate(meters.polled.current, now: board.time.now))
            meters.writeRate.set(writes.rate(meters.written.current, now: board.time.now))
        }
    }

    // MARK: Parts

    /// Reads raw JSON for transforms and converters that cannot take it as it is.
    private func makeJSONReader() -> (any Converter)? {
        let plugin = environment.plugins.converters.first { ([$0.name] + $0.aliases).contains("JsonConverter") }
        return plugin.flatMap { try? $0.make(["schemas.enable": "false"], false) }
    }

    func makeConverters() throws(ConfigInvalid) -> ConverterSet {
        try ConverterSet(
            plugins: environment.plugins,
            config: spec.connectorConfig,
            defaults: environment.converterDefaults,
            task: spec.config["connector.class"] ?? spec.descriptor.name
        )
    }

    func makeReporter(_ errors: ErrorSettings, _ clients: TaskClients) -> ErrorReporter {
        ErrorReporter(errors, spec.id, ErrorMeters(spec.id, environment.metrics)) { () throws(KafkaClientError) in
            try KafkaOutput(clients.deadLetterProducer())
        }
    }

    /// Topics are made by an admin client of the connector's own when settings ask for one.
    private func makeTopicCreator(_ clients: TaskClients) throws(KafkaClientError) -> any TopicCreator {
        guard clients.hasOwnAdmin, environment.topics is AdminTopicCreator else { return environment.topics }
        return AdminTopicCreator(try Admin(clients.admin()))
    }

    /// Makes the dead letter topic; waits while Kafka is away, with the reason told.
    func makeDeadLetterTopic(
        _ errors: ErrorSettings,
        _ topics: any TopicCreator,
        until stop: Latch
    ) async -> TaskFailure? {
        guard let topic = errors.deadLetterTopic, errors.tolerance == .all else { return nil }
        let settings = TopicSettings(partitions: 1, replicationFactor: errors.deadLetterReplication)
        let doing = "making the dead letter topic \"\(topic)\""
        let pauses = Backoff(initial: .milliseconds(300), maximum: errors.retryDelayMax)
        var attempt = 0
        while !Task.isCancelled {
            do {
                try await topics.ensureTopic(topic, settings: settings)
                if attempt > 0 { board.tell(nil) }
                return nil
            } catch let error as KafkaClientError where error.isRetriable && !error.isFatal {
                board.tell("\(doing): \(error)")
                log.warn("Dead letter topic cannot be made yet", ["reason": "\(error)"])
                if await stop.wait(for: pauses.delay(attempt: attempt)) { return nil }
                attempt += 1
            } catch {
                let remedy =
                    "create it, or set errors.deadletterqueue.topic.replication.factor to what the brokers allow"
                return .fatal(doing: doing, because: "\(error). To mend it: \(remedy)")
            }
        }
        return nil
    }

    /// Sends pause and resume to the shell; returns whether the task is to be paused from the start.
    @discardableResult
    func follow(_ tell: (@Sendable (Bool) -> Void)?) -> Bool {
        wish.withLock { wish in
            wish.tell = tell
            return wish.isPaused
        }
    }
}
