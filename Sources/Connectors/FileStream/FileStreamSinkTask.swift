import ConnectModel
import ConnectSDK
import FileAccess

/// Gathers lines in memory and appends them in large pieces; ``flush()`` brings them to the disk before offsets are
/// committed. After a crash, records since the last commit are appended again: at least once.
actor FileStreamSinkTask: SinkTask {
    private static let bufferBytesMax = 1 << 20

    private let config: FileStreamSinkConfig
    private var output: OpenFile?
    private var pending: [UInt8] = []

    init(_ config: FileStreamSinkConfig) { self.config = config }

    func start() async throws(TaskFailure) {
        do { _ = try openOutput() } catch { throw TaskFailure(error) }
    }

    /// Writes what earlier calls left first: a failure then leaves this batch untouched, to be put again.
    func put(_ batch: SinkBatch) async throws(TaskFailure) {
        if batch.isEmpty || pending.count >= Self.bufferBytesMax { try writePending() }
        switch batch.content {
        case .raw(let memory, _, _):
            memory.forEach(in: 0..<batch.count) { _, _, value in
                if let value { pending.append(value) } else { pending.append(contentsOf: "null".utf8) }
                pending.append(UInt8(ascii: "\n"))
            }
        case .records(let records):
            for record in records {
                pending.append(contentsOf: record.value.value.javaText.utf8)
                pending.append(UInt8(ascii: "\n"))
            }
        }
    }

    func flush() async throws(TaskFailure) {
        try writePending()
        do { try openOutput().sync() } catch { throw TaskFailure(error) }
    }

    func stop() async { output = nil }

    private func openOutput() throws(FileError) -> OpenFile {
        if let output { return output }
        let file = try config.file.map { path throws(FileError) in try OpenFile(path, .append) } ?? .standardOutput
        output = file
        return file
    }

    private func writePending() throws(TaskFailure) {
        var written = 0
        defer { pending.removeSubrange(0..<written) }
        do {
            let output = try openOutput()
            while written < pending.count { written += try output.writeSome(pending[written...]) }
        } catch {
            throw TaskFailure(error)
        }
    }
}
