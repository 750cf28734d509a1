/// Serialized records side by side in one piece of memory: what a source hands to the producer.
///
/// Appending copies the bytes once; no record has storage of its own. A buffer is filled by one task and then only read.
public struct RecordBuffer: Sendable {
    /// Where one record lies in ``bytes``.
    public struct Entry: Sendable, Hashable {
        /// Index into ``RecordBuffer/topics``.
        public var topic: Int
        /// The partition to write to; -1 leaves the choice to the partitioner (murmur2 of the key).
        public var partition: Int32
        /// Milliseconds since 1970; -1 lets the client set the time of sending.
        public var timestamp: Int64
        /// Where the key lies; nil for a record without key.
        public var key: Range<Int>?
        /// Where the value lies; nil for a tombstone.
        public var value: Range<Int>?
        /// Index range into ``RecordBuffer/headers``.
        public var headers: Range<Int>
    }
    /// One header of one record.
    public struct Header: Sendable, Hashable {
        /// The header's name.
        public var name: String
        /// The serialized value; nil is a null value.
        public var value: [UInt8]?

        /// Makes a header.
        public init(name: String, value: [UInt8]?) { (self.name, self.value) = (name, value) }
    }

    /// Names of the topics that the entries refer to.
    public private(set) var topics: [String] = []
    /// Keys and values of all records.
    public private(set) var bytes: [UInt8] = []
    /// The records in the order of appending.
    public private(set) var entries: [Entry] = []
    /// Headers of all records, in order.
    public private(set) var headers: [Header] = []
    private var topicIndex: [String: Int] = [:]

    /// An empty buffer; reserving saves growing.
    public init(reservingBytes bytes: Int = 0, records: Int = 0) {
        self.bytes.reserveCapacity(bytes)
        entries.reserveCapacity(records)
    }

    /// How many records are in it.
    public var count: Int { entries.count }
    /// Whether there is no record.
    public var isEmpty: Bool { entries.isEmpty }

    /// The index of a topic for ``append(topic:partition:timestamp:key:value:headers:)``; adds the name when it is new.
    public mutating func index(ofTopic name: String) -> Int {
        if let known = topicIndex[name] { return known }
        topics.append(name)
        topicIndex[name] = topics.count - 1
        return topics.count - 1
    }

    /// Appends one record, copying key and value.
    public mutating func append(
        topic: Int,
        partition: Int32 = -1,
        timestamp: Int64 = -1,
        key: (some Collection<UInt8>)?,
        value: (some Collection<UInt8>)?,
        headers: [Header] = []
    ) {
        let keyRange = key.map { append($0) }
        let valueRange = value.map { append($0) }
        let firstHeader = self.headers.count
        self.headers += headers
        entries.append(
            Entry(
                topic: topic,
                partition: partition,
                timestamp: timestamp,
                key: keyRange,
                value: valueRange,
                headers: firstHeader..<self.headers.count
            )
        )
    }

    /// Appends one record without key, whose value `write` appends to the buffer's bytes.
    public mutating func append(
        topic: Int,
        timestamp: Int64 = -1,
        key: [UInt8]? = nil,
        headers: [Header] = [],
        writingValue write: (inout [UInt8]) -> Void
    ) {
        let keyRange = key.map { append($0) }
        let start = bytes.count
        write(&bytes)
        let firstHeader = self.headers.count
        self.headers += headers
        entries.append(
            Entry(
                topic: topic,
                partition: -1,
                timestamp: timestamp,
                key: keyRange,
                value: start..<bytes.count,
                headers: firstHeader..<self.headers.count
            )
        )
    }

    /// Appends many values that lie in `source` as they are, for sources that hand on what they read.
    ///
    /// `values` are ranges within `source`; all records go to `topic`, without key.
    public mutating func append(topic: Int, values: [Range<Int>], of source: [UInt8]) {
        append(topic: topic, values: values, of: source[...])
    }

    /// The same for a part of a larger block; `values` count from the block's start.
    public mutating func append(topic: Int, values: [Range<Int>], of source: ArraySlice<UInt8>) {
        let base = bytes.count - source.startIndex
        bytes += source
        entries.reserveCapacity(entries.count + values.count)
        let none = headers.count..<headers.count
        for range in values {
            let moved = (range.lowerBound + base)..<(range.upperBound + base)
            entries.append(
                Entry(topic: topic, partition: -1, timestamp: -1, key: nil, value: moved, headers: none)
            )
        }
    }

    /// Forgets all records but keeps the memory and the topics.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
    }

    private mutating func append(_ part: some Collection<UInt8>) -> Range<Int> {
        let start = bytes.count
        bytes.append(contentsOf: part)
        return start..<bytes.count
    }
}
