import ConnectModel
public import KafkaClient
import Lifecycle
import Logs

/// The worker cannot go on, whatever it waits for: a setting or a topic has to be changed.
public struct WorkerFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and what to change.
    public let description: String

    /// Makes a failure.
    public init(_ description: String) { self.description = description }
}

/// Makes topics by the admin protocol.
struct AdminTopicCreator: TopicCreator {
    let admin: Admin
    private let timeout = Duration.seconds(30)

    init(_ admin: Admin) { self.admin = admin }

    func ensureTopic(_ name: String, settings: TopicSettings) async throws {
        let topic = NewTopic(
            name,
            partitions: settings.partitions,
            replicationFactor: settings.replicationFactor,
            configs: settings.configs
        )
        if try await admin.describeTopic(name, timeout: timeout) != nil { return }
        guard let error = try await admin.createTopics([topic], timeout: timeout)[name] ?? nil else { return }
        if error.code != .topicAlreadyExists { throw error }
    }
}

/// Topics in which connectors keep offsets of their own, made as the worker's offsets topic is.
struct KafkaOffsetTopics: OffsetTopics {
    let config: WorkerConfig.InternalTopicConfig
    let topics: InternalTopics
    let admin: Admin
    let creator: any TopicCreator

    func log(_ topic: String) -> any TopicLog { topics.log(topic) }
    func read(_ topic: String, _ handler: @Sendable (LogRecord) -> Void) async throws {
        let brokers = try await admin.brokers(timeout: .seconds(10)).count
        let wanted = config.replicationFactor
        let settings = TopicSettings(
            partitions: config.partitions,
            replicationFactor: wanted == 0 ? min(3, max(1, brokers)) : wanted,
            configs: config.configs.merging(["cleanup.policy": "compact"]) { _, ours in ours }
        )
        try await creator.ensureTopic(topic, settings: settings)
        try await topics.readOnce(topic, handler)
    }
}

/// Offsets of consumer groups by the admin protocol.
struct AdminGroupOffsets: GroupOffsets {
    let admin: Admin

    func offsets(of group: String) async throws -> [TopicPartition: Int64] {
        try await admin.groupOffsets(group).filter { $0.value >= 0 }
    }
    func alter(_ group: String, _ offsets: [TopicPartition: Int64?]) async throws {
        try await admin.alterGroupOffsets(group, offsets.compactMapValues(\.self))
        try await admin.deleteGroupOffsets(group, offsets.filter { $0.value == nil }.map(\.key))
    }
    func delete(_ group: String) async throws {
        do throws(KafkaClientError) { try await admin.deleteGroup(group) } catch {
            if error.code != .groupNotFound { throw error }
        }
    }
}

/// Creates and checks the internal topics (Kafka Connect 4.3, `TopicAdmin`).
struct InternalTopicCheck {
    /// Which property names the topic, what for, and how it must be.
    struct Want {
        var key: String
        var purpose: String
        var config: WorkerConfig.InternalTopicConfig
        var isSinglePartition = false
    }
    private let admin: Admin
    private let embedded: (any TopicCreator)?
    /// The cluster is librdkafka's mock: no admin protocol, no compaction, topics appear on first use.
    let isMock: Bool
    private let log = Logger("sluice.runtime.topics")
    private let timeout = Duration.seconds(10)

    /// `embedded` makes topics of a cluster in this process; `clusterID` tells an embedded cluster in another one.
    init(_ admin: Admin, embedded: (any TopicCreator)?, clusterID: String?) {
        (self.admin, self.embedded) = (admin, embedded)
        isMock = embedded != nil || clusterID?.hasPrefix("mockCluster") == true
    }

