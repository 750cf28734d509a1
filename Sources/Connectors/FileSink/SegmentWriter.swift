import Compression
import ConnectModel
import FileAccess

/// Writes the segments of one partition, one after the other.
///
/// Lines are gathered in memory; a segment is written as a part and becomes visible in one step. Any call may fail and be
/// made again: what was taken stays taken, what was written is not written twice.
final class SegmentWriter {
    private static let startBytes: Int64 = 8 << 20

    let partition: TopicPartition
    private let config: FileSinkConfig
    private let bufferBytesMax: Int
    private var manifest: PartitionManifest
    // The segment that is being written; these lie flat because every record touches them.
    private var first: Int64?
    private var records = 0
    private var due: ContinuousClock.Instant
    private var file: OpenFile?
    private var isRenamed = false
    /// Its last offset, once its completing has begun: no record is added after that, even if completing fails at first.
    private var last: Int64?
    /// Bytes of its lines that have left ``lines``.
    private var bytesBefore = 0
    /// How far its file was written, and up to where the system was told to bring it to the disk.
    private var fileBytes: Int64 = 0, fileBytesStarted: Int64 = 0
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
    /// `names` are the directory's files, listed after the manifest's lock was taken.
    init(
        _ partition: TopicPartition,
        _ config: FileSinkConfig,
        _ locked: PartitionManifest,
        names: [String],
        bufferBytesMax: Int
    ) throws(FileError) {
        (self.partition, self.config, self.bufferBytesMax) = (partition, config, bufferBytesMax)
        due = .now
        manifest = locked
        next = try manifest.next()
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
    }

    /// The first offset that is not in a complete segment, if any record since then was taken.
    var pendingFrom: Int64? { first }

    /// Whether the segment must be completed before another record is taken.
    func isDue(_ now: ContinuousClock.Instant) -> Bool {
        last != nil || records >= config.rotateRecords || bytesBefore + lines.count >= config.rotateBytes
            || (first != nil && now >= due)
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
        if first == nil { (first, due) = (offset, now + config.rotateInterval) }
        encoding.append(value, to: &lines)
        lines.append(UInt8(ascii: "\n"))
        records += 1
        next = offset + 1
    }

    /// Counts a record that gets no line as taken.
    func skip(_ offset: Int64) { next = offset + 1 }

    /// Writes the gathered lines into the part.
    func writeLines() throws {
        guard first != nil else { return }
        if config.compression == .none {
            let count = lines.count
            try write(&lines)
            bytesBefore += count
        } else {
            try write(&packed)
            if lines.isEmpty { return }
            if compressor == nil { compressor = try StreamCompressor(config.compression) }
            try compressor?.write(lines, into: &packed)
            bytesBefore += lines.count
            lines.removeAll(keepingCapacity: true)
            try write(&packed)
        }
    }

    /// Makes the segment durable and visible; nothing happens when no record was taken since the last one.
    func complete() throws {
        guard let first, let end = last ?? next.map({ $0 - 1 }) else { return }
        last = end
        let name = SegmentName(partition, first: first, last: end).fileName(config.compression.fileExtension)
        let path = "\(config.directory)/\(name)"
        if !isRenamed {
            try writeLines()
            try compressor?.finish(into: &packed)
            compressor = nil
            try write(&packed)
            let file = try part()
            try file.sync()
            try FileTree.rename(file.path, to: path)
            isRenamed = true
        }
        try FileTree.sync(directory: config.directory)
        let bytes = try part().facts().size
        try manifest.append(.init(file: name, first: first, last: end, records: records, bytes: bytes))
        (self.first, last, file, records, isRenamed) = (nil, nil, nil, 0, false)
        (bytesBefore, fileBytes, fileBytesStarted) = (0, 0, 0)
        completed += 1
    }

    private func part() throws(FileError) -> OpenFile {
        if let file { return file }
        let name = SegmentName(partition, first: first ?? 0).fileName()
        let made = try OpenFile("\(config.directory)/\(name)", .replace)
        file = made
        return made
    }

    /// Writes and empties `bytes`; after a failure the rest is written by the next call.
    private func write(_ bytes: inout [UInt8]) throws(FileError) {
        guard !bytes.isEmpty else { return }
        let file = try part()
        while written < bytes.count {
            let part = try file.writeSome(bytes[written...])
            written += part
            fileBytes += Int64(part)
        }
        bytes.removeAll(keepingCapacity: true)
        written = 0
        // Spread over the writing, so that completing the segment does not wait for all of it.
        if fileBytes - fileBytesStarted >= Self.startBytes {
            file.startSync(from: fileBytesStarted, count: fileBytes - fileBytesStarted)
            fileBytesStarted = fileBytes
        }
    }
}
