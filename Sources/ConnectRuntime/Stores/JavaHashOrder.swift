/// The order in which a Java `HashMap` gives its keys.
///
/// Kafka Connect writes task configs in that order; the same bytes let a cluster that is handed over see nothing new.
enum JavaHashOrder {
    /// Java's `String.hashCode`, over UTF-16 units.
    static func hash(_ text: String) -> Int32 {
        text.utf16.reduce(0 as Int32) { $0 &* 31 &+ Int32($1) }
    }
    /// The keys of a map with these, copied once more before it is written, as Kafka Connect's herder does.
    static func sorted(_ keys: [String]) -> [String] {
        let capacity = tableSize(Int(Double(keys.count) / 0.75 + 1))
        let places = keys.enumerated().map { place, key in
            let spread = UInt32(bitPattern: hash(key))
            return (bucket: Int((spread ^ (spread >> 16)) & UInt32(capacity - 1)), place: place, key: key)
        }
        return places.sorted { ($0.bucket, $0.place) < ($1.bucket, $1.place) }.map(\.key)
    }
    private static func tableSize(_ wanted: Int) -> Int {
        var size = 1
        while size < wanted { size *= 2 }
        return max(size, 1)
    }
}
