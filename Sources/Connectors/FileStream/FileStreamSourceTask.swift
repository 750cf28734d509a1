import ConnectModel
import ConnectSDK
import FileAccess
import Glibc
import Logs

private let log = Logger("sluice.file.stream.source")

/// Reads blocks, cuts them into lines, and remembers the byte after the last line that it handed over.
///
/// The offset is Connect's, `{"filename": path}` to `{"position": bytes}`, but counted in bytes, so that text which is
/// not ASCII resumes where it stopped.
actor FileStreamSourceTask: SourceTask {
    private static let blockBytes = 1 << 20
    private static let longestLineBytes = 64 << 20
    private static let pauseAtEnd: Duration = .milliseconds(100)

    private let config: FileStreamSourceConfig
    private let context: any SourceTaskContext
    private var input: OpenFile?
    private var block = [UInt8](repeating: 0, count: blockBytes)
    /// What of ``block`` was read from the file and not yet handed over.
    private var unread = 0..<0
    /// Where in the file the first byte of ``unread`` lies.
    private var position: Int64 = 0
    /// Whether standard input has come to its end.
    private var hasEnded = false

    /// `input` stands for the file or standard input in tests.
    init(_ config: FileStreamSourceConfig, _ context: any SourceTaskContext, input: OpenFile? = nil) {
        (self.config, self.context, self.input) = (config, context, input)
    }

    func start() async throws(TaskFailure) {
        guard let partition else {
            input = input ?? .standardInput
            return
        }
        guard let stored = try await context.offset(of: partition)?["position"] else { return }
        guard let bytes = stored.int else {
            throw .fatal(doing: "resuming \(name)", because: "its stored position is not a number; reset the offsets")
        }
        position = bytes
    }

    func poll() async throws(TaskFailure) -> SourcePoll {
        do {
            let input = try openInput()
            var lines: [Range<Int>] = []
            var rest = LineScanner.scan(block, unread, most: config.batchSize, into: &lines)
            var hasMore = true
            while hasMore, lines.count < config.batchSize {
                hasMore = try readMore(input, hasLine: !lines.isEmpty)  // moves what is unread
                lines.removeAll(keepingCapacity: true)
                rest = LineScanner.scan(block, unread, most: config.batchSize, into: &lines)
            }
            return lines.isEmpty ? try atEnd(of: input) : .batch(take(lines, upTo: rest))
        } catch {
            throw TaskFailure(error)
        }
    }

    func stop() async { input = nil }

    private var name: String { config.file ?? "standard input" }
    private var partition: OffsetMap? { config.file.map { ["filename": .string($0)] } }

    private func openInput() throws(FileError) -> OpenFile {
        if let input { return input }
        guard let path = config.file else { return .standardInput }
        let file = try OpenFile(path, .read)
        let facts = try file.facts()
        if facts.isDirectory { throw FileError("reading", path, number: EISDIR) }
        if facts.isRegular {
            if facts.size < position {
                log.warn(
                    "File is shorter than what was read of it, reading it from the start",
                    ["file": "\(path)", "size": "\(facts.size)", "position": "\(position)"]
                )
                position = 0
            }
            try file.seek(to: position)
        }
        unread = 0..<0
        input = file
        return file
    }

    /// Fills the block behind what is unread; false when there is nothing to read or no need to.
    private func readMore(_ input: OpenFile, hasLine: Bool) throws(FileError) -> Bool {
        if unread.count == block.count {
            if hasLine { return false }
            guard block.count < Self.longestLineBytes else {
                throw FileError("reading a line of", name, number: EMSGSIZE)
            }
            block += [UInt8](repeating: 0, count: block.count)
        }
        if unread.lowerBound > 0 {
            block.replaceSubrange(0..<unread.count, with: block[unread])
            unread = 0..<unread.count
        }
        if hasEnded { return false }
        if config.file == nil, !(try input.waitUntilReadable(Self.pauseAtEnd)) { return false }
        guard let got = try input.read(into: &block, unread.upperBound..<block.count) else { return false }
        hasEnded = got == 0 && config.file == nil
        unread = 0..<(unread.upperBound + got)
        return got > 0
    }

    private func take(_ lines: [Range<Int>], upTo rest: Int) -> SourceBatch {
        let taken = unread.lowerBound..<rest
        var buffer = RecordBuffer(reservingBytes: taken.count, records: lines.count)
        let topic = buffer.index(ofTopic: config.topic)
        buffer.append(topic: topic, values: lines, of: block[taken])
        position += Int64(taken.count)
        unread = rest..<unread.upperBound
        return SourceBatch(.raw(buffer, format: .utf8), positions: positions)
    }

    private var positions: [SourcePosition] {
        partition.map { [SourcePosition(partition: $0, offset: ["position": .int(position)])] } ?? []
    }

    /// No complete line is left: the file grows, was replaced, or was emptied.
    ///
    /// An unfinished last line waits.
    private func atEnd(of input: OpenFile) throws(FileError) -> SourcePoll {
        guard let path = config.file else {
            guard hasEnded else { return .idle(.zero) }
            return unread.isEmpty ? .finished : .batch(take([unread], upTo: unread.upperBound))
        }
        let known = try input.facts()
        guard known.isRegular else { return .idle(Self.pauseAtEnd) }
        if let present = try FileTree.facts(path), present.identity != known.identity {
            log.info("File was replaced, reading the new one", ["file": "\(path)", "position": "\(position)"])
            return startOver(keeping: unread)
        }
        if known.size < position + Int64(unread.count) {
            log.warn("File was cut off, reading it from the start", ["file": "\(path)", "position": "\(position)"])
            return startOver(keeping: 0..<0)
        }
        return .idle(Self.pauseAtEnd)
    }

    /// The last line of a file that was replaced has no end, but nothing follows it any more: it is a record.
    private func startOver(keeping lastLine: Range<Int>) -> SourcePoll {
        var last: SourceBatch?
        if !lastLine.isEmpty { last = take([lastLine], upTo: lastLine.upperBound) }
        (input, position, unread) = (nil, 0, 0..<0)
        last?.positions = positions
        return last.map { .batch($0) } ?? .idle(.zero)
    }
}
