import ConnectConfig
import ConnectModel
import ConnectSDK
import KafkaClient
import Logs

/// Fences off transactional producers: what they have open is aborted, and they can write nothing more.
protocol ProducerFencing: Sendable {
    /// Returns when the transactional producers of these tasks are fenced off.
    func fence(_ tasks: [TaskID], config: [String: String]) async throws(KafkaClientError)
}

/// Registers the transactional id of each task anew, which is what the admin protocol's fencing does as well.
struct KafkaProducerFencing: ProducerFencing {
    /// The worker group's id, which the transactional ids begin with.
    let group: String
    let settings: ClientSettings

    func fence(_ tasks: [TaskID], config: [String: String]) async throws(KafkaClientError) {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, id) in tasks.enumerated() {
                    // Each is a client with threads of its own: a few at a time.
                    if index >= 8 { try await group.next() }
                    group.addTask { try await fence(id, config) }
                }
                try await group.waitForAll()
            }
        } catch {
            throw error as? KafkaClientError ?? KafkaClientError(code: .invalidState, reason: "\(error)")
        }
    }
    private func fence(_ id: TaskID, _ config: [String: String]) async throws(KafkaClientError) {
        let clients = TaskClients(id: id, config: config, settings: settings)
        let producer = try Producer(clients.producer(transactionalID: "\(group)-\(id)"))
        do throws(KafkaClientError) { try await producer.initTransactions(timeout: .seconds(30)) } catch {
            await producer.close(timeout: .zero)
            throw error
        }
        await producer.close(timeout: .seconds(1))
    }
}

/// Kafka Connect's rules for exactly-once sources (KIP-618): no task of a generation starts before all writers of older
/// ones are fenced off, and a task whose generation is over does not get past its start.
extension ConnectorSupervisor {
    private func isExactlyOnceSource(_ record: ConnectorRecord) -> Bool {
        context.environment.transactionGroup != nil && context.descriptor(of: record.config)?.kind == .source
    }

    /// Whether tasks may start now; the connector's owner fences, the others wait to read that it has.
    func mayStartTasks(_ record: ConnectorRecord) async -> Bool {
        guard isExactlyOnceSource(record), record.isPendingFencing, !record.tasks.isEmpty else { return true }
        guard context.assignment.owns(connector: name) else { return false }
        do {
            try await fenceOlderTasks(record)
            return true
        } catch {
            log.warn("Tasks of the generation before are not fenced off yet, trying again", ["reason": "\(error)"])
            retryLater()
            return false
        }
    }

    /// Fences off the writers of older task generations and notes for how many tasks that holds now.
    func fenceOlderTasks(_ record: ConnectorRecord) async throws {
        guard isExactlyOnceSource(record), record.isPendingFencing, let fencing = context.fencing else { return }
        let before = record.fencedTasks ?? 0, now = record.tasks.count
        // One task before, one now: the new one has the same transactional id and fences the old one off itself.
        if before > 1 || (before == 1 && now != 1) {
            let config = try context.config.providers.resolve(record.config.dictionary)
            try await fencing.fence((0..<before).map { TaskID(name, $0) }, config: config)
            log.info("Older tasks are fenced off", ["connector": "\(name)", "tasks": .int(before)])
        }
        try await context.configs.putFencing(name, tasks: now)
    }

    /// Throws when the task's configs are no longer those that the topic has.
    func confirm(generation tasksOffset: Int64) async throws(TaskFailure) {
        let doing = "starting to write exactly once"
        do throws(StoreError) { try await context.configs.readToEnd() } catch {
            throw .retry(doing: doing, because: "\(error)")
        }
        let record = context.configs.connector(name)
        guard record?.tasksOffset == tasksOffset, record?.isPendingFencing == false else {
            throw .retry(doing: doing, because: "the task's config has been replaced; its successor starts soon")
        }
    }
}
