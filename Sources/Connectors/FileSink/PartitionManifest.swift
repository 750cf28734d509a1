import ConnectModel
import FileAccess

/// The list of a partition's complete segments, `topic-partition.manifest`, one JSON line each; its lock says who writes
/// the partition.
///
/// The lock goes with the process, so whoever gets it knows that no other task on this machine still writes.
struct PartitionManifest {
    /// A line of the list.
    struct Line: Hashable {
        var file: String
        var first: Int64
        var last: Int64
        /// Unknown when the process ended between renaming the file and listing it.
        var records: Int?
        /// The file's size.
        var bytes: Int64

        var json: [UInt8] {
            let counted = records.map { #","records":\#($0)"# } ?? ""  // file names need no escapes
            return Array("\(start)\(file)\",\"first\":\(first),\"last\":\(last)\(counted),\"bytes\":\(bytes)}\n".utf8)
        }
    }

    private let path: String
    private let lockFile: OpenFile
    /// Whether an append failed half-way, so that the next line must start on a new one.
    private var isTorn = false

    /// Takes the partition; nil when another task has it.
    init?(_ partition: TopicPartition, in directory: String) throws(FileError) {
        path = "\(directory)/\(partition).manifest"
        lockFile = try OpenFile(path, .lock)
        guard try lockFile.lock() else { return nil }
        let size = try lockFile.facts().size
        if size > 0, try tail(1) != [UInt8(ascii: "\n")] { isTorn = true }
    }

    /// The offset behind the newest segment that the list knows, or that somebody moved it to; nil for none.
    func next() throws(FileError) -> Int64? {
        for line in try tail(64 << 10).split(separator: UInt8(ascii: "\n")).reversed() {
            if let last = Self.last(line) { return last + 1 }
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix(Self.moved), text.hasSuffix("}") {
                return Int64(text.dropFirst(Self.moved.count).dropLast())
            }
        }
        return nil
    }

    /// Adds a complete segment and brings the list to the disk.
    mutating func append(_ line: Line) throws(FileError) { try append(line.json) }

    /// Notes that the partition goes on elsewhere: at an offset, or with nil as if it had never been written.
    mutating func append(movedTo next: Int64?) throws(FileError) {
        try append(Array("\(Self.moved)\(next.map { "\($0)" } ?? "null")}\n".utf8))
    }

    private mutating func append(_ line: [UInt8]) throws(FileError) {
        let file = try OpenFile(path, .append)
        let text = (isTorn ? [UInt8(ascii: "\n")] : []) + line
        isTorn = true
        try file.write(text[...])
        try file.sync()
        isTorn = false
    }

    private func tail(_ most: Int) throws(FileError) -> [UInt8] {
        let file = try OpenFile(path, .read)
        let size = Int(try file.facts().size)
        try file.seek(to: Int64(max(0, size - most)))
        var bytes = [UInt8](repeating: 0, count: min(size, most))
        var count = 0
        while count < bytes.count, let got = try file.read(into: &bytes, count..<bytes.count), got > 0 { count += got }
        return Array(bytes[..<count])
    }

    /// The last offset of a whole line of ours; a torn line has none.
    private static func last(_ line: ArraySlice<UInt8>) -> Int64? {
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix(start), text.hasSuffix("}") else { return nil }
        return SegmentName(String(text.dropFirst(start.count).prefix { $0 != "\"" }))?.last
    }
    private static let start = #"{"file":""#
    private static let moved = #"{"next":"#
}
