import ConnectModel

/// What a file of this sink is called: `topic-partition-<first>.part` while it is written and
/// `topic-partition-<first>-<last>.jsonl`, with `.gz` or `.zst` behind it, once it is complete.
///
/// Offsets have 20 digits, as in Kafka's own segment files, so that names sort by offset.
struct SegmentName: Hashable {
    static let extensions = [".jsonl", ".jsonl.gz", ".jsonl.zst"]

    let partition: TopicPartition
    let first: Int64
    /// Nil for a part.
    let last: Int64?

    init(_ partition: TopicPartition, first: Int64, last: Int64? = nil) {
        (self.partition, self.first, self.last) = (partition, first, last)
    }

    /// Reads a name; nil for a file of someone else.
    init?(_ name: String) {
        let isPart = name.hasSuffix(".part")
        guard let ending = isPart ? ".part" : Self.extensions.first(where: name.hasSuffix) else { return nil }
        var words = name.dropLast(ending.count).split(separator: "-", omittingEmptySubsequences: false)
        func offset() -> Int64? {
            guard let word = words.popLast(), word.utf8.count == 20 else { return nil }
            return Int64(word)
        }
        let last = isPart ? nil : offset()
        guard isPart || last != nil, let first = offset(), let number = words.popLast().flatMap({ Int32($0) }),
            first >= 0, number >= 0, !words.isEmpty
        else { return nil }
        self.init(TopicPartition(words.joined(separator: "-"), number), first: first, last: last)
    }

    /// The file's name; `compressed` is what compression adds.
    func fileName(_ compressed: String = "") -> String {
        guard let last else { return "\(partition)-\(Self.padded(first)).part" }
        return "\(partition)-\(Self.padded(first))-\(Self.padded(last)).jsonl\(compressed)"
    }

    private static func padded(_ offset: Int64) -> String {
        let digits = String(offset)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }
}
