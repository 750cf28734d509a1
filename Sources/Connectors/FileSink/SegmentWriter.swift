import Compression
import ConnectModel
import FileAccess

/// Writes the segments of one partition, one after the other.
///
/// Lines are gathered in memory; a segment is written as a part and becomes visible in one step. Any call may fail and be
/// made again: what was taken stays taken, what was written is not written twice.
final class SegmentWriter {
    /// The segment that is being written.
    private struct Segment {
        var first: Int64
        var last: Int64
        var records = 0
        var bytes = 0
        let due: ContinuousClock.Instant
        var file: OpenFile?
        var isRenamed = false
    }

    let partition: TopicPartition
    private let config: FileSinkConfig
    private let bufferBytesMax: Int
    private var manifest: PartitionManifest
    private var segment: Segment?
    private var lines: [UInt8] = []
    /// Compressed bytes on their way to the file.
    private var packed: [UInt8] = []
    private var written = 0
    private var compressor: StreamCompressor?
    /// The offset after the last record taken; nil before the first.
    private(set) var next: Int64?
    /// How many segments were completed.
    private(set) var completed = 0

    /// Takes the partition over: lists what a crash kept from being listed, removes what is not complete.
    ///
    /// Nil when another task still writes it. `names` are the directory's files.
    init?(
        _ partition: TopicPartition,
        _ config: FileSinkConfig,
        names: [String],
        bufferBytesMax: Int
    ) throws(FileError) {
        (self.partition, self.config, self.bufferBytesMax) = (partition, config, bufferBytesMax)
        guard var manifest = try PartitionManifest(partition, in: config.directory) else { return nil }
        next = try manifest.newest().map { $0 + 1 }
        for name in names {
            guard let segment = SegmentName(name), segment.partition == partition else { continue }
            let path = "\(config.directory)/\(name)"
            guard let last = segment.last else {
                try FileTree.remove(path)
                continue
            }
            guard last >= next ?? 0, let facts = try FileTree.facts(path) else { continue }
            try manifest.append(.init(file: name, first: segment.first, last: last, records: nil, bytes: facts.size))
            next = last + 1
        }
        self.manifest = manifest
    }

    /// The first offset that is not in a complete segment, if any record since then was taken.
    var pendingFrom: Int64? { segment?.first }

    /// Whether the segment must be completed before another record is taken.
    func isDue(_ now: ContinuousClock.Instant) -> Bool {
        guard let segment else { return false }
        return segment.records >= config.rotateRecords || segment.bytes >= config.rotateBytes || now >= segment.due
    }

    /// Whether the gathered lines should be written.
    var isBufferFull: Bool { lines.count >= bufferBytesMax }

    /// Takes one record; its value is nil for a line with null.
    func append(
        _ offset: Int64,
        _ now: ContinuousClock.Instant,
        _ value: RawSpan?,
        _ encoding: LineEncoding
    ) {
        let start = lines.count
        encoding.append(value, to: &lines)
        lines.append(UInt8(ascii: "\n"))
        if segment == nil { segment = Segment(first: offset, last: offset, due: now + config.rotateInterval) }
        segment?.last = offset
        segment?.records += 1
        segment?.bytes += lines.count - start
        next = offset + 1
    }

    /// Counts a record that gets no line as taken.
    func skip(_ offset: Int64) {
        if segment != nil { segment?.last = offset }
        next = offset + 1
    }

    /// Writes the gathered lines into the part.
    func writeLines() throws {
        guard segment != nil else { return }
        if config.compression == .none {
            try write(&lines)
        } else {
            try write(&packed)
            if lines.isEmpty { return }
            if compressor == nil { compressor = try StreamCompressor(config.compression) }
            try compressor?.write(lines, into: &packed)
            lines.removeAll(keepingCapacity: true)
            try write(&packed)
        }
    }

    /// Makes the segment durable and visible; nothing happens when no record was taken since the last one.
    func complete() throws {
        guard let segment else { return }
        let name = SegmentName(partition, first: segment.first, last: segment.last)
            .fileName(config.compression.fileExtension)
        let path = "\(config.directory)/\(name)"
        if !segment.isRenamed {
            try writeLines()
            try compressor?.finish(into: &packed)
            compressor = nil
            try write(&packed)
            let file = try part()
            try file.sync()
            try FileTree.rename(file.path, to: path)
            self.segment?.isRenamed = true
        }
        try FileTree.sync(directory: config.directory)
        let bytes = try part().facts().size
        try manifest.append(
            .init(file: name, first: segment.first, last: segment.last, records: segment.records, bytes: bytes)
        )
        self.segment = nil
        completed += 1
    }

    private func part() throws(FileError) -> OpenFile {
        if let file = segment?.file { return file }
        let name = SegmentName(partition, first: segment?.first ?? 0).fileName()
        let file = try OpenFile("\(config.directory)/\(name)", .replace)
        segment?.file = file
        return file
    }

    /// Writes and empties `bytes`; after a failure the rest is written by the next call.
    private func write(_ bytes: inout [UInt8]) throws(FileError) {
        guard !bytes.isEmpty else { return }
        let file = try part()
        while written < bytes.count { written += try file.writeSome(bytes[written...]) }
        bytes.removeAll(keepingCapacity: true)
        written = 0
    }
}
