import ConnectModel
import ConnectSDK
import FileAccess
import Logs
import Metrics

private let log = Logger("sluice.file.sink")

/// Writes each partition through a ``SegmentWriter``; where to read on stands in the names of the complete segments.
///
/// Offsets make every call repeatable: a record whose offset was taken is not taken again, so a batch that comes again
/// after an outage goes on where it stopped, and a task that starts again after a crash goes on behind the newest
/// complete segment. What is in a part is read from Kafka again.
actor FileSinkTask: SinkTask {
    private static let bufferBytesMax = 1 << 20
    private static let bufferBytesOfAll = 32 << 20

    private let config: FileSinkConfig
    private let now: @Sendable () -> ContinuousClock.Instant
    private let completed: Counter
    private let repeated: Counter
    private var writers: [TopicPartition: SegmentWriter] = [:]

    init(
        _ config: FileSinkConfig,
        _ context: any SinkTaskContext,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        (self.config, self.now) = (config, now)
        let labels = ["connector", "task"], (connector, task) = (context.id.connector, "\(context.id.task)")
        completed = context.metrics.counter("connect_file_sink_files_total", "Files completed.", labels: labels)(
            connector,
            task
        )
        repeated = context.metrics.counter(
            "connect_file_sink_repeated_records_total",
            "Records that came again and were already written.",
            labels: labels
        )(connector, task)
    }

    func start() async throws(TaskFailure) {
        do { try FileTree.makeDirectory(config.directory) } catch { throw TaskFailure(writing: error) }
    }

    func open(_ partitions: [TopicPartition]) async throws(TaskFailure) -> [TopicPartition: Int64] {
        for partition in partitions { writers[partition] = nil }  // after a failed attempt: gives the locks back
        let count = writers.count + partitions.count
        let bufferBytes = min(Self.bufferBytesMax, max(64 << 10, Self.bufferBytesOfAll / max(1, count)))
        var next: [TopicPartition: Int64] = [:]
        do {
            let locked = try partitions.map { partition in
                guard let manifest = try PartitionManifest(partition, in: config.directory) else {
                    throw Self.isTaken(partition, config.directory)
                }
                return (partition, manifest)
            }
            let names = try FileTree.names(in: config.directory)  // now that nobody else adds to them
            for (partition, manifest) in locked {
                let writer = try SegmentWriter(partition, config, manifest, names: names, bufferBytesMax: bufferBytes)
                writers[partition] = writer
                next[partition] = writer.next
            }
        } catch let failure as TaskFailure { throw failure } catch { throw TaskFailure(writing: error) }
        for (partition, offset) in next {
            log.info("Going on behind the newest complete file", ["partition": "\(partition)", "offset": "\(offset)"])
        }
        return next
    }

    func put(_ batch: SinkBatch) async throws(TaskFailure) {
        let now = now()
        do {
            if batch.isEmpty { return try completeDue(now) }
            let writers = try batch.partitions.map { try writer(of: $0) }
            switch batch.content {
            case .raw(let memory, _, let format):
                let encoding = LineEncoding(config.format, of: format)
                try memory.forEach(in: 0..<batch.count) { index, _, value in
                    let origin = batch.origins[index]
                    try take(value, encoding, origin.offset, writers[origin.partition], now)
                }
            case .records(let records):
                for (line, origin) in zip(try lines(of: records), batch.origins) {
                    let writer = writers[origin.partition]
                    try unsafe take(line?.span.bytes, .asIs, origin.offset, writer, now)
                }
            }
            try completeDue(now)
        } catch let failure as TaskFailure { throw failure } catch { throw TaskFailure(writing: error) }
    }

    func flush() async throws(TaskFailure) {
        do { for writer in writers.values { try complete(writer) } } catch { throw TaskFailure(writing: error) }
    }

    /// What lies in complete segments; the group's committed offsets only serve tools that show the lag.
    func preCommit(
        _ delivered: [TopicPartition: Int64]
    ) async throws(TaskFailure) -> [TopicPartition: Int64] {
        var safe = delivered
        for (partition, writer) in writers { if let first = writer.pendingFrom { safe[partition] = first } }
        return safe
    }

    func close(_ partitions: [TopicPartition]) async {
        for partition in partitions {
            guard let writer = writers.removeValue(forKey: partition) else { continue }
            do { try complete(writer) } catch {
                log.warn(
                    "Last file could not be completed, its records will be read again",
                    ["partition": "\(partition)", "reason": "\(error)"]
                )
            }
        }
    }

    func stop() async { writers.removeAll() }

    private func take(
        _ value: RawSpan?,
        _ encoding: LineEncoding,
        _ offset: Int64,
        _ writer: SegmentWriter,
        _ now: ContinuousClock.Instant
    ) throws {
        guard offset >= writer.next ?? 0 else { return repeated.add() }
        if writer.isDue(now) { try complete(writer) }
        if value == nil, config.onNull == .ignore { return writer.skip(offset) }
        if writer.isBufferFull { try writer.writeLines() }
        writer.append(offset, now, value, encoding)
    }

    /// One line per record, nil for a tombstone; throws before anything is taken when a record has none.
    private func lines(of records: [ConnectRecord]) throws(TaskFailure) -> [[UInt8]?] {
        var lines: [[UInt8]?] = []
        var faults: [RecordFault] = []
        for (index, record) in records.enumerated() {
            do throws(ConnectError) { lines.append(try line(of: record)) } catch {
                faults.append(RecordFault(index: index, kind: error.kind.rawValue, reason: error.message))
            }
        }
        if faults.isEmpty { return lines }
        throw TaskFailure(
            .badRecords(faults, restIsWritten: false),
            doing: "writing \(records.count) records to \(config.directory)",
            because: "\(faults.count) of them have no JSON form"
        )
    }

    private func line(of record: ConnectRecord) throws(ConnectError) -> [UInt8]? {
        if record.value.value.isNull { return nil }
        if config.format == .text { return Array(record.value.value.javaText.utf8) }
        var line: [UInt8] = []
        try JSONWriter(decimals: .numeric, lenient: true).append(
            record.value.value,
            schema: record.value.schema,
            to: &line
        )
        return line
    }

    private func complete(_ writer: SegmentWriter) throws {
        let before = writer.completed
        try writer.complete()
        completed.add(writer.completed - before)
    }

    private func completeDue(_ now: ContinuousClock.Instant) throws {
        for writer in writers.values where writer.isDue(now) { try complete(writer) }
    }

    private func writer(of partition: TopicPartition) throws(TaskFailure) -> SegmentWriter {
        if let writer = writers[partition] { return writer }
        throw .fatal(doing: "writing \(partition)", because: "the task does not own this partition")
    }

    private static func isTaken(_ partition: TopicPartition, _ directory: String) -> TaskFailure {
        .retry(
            doing: "taking over \(partition) in \(directory)",
            because: "another task still writes it; it is taken over once that task has ended"
        )
    }
}
