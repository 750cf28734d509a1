public import ConnectSDK
import Logs
import Synchronization

/// Source offsets in `offset.storage.topic`, exactly as Kafka Connect keeps them: key `["name",{partition}]`, value `{offset}`.
///
/// A Java map and ours may write the keys of one partition in different orders; what was read is found by value and written
/// again under the bytes it had, so that compaction still sees one key.
public final class OffsetStore: Sendable {
    private struct Entry {
        var key: [UInt8]
        var partition: OffsetMap
        var offset: OffsetMap?
        /// The topic's offset of the record this came from; a write of ours that has not been read yet has none.
        var recordOffset: Int64
    }
    private struct Place: Hashable {
        var connector: String
        var partition: OffsetMap
    }
    private struct State {
        var entries: [Place: Entry] = [:]
        var order: [String: [Place]] = [:]
        var pending: [Place: Int] = [:]
    }
    private let state = Mutex(State())
    private let log: any TopicLog
    private let logger = Logger("sluice.runtime.offsets")

    init(_ log: any TopicLog) { self.log = log }

    /// Takes one record of the topic; called by the topic's reader.
    func take(_ record: LogRecord) {
        guard let key = record.key, let (connector, partition) = Self.parse(key) else {
            logger.debug("Skipped an offset record with an unknown key", ["offset": "\(record.offset)"])
            return
        }
        var offset: OffsetMap?
        if let bytes = record.value {
            guard let value = try? JSONParser.parse(bytes) else {
                logger.warn("Skipped an offset record that is not JSON", ["connector": "\(connector)"])
                return
            }
            offset = value.offsetMap
        }
        let place = Place(connector: connector, partition: partition)
        state.withLock { state in
            guard state.pending[place] == nil else { return }
            Self.set(&state, place, key: key, offset, record.offset)
        }
    }

    /// What is stored for a connector, in the order in which its partitions were first seen.
    public func stored(of connector: String) -> [SourcePosition] {
        state.withLock { state in
            (state.order[connector] ?? []).compactMap { place in
                guard let entry = state.entries[place], let offset = entry.offset else { return nil }
                return SourcePosition(partition: entry.partition, offset: offset)
            }
        }
    }
    /// The key under which a position of `connector` is stored, for a transactional producer of the task's own.
    func key(of partition: OffsetMap, connector: String) -> [UInt8] {
        let known = state.withLock { $0.entries[Place(connector: connector, partition: partition)]?.key }
        return known ?? JSON.array([.string(connector), JSON(partition)]).bytes
    }

    /// Writes positions; a nil offset removes one.
    ///
    /// Returns when all in-sync replicas have them.
    public func put(_ positions: [SourcePosition], of connector: String) async throws(StoreError) {
        guard !positions.isEmpty else { return }
        let places = positions.map { Place(connector: connector, partition: $0.partition) }
        let writes = positions.map { position in
            LogWrite(key: key(of: position.partition, connector: connector), value: position.offset.map { JSON($0) })
        }
        state.withLock { state in
            for place in places { state.pending[place, default: 0] += 1 }
        }
        defer {
            state.withLock { state in
                for place in places {
                    let left = (state.pending[place] ?? 1) - 1
                    state.pending[place] = left > 0 ? left : nil
                }
            }
        }
        try await log.write(writes, readBack: false)
        note(positions, of: connector)
    }
    /// Takes over what has been written another way: by a transaction of the task's.
    func note(_ positions: [SourcePosition], of connector: String) {
        for position in positions {
            let place = Place(connector: connector, partition: position.partition)
            let key = key(of: position.partition, connector: connector)
            state.withLock { Self.set(&$0, place, key: key, position.offset, -1) }
        }
    }
    /// The topic's name.
    public var topic: String { log.topic }
    /// Returns when everything that other workers wrote before the call is seen.
    func readToEnd() async throws(StoreError) { try await log.readToEnd() }

    private static func set(_ state: inout State, _ place: Place, key: [UInt8], _ offset: OffsetMap?, _ at: Int64) {
        if state.entries[place] == nil { state.order[place.connector, default: []].append(place) }
        state.entries[place] = Entry(key: key, partition: place.partition, offset: offset, recordOffset: at)
    }
    private static func parse(_ key: [UInt8]) -> (String, OffsetMap)? {
        guard case .array(let parts)? = try? JSONParser.parse(key), parts.count == 2,
            let name = parts[0].string, let partition = parts[1].offsetMap
        else { return nil }
        return (name, partition)
    }
}
