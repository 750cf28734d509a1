/// One record of a compacted topic.
struct LogRecord: Sendable {
    var partition: Int32
    var offset: Int64
    var key: [UInt8]?
    /// Nil is a tombstone.
    var value: [UInt8]?
}

/// A key and its new value; nil removes the key.
struct LogWrite: Sendable {
    var key: [UInt8]
    var value: [UInt8]?

    init(_ key: String, _ value: JSON?) { (self.key, self.value) = (Array(key.utf8), value?.bytes) }
    init(key: [UInt8], value: JSON?) { (self.key, self.value) = (key, value?.bytes) }
}

/// A compacted topic as its store sees it: write, and know what has been read.
///
/// Records reach the store through the handler that it registered, in the order of each partition, one at a time.
protocol TopicLog: Sendable {
    /// The topic's name, for error texts.
    var topic: String { get }
    /// Writes in order and returns when all in-sync replicas have them; `readBack` also waits for the handler to see them.
    func write(_ records: [LogWrite], readBack: Bool) async throws(StoreError)
    /// The same with reading back, and all or nothing where the group has exactly-once sources.
    func writeAtomically(_ records: [LogWrite]) async throws(StoreError)
    /// Returns when everything that was in the topic at the call has reached the handler.
    func readToEnd() async throws(StoreError)
}

extension TopicLog {
    /// A log without transactions.
    func writeAtomically(_ records: [LogWrite]) async throws(StoreError) { try await write(records, readBack: true) }
}

/// An internal topic could not be read or written.
public struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Whether it only took too long.
    public let isTimeout: Bool
    /// What was done to which topic, why it failed, what helps.
    public let description: String

    /// Makes an error.
    public init(_ description: String, isTimeout: Bool = false) {
        (self.description, self.isTimeout) = (description, isTimeout)
    }
}
