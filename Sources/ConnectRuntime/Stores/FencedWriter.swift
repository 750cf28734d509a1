import KafkaClient
import Logs
import Synchronization

/// Writes in transactions, so that readers of committed records see all of a write or nothing (KIP-618).
///
/// The group's workers share the transactional id: who writes next takes it over, which ends what another left open.
final class FencedWriter: Sendable {
    private let settings: KafkaSettings
    private let lane = Lane()
    private let producer = Mutex<Producer?>(nil)
    private let log = Logger("sluice.runtime.topics")

    init(_ settings: KafkaSettings) { self.settings = settings }

    /// Takes the right to write over from whoever has it, and ends what they left open.
    func claim() async throws(KafkaClientError) {
        try await lane.run { () throws(KafkaClientError) in _ = try await claimed(anew: true) }
    }

    /// Writes all or nothing.
    func write(_ records: [ProducerRecord]) async throws(KafkaClientError) -> [RecordMetadata] {
        try await lane.run { () throws(KafkaClientError) in
            do throws(KafkaClientError) { return try await attempt(records) } catch {
                guard error.isFatal || [.fenced, .purged].contains(error.code) else { throw error }
                log.debug("Another worker has written meanwhile, writing is taken over", ["reason": "\(error)"])
                return try await attempt(records)
            }
        }
    }

    func close() async {
        await lane.run { await drop() }
    }

    /// A producer whose transaction failed is of no more use: the next one ends what it left open.
    private func attempt(_ records: [ProducerRecord]) async throws(KafkaClientError) -> [RecordMetadata] {
        do throws(KafkaClientError) {
            let producer = try await claimed(anew: false)
            try await producer.beginTransaction()
            let written = try await producer.sendAll(records)
            try await producer.commitTransaction(timeout: .seconds(30))
            return written
        } catch {
            await drop()
            throw error
        }
    }
    private func claimed(anew: Bool) async throws(KafkaClientError) -> Producer {
        if !anew, let known = producer.withLock({ $0 }) { return known }
        await drop()
        let made = try Producer(settings)
        do throws(KafkaClientError) { try await made.initTransactions(timeout: .seconds(30)) } catch {
            await made.close(timeout: .zero)
            throw error
        }
        producer.withLock { $0 = made }
        return made
    }
    private func drop() async {
        let old = producer.withLock { producer in
            defer { producer = nil }
            return producer
        }
        guard let old else { return }
        old.purge()
        await old.close(timeout: .seconds(1))
    }
}

extension Producer {
    /// Queues all records in order, then waits for all of them.
    func sendAll(_ records: [ProducerRecord]) async throws(KafkaClientError) -> [RecordMetadata] {
        let results = await withCheckedContinuation { continuation in
            let gather = Gather(records.count) { continuation.resume(returning: $0) }
            for record in records {
                do throws(KafkaClientError) { try send(record) { gather.add($0) } } catch {
                    gather.add(.failure(error))
                }
            }
        }
        return try results.map { result throws(KafkaClientError) in try result.get() }
    }
}

/// Calls back once, when all results are in.
private final class Gather: Sendable {
    private let results: Mutex<[Result<RecordMetadata, KafkaClientError>]>
    private let count: Int
    private let done: @Sendable ([Result<RecordMetadata, KafkaClientError>]) -> Void

    init(_ count: Int, _ done: @escaping @Sendable ([Result<RecordMetadata, KafkaClientError>]) -> Void) {
        (self.count, self.done) = (count, done)
        results = Mutex([])
        if count == 0 { done([]) }
    }
    func add(_ result: Result<RecordMetadata, KafkaClientError>) {
        let all = results.withLock { results in
            results.append(result)
            return results.count == count ? results : nil
        }
        if let all { done(all) }
    }
}
