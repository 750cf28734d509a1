import JSONReading

/// Which columns a row has; rows of one shape go through one COPY.
struct RowShape {
    /// Places in the plan's columns, the key's first.
    let columns: [Int]
    let copy: String
    /// What brings staged rows into the table; nil when COPY has done it.
    let merge: String?
    /// Whether the rows are keys to delete.
    var isDelete = false
}

/// Where the columns of a row come from, for records with the same fields in the same order.
final class RowLayout {
    /// Where a column's value comes from: a field of the value from 0 up, or one of these.
    enum Source {
        static let null = -1, topic = -2, partition = -3, offset = -4
        /// This minus n is the n-th key field of a record key, or the key itself when it is no object.
        static let keyField = -10
    }
    /// The record's field names in order.
    let names: [[UInt8]]
    /// One per column of the shape.
    let sources: [Int]
    /// The row's shape.
    let shape: Int
    /// Fields without a column.
    let unknown: [Int]

    init(names: [[UInt8]], sources: [Int], shape: Int, unknown: [Int]) {
        (self.names, self.sources, self.shape, self.unknown) = (names, sources, shape, unknown)
    }

    /// Whether a record has these fields in this order.
    func matches(_ record: JSONObjectReader) -> Bool {
        guard record.count == names.count else { return false }
        for index in 0..<names.count where !record.isKey(index, names[index]) { return false }
        return true
    }
}

/// Layouts seen so far; the last one is tried first, as records of a topic mostly look alike.
struct LayoutCache {
    private var last: RowLayout?
    private var byHash: [UInt64: [RowLayout]] = [:]
    private var count = 0
    /// Optional fields in all combinations must not eat the memory.
    private static let most = 4_096

    mutating func layout(_ record: JSONObjectReader, make: () -> RowLayout) -> RowLayout {
        if let last, last.matches(record) { return last }
        var hash = FNV()
        for index in 0..<record.count {
            record.withKey(index) { hash.add($0) }
            hash.add(0xff)
        }
        if let known = byHash[hash.value]?.first(where: { $0.matches(record) }) {
            last = known
            return known
        }
        let made = make()
        if count >= Self.most { (byHash, count) = ([:], 0) }
        byHash[hash.value, default: []].append(made)
        count += 1
        last = made
        return made
    }
}

/// The 64-bit FNV-1a hash: short keys, no attacker to fear, as equal hashes are always compared in full.
struct FNV {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    @inline(__always)
    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    mutating func add(_ bytes: RawSpan) {
        for index in 0..<bytes.byteCount { add(bytes.unsafeLoadByte(index)) }
    }
    mutating func add(_ bytes: ArraySlice<UInt8>) { for byte in bytes { add(byte) } }
}

/// One encoded row of a keyed table.
struct KeyedRow {
    let shape: Int
    let range: Range<Int>
    /// Where the key's fields end.
    let keyEnd: Int
    let hash: UInt64
    /// False once a later record of the same key has taken its place.
    var isAlive = true
}

/// Finds the last row of a key in a batch: open addressing over row numbers.
struct KeyTable {
    private var slots: [Int32] = Array(repeating: -1, count: 1 << 10)
    private var used = 0

    mutating func removeAll() {
        guard used > 0 else { return }
        used = 0
        for index in slots.indices { slots[index] = -1 }
    }

    /// Puts `row` in the place of its key and gives the row that was there.
    mutating func replace(_ row: Int, _ rows: [KeyedRow], isSameKey: (Int) -> Bool) -> Int? {
        if used * 2 >= slots.count { grow(rows) }
        let hash = rows[row].hash
        var slot = Int(truncatingIfNeeded: mixed(hash)) & (slots.count - 1)
        while slots[slot] >= 0 {
            let other = Int(slots[slot])
            if rows[other].hash == hash, isSameKey(other) {
                slots[slot] = Int32(row)
                return other
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(row)
        used += 1
        return nil
    }

    private mutating func grow(_ rows: [KeyedRow]) {
        let old = slots
        slots = Array(repeating: -1, count: old.count * 2)
        for row in old where row >= 0 {
            var slot = Int(truncatingIfNeeded: mixed(rows[Int(row)].hash)) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = row
        }
    }
    private func mixed(_ hash: UInt64) -> UInt64 { hash ^ hash >> 32 }
}
