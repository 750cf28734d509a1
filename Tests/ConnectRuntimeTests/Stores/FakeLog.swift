import Synchronization

@testable import ConnectRuntime

/// A compacted topic in memory: what is written is read back at once, in order.
final class FakeLog: TopicLog {
    struct Entry: Sendable, Equatable {
        var key: String
        var value: String?
    }
    private struct State {
        var entries: [Entry] = []
        var handler: (@Sendable (LogRecord) -> Void)?
        var failures: [StoreError] = []
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())
    let topic: String

    init(_ topic: String) { self.topic = topic }

    func onRecord(_ handler: @escaping @Sendable (LogRecord) -> Void) { state.withLock { $0.handler = handler } }
    var entries: [Entry] { state.withLock { $0.entries } }
    func fail(_ errors: StoreError...) { state.withLock { $0.failures += errors } }

    func write(_ records: [LogWrite], readBack: Bool) async throws(StoreError) {
        if let error = state.withLock({ $0.failures.isEmpty ? nil : $0.failures.removeFirst() }) { throw error }
        for record in records { append(record.key, record.value) }
    }
    func append(_ key: [UInt8], _ value: [UInt8]?) {
        let (handler, offset, woken) = state.withLock { state in
            state.entries.append(
                Entry(
                    key: String(decoding: key, as: UTF8.self),
                    value: value.map { String(decoding: $0, as: UTF8.self) }
                )
            )
            let count = state.entries.count
            let woken = state.waiters.filter { $0.count <= count }.map(\.continuation)
            state.waiters.removeAll { $0.count <= count }
            return (state.handler, count - 1, woken)
        }
        handler?(LogRecord(partition: 0, offset: Int64(offset), key: key, value: value))
        for continuation in woken { continuation.resume() }
    }
    func append(_ key: String, _ value: String?) { append(Array(key.utf8), value.map { Array($0.utf8) }) }
    func readToEnd() async throws(StoreError) {}
    /// Returns when so many records have been written.
    func wait(for count: Int) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let passes = state.withLock { state in
                if state.entries.count >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if passes { continuation.resume() }
        }
    }
    /// What compaction leaves: the last value of each key, without removed ones.
    var compacted: [String: String] {
        entries.reduce(into: [:]) { found, entry in found[entry.key] = entry.value }
    }
}