    /// The partition count of each topic, in order.
    ///
    /// Throws ``WorkerFailure`` for a topic that must not be used, and the
    /// client's error when Kafka is away. A topic whose count is nil appears on first use.
    func ensure(_ wants: [Want]) async throws -> [Int32?] {
        let brokers = try await admin.brokers(timeout: timeout).count
        var existing = try await existing(wants)
        var missing = wants.filter { existing[$0.config.name] == nil }
        if !missing.isEmpty, isMock, embedded == nil {
            log.info("The cluster is an embedded one: internal topics appear on first use, without compaction")
        } else if !missing.isEmpty {
            let made = try await create(missing, brokers: brokers)
            missing = missing.filter { made.contains($0.config.name) }
            existing = try await awaitTopics(wants)
        }
        for want in wants where existing[want.config.name] != nil && !missing.contains(where: { $0.key == want.key }) {
            try await check(want, partitions: existing[want.config.name] ?? 0)
        }
        return wants.map { existing[$0.config.name] }
    }
    private func existing(_ wants: [Want]) async throws -> [String: Int32] {
        let names = Set(wants.map(\.config.name))
        return try await admin.listTopics(timeout: timeout).reduce(into: [:]) { found, topic in
            if names.contains(topic.name) { found[topic.name] = Int32(topic.partitions.count) }
        }
    }
    /// The names of the topics that did not exist.
    private func create(_ wants: [Want], brokers: Int) async throws -> Set<String> {
        if let embedded {
            // The embedded cluster keeps megabytes per partition, and one worker needs no more than one.
            for want in wants {
                try await embedded.ensureTopic(want.config.name, settings: TopicSettings(partitions: 1))
            }
            return Set(wants.map(\.config.name))
        }
        let topics = wants.map { want in
            let wanted = want.config.replicationFactor
            return NewTopic(
                want.config.name,
                partitions: want.isSinglePartition ? 1 : want.config.partitions,
                replicationFactor: wanted == 0 ? min(3, max(1, brokers)) : wanted,
                configs: want.config.configs.merging(["cleanup.policy": "compact"]) { _, ours in ours }
            )
        }
        let results = try await admin.createTopics(topics, timeout: timeout)
        var made = Set(wants.map(\.config.name))
        for want in wants {
            guard let error = results[want.config.name] ?? nil else { continue }
            if error.code == .topicAlreadyExists {
                made.remove(want.config.name)
                continue
            }
            if error.isRetriable { throw error }
            throw WorkerFailure(
                "creating topic \"\(want.config.name)\" for \(want.purpose): \(error.reason). Create it by hand with "
                    + "cleanup.policy=compact, or change \(want.key) or its replication factor."
            )
        }
        for name in made.sorted() { log.info("Created internal topic", ["topic": "\(name)"]) }
        return made
    }
    /// What was created takes a moment to be known everywhere.
    private func awaitTopics(_ wants: [Want]) async throws -> [String: Int32] {
        for attempt in 0..<50 {
            let found = try await existing(wants)
            if found.count == Set(wants.map(\.config.name)).count || attempt == 49 { return found }
            try await Task.sleep(for: .milliseconds(20 + 10 * attempt))
        }
        return [:]
    }
    private func check(_ want: Want, partitions: Int32) async throws {
        let topic = want.config.name
        if want.isSinglePartition, partitions != 1, !isMock {
            throw WorkerFailure(
                "Topic '\(topic)' supplied via the '\(want.key)' property is required to have a single partition in order to "
                    + "guarantee consistency of \(want.purpose), but found \(partitions) partitions. Name another topic."
            )
        }
        guard !isMock else { return }
        let policy: String
        do throws(KafkaClientError) {
            policy = try await admin.describeTopicConfigs(topic, timeout: timeout)["cleanup.policy"] ?? "compact"
        } catch {
            if error.isRetriable { throw error }
            log.debug("Cleanup policy not checked", ["topic": "\(topic)", "reason": "\(error)"])
            return
        }
        let policies = policy.split(separator: ",").map(\.trimmingBlanks)
        guard policies != ["compact"] else { return }
        throw WorkerFailure(
            "Topic '\(topic)' supplied via the '\(want.key)' property is required to have 'cleanup.policy=compact' to guarantee "
                + "consistency and durability of \(want.purpose), but found the topic currently has 'cleanup.policy=\(policy)'. "
                + "Continuing would likely result in eventually losing \(want.purpose) and problems restarting this worker in "
                + "the future. Change the '\(want.key)' property to use a topic with 'cleanup.policy=compact', or set it with "
                + "kafka-configs."
        )
    }
}

/// Makes topics of a cluster inside this process.
public struct EmbeddedTopics: TopicCreator {
    private let cluster: EmbeddedCluster

    /// For the tasks and internal topics of a worker beside that cluster.
    public init(_ cluster: EmbeddedCluster) { self.cluster = cluster }

    /// The cluster itself would make four partitions of a topic that somebody writes to.
    public var unruled: TopicSettings? { TopicSettings(partitions: 1) }

    /// Makes the topic unless it exists; one partition unless told otherwise, for each costs megabytes.
    public func ensureTopic(_ name: String, settings: TopicSettings) async throws {
        do throws(KafkaClientError) {
            try cluster.createTopic(name, partitions: max(1, settings.partitions))
        } catch {
            if error.code != .topicAlreadyExists { throw error }
        }
    }
}
