import ConnectModel
import ConnectSDK
import Logs

/// Topics in which connectors keep offsets beside the worker's (`offsets.storage.topic` of a source connector).
protocol OffsetTopics: Sendable {
    /// Writes to a topic, without reading back.
    func log(_ topic: String) -> any TopicLog
    /// Makes the topic unless it exists, and reads it from its beginning to where it ends at the call.
    func read(_ topic: String, _ handler: @Sendable (LogRecord) -> Void) async throws
}

/// The offsets of a connector that names a topic of its own: what is there counts, the worker's topic fills the gaps and
/// gets a copy, so that the key can be taken out of the config again (Kafka Connect 4.3, `ConnectorOffsetBackingStore`).
final class OwnOffsets: TransactionalOffsetStorage {
    private let own: OffsetStore
    private let worker: OffsetStore
    private let topics: any OffsetTopics
    private let log = Logger("sluice.runtime.offsets")
    private let failures = LogLimiter(every: .seconds(30))

    init(_ topic: String, in topics: any OffsetTopics, behind worker: OffsetStore) {
        (own, self.worker, self.topics) = (OffsetStore(topics.log(topic)), worker, topics)
    }

    var topic: String { own.topic }

    func positions(of connector: String) async throws -> [SourcePosition] {
        try await topics.read(own.topic) { [own] in own.take($0) }
        let mine = own.stored(of: connector), known = Set(mine.map(\.partition))
        return mine + (try await worker.positions(of: connector)).filter { !known.contains($0.partition) }
    }
    func store(_ positions: [SourcePosition], of connector: String) async throws {
        // Removed behind first: otherwise what is gone here would come back from there.
        try await worker.put(positions.filter { $0.offset == nil }, of: connector)
        try await own.put(positions, of: connector)
        await copy(positions, of: connector)
    }
    func encoded(_ positions: [SourcePosition], of connector: String) async throws -> RecordBuffer {
        try await worker.put(positions.filter { $0.offset == nil }, of: connector)
        return try await own.encoded(positions, of: connector)
    }
    func committed(_ positions: [SourcePosition], of connector: String) async {
        await own.committed(positions, of: connector)
        await copy(positions, of: connector)
    }

    /// A copy that fails is no reason to stop: the next one brings it up to date.
    private func copy(_ positions: [SourcePosition], of connector: String) async {
        do throws(StoreError) { try await worker.put(positions.filter { $0.offset != nil }, of: connector) } catch {
            failures { held in
                log.warn(
                    "Offsets not copied to the worker's topic",
                    ["connector": "\(connector)", "reason": "\(error)", "suppressed": held]
                )
            }
        }
    }
}
