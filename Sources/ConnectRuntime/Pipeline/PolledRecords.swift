import ConnectModel
import ConnectSDK

/// Records as the consumer hands them over; they own their bytes.
protocol PolledRecords: RecordMemory {
    var count: Int { get }
    /// Bytes of all keys and values.
    var byteCount: Int { get }
    /// The partitions that ``partitionIndex(at:)`` refers to.
    var partitions: [TopicPartition] { get }
    func partitionIndex(at index: Int) -> Int
    func offset(at index: Int) -> Int64
    /// Milliseconds since 1970, -1 for none, and what they mean.
    func timestamp(at index: Int) -> (milliseconds: Int64, type: ConnectRecord.TimestampType)
}

/// Some records of a larger batch, for a sink that gets the rest of one, or that keeps some of its partitions.
final class SelectedRecords: RecordMemory {
    private let whole: any RecordMemory
    /// Indices into `whole`, rising.
    private let kept: [Int]

    init(_ whole: any RecordMemory, kept: [Int]) { (self.whole, self.kept) = (whole, kept) }

    /// Neighbours are read in one go.
    func forEach(
        in range: Range<Int>,
        _ body: (_ index: Int, _ key: RawSpan?, _ value: RawSpan?) throws -> Void
    ) rethrows {
        var next = range.lowerBound
        while next < range.upperBound {
            let (start, first) = (next, kept[next])
            next += 1
            while next < range.upperBound, kept[next] == first + next - start { next += 1 }
            let shift = start - first
            try whole.forEach(in: first..<(first + next - start)) { index, key, value in
                try body(index + shift, key, value)
            }
        }
    }

    func headers(at index: Int) -> [RecordBuffer.Header] { whole.headers(at: kept[index]) }
}

extension SinkBatch {
    /// The batch with only some of its records; `kept` are indices, rising.
    func selecting(_ kept: [Int]) -> SinkBatch {
        if kept.count == count { return self }
        let content: Content =
            switch self.content {
            case .raw(let memory, let key, let value): .raw(SelectedRecords(memory, kept: kept), key: key, value: value)
            case .records(let records): .records(kept.map { records[$0] })
            }
        return SinkBatch(content, partitions: partitions, origins: kept.map { origins[$0] })
    }

    /// The batch without these records.
    func dropping(_ indices: Set<Int>) -> SinkBatch { selecting((0..<count).filter { !indices.contains($0) }) }
}
