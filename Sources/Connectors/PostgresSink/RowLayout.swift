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
    /// The record's field names in order, in one piece, and where each ends.
    let names: [UInt8]
    let nameEnds: [Int]
    /// One per column of the shape.
    let sources: [Int]
    /// How each column's fast path goes; see ``FastRow``.
    let fast: [FastRow.Class]
    /// The row's shape.
    let shape: Int
    /// Fields without a column.
    let unknown: [Int]

    init(names: [String], sources: [Int], fast: [FastRow.Class], shape: Int, unknown: [Int]) {
        self.names = names.flatMap(\.utf8)
        var end = 0
        nameEnds = names.map { name in
            end += name.utf8.count
            return end
        }
        (self.sources, self.fast, self.shape, self.unknown) = (sources, fast, shape, unknown)
    }

    /// Whether a record has these fields in this order.
    @inline(__always)
    func matches(_ fields: JSONFieldTable) -> Bool { fields.haveNames(names, ends: nameEnds) }
}

/// Layouts seen so far; the last one is tried first, as records of a topic mostly look alike.
struct LayoutCache {
    private(set) var last: RowLayout?
    private var byNames: [[String]: RowLayout] = [:]
    /// Optional fields in all combinations must not eat the memory.
    private static let most = 4_096

    /// The layout of a record that does not look like the last one.
    mutating func layout(_ names: [String], make: () -> RowLayout) -> RowLayout {
        if let known = byNames[names] {
            last = known
            return known
        }
        let made = make()
        if byNames.count >= Self.most { byNames = [:] }
        byNames[names] = made
        last = made
        return made
    }
}

/// The rows of one shape, with the record that each came from.
final class RowGroup {
    var bytes: [UInt8] = []
    /// For each row its index in the batch; kept where a refused row is told by its line.
    var records: [Int32] = []

    func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
    }
}

/// The 64-bit FNV-1a hash: short keys, no attacker to fear, as equal hashes are always compared in full.
struct FNV {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    @inline(__always)
    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    mutating func add(_ bytes: [UInt8], _ range: Range<Int>) { for index in range { add(bytes[index]) } }
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
