import ConnectConfig
import ConnectModel
import ConnectSDK
import FileAccess
import Glibc
import Lifecycle
import Logs
import Metrics

private let log = Logger("sluice.supermarket.source")

/// Watches a directory and hands over the rows of the price files in it, one file after the other.
actor SupermarketSourceTask: SourceTask {
    private struct Identity: Hashable {
        var path: String
        var size: Int
        var modified: Int64

        init(_ file: FoundFile) { (path, size, modified) = (file.relativePath, file.size, file.modified) }
    }
    private enum Fate { case sent, done, failed, postponed(until: ContinuousClock.Instant) }

    private let config: SupermarketSourceConfig
    private let context: any SourceTaskContext
    private let cleanup: FileCleanup
    private let counters: ImportCounters
    private let clock = ContinuousClock()
    private var finder: FileFinder
    private var watch: DirectoryWatch?
    /// What became of the files that are still listed.
    private var fates: [Identity: Fate] = [:]
    private var stored: [OffsetMap: OffsetMap] = [:]
    private var waiting: [FoundFile] = []
    private var current: FileImport?
    private var nextScan: ContinuousClock.Instant?

    init(config: SupermarketSourceConfig, context: any SourceTaskContext) {
        (self.config, self.context) = (config, context)
        cleanup = FileCleanup(config)
        finder = FileFinder(config)
        counters = ImportCounters(context)
    }

    func start() async throws(TaskFailure) {
        do { try cleanup.prepare() } catch {
            throw .config("finished.directory", doing: "making the directories for read files", because: "\(error)")
        }
        for position in try await context.offsets() {
            if let offset = position.offset { stored[position.partition] = offset }
        }
        let context = context
        watch = DirectoryWatch { context.wake() }
        guard scan() != nil else { throw unreadableDirectory() }
    }

    func poll() async throws(TaskFailure) -> SourcePoll {
        if let current { return try await step(current) }
        if waiting.isEmpty || watch?.takeChange() == true || isScanDue {
            guard let wait = scan() else { throw unreadableDirectory() }
            if waiting.isEmpty {
                // A file that waits for its time or for another try counts as something to come.
                guard let wait else { return config.runOnce ? .finished : .idle(config.rescan) }
                return .idle(min(max(wait, .milliseconds(10)), config.rescan))
            }
        }
        let file = waiting.removeFirst()
        let next = FileImport(file, config, firstRow: Int(stored[file.partition]?["row"]?.int ?? 0))
        current = next
        if file.size == 0 {
            log.info("File is empty, nothing to import", ["file": "\(file.relativePath)"])
            return .batch(finished(file, rows: 0, SourceBatch(.raw(RecordBuffer(), format: .json), positions: [])))
        }
        return try await step(next)
    }

    func committed(_ offsets: [SourcePosition]) async throws(TaskFailure) {
        for position in offsets where position.offset?["done"]?.boolean == true {
            guard let file = sent.removeValue(forKey: position.partition) else { continue }
            fates[Identity(file)] = .done
            stored[position.partition] = position.offset
            tidy(file)
        }
    }

    func stop() async {
        watch = nil
        current = nil
    }

    /// Files whose last batch is out and whose offset is not committed yet.
    private var sent: [OffsetMap: FoundFile] = [:]

    private var isScanDue: Bool { nextScan.map { clock.now >= $0 } ?? true }

    private func unreadableDirectory() -> TaskFailure {
        .retry(
            after: config.rescan,
            doing: "listing directory \(config.directory)",
            because: "it does not exist or cannot be read. Make it, or change the key directory"
        )
    }

    /// One slice of work on a file: reads on, or hands over a batch.
    private func step(_ file: FileImport) async throws(TaskFailure) -> SourcePoll {
        do throws(ImportFailure) {
            guard try file.read(bytes: Self.sliceBytes) else { return .idle(.zero) }
            guard file.type.map(config.types.contains) ?? true else {
                log.info("File holds a kind that is not imported", ["file": "\(file.file.relativePath)"])
                return .batch(
                    finished(file.file, rows: 0, SourceBatch(.raw(RecordBuffer(), format: .json), positions: []))
                )
            }
            let (batch, isLast) = try file.nextBatch(now: Self.milliseconds())
            guard isLast else { return .batch(batch) }
            report(file)
            return .batch(finished(file.file, rows: file.rowCount, batch))
        } catch {
            current = nil
            try refuse(file.file, error)
            return .idle(.zero)
        }
    }

    /// Notes that the last batch of a file goes out now.
    private func finished(_ file: FoundFile, rows: Int, _ batch: SourceBatch) -> SourceBatch {
        current = nil
        fates[Identity(file)] = .sent
        let position = batch.positions.last ?? file.position(row: rows, done: true)
        sent[position.partition] = file
        (rows == 0 ? counters.empty : counters.imported).add()
        return SourceBatch(batch.content, positions: [position])
    }

    private func refuse(_ file: FoundFile, _ failure: ImportFailure) throws(TaskFailure) {
        if failure.kind == .spool {
            waiting.insert(file, at: 0)
            throw .retry(
                doing: "keeping the rows of \(file.relativePath) in \(config.spoolDirectory)",
                because: failure.reason
            )
        }
        if failure.isPassing {
            fates[Identity(file)] = .postponed(until: clock.now + config.stable)
            log.info(
                "File cannot be read now, will try again",
                ["file": "\(file.relativePath)", "reason": "\(failure)"]
            )
            return
        }
        fates[Identity(file)] = .failed
        counters.failed(failure.kind)
        do {
            let moved = try cleanup.reject(file, failure)
            log.error(
                "File is broken, none of its rows is imported",
                ["file": "\(file.relativePath)", "reason": "\(failure)", "moved": "\(moved ?? "no")"]
            )
        } catch {
            log.error(
                "File is broken and cannot be moved away",
                ["file": "\(file.relativePath)", "reason": "\(failure)", "move": "\(error)"]
            )
        }
    }

    /// Says what was odd about a file that was read all the same.
    private func report(_ file: FileImport) {
        let name = file.file.relativePath
        for wrong in file.oddities.wrongCounts {
            counters.warning(.wrongCount)
            log.warn(
                "List announces another number of rows than it has",
                ["file": "\(name)", "announced": .int(wrong.announced), "found": .int(wrong.found)]
            )
        }
        if file.oddities.emptyRows > 0 {
            counters.warning(.emptyRows)
            log.warn("Rows without fields are left out", ["file": "\(name)", "rows": .int(file.oddities.emptyRows)])
        }
        if file.strayTexts > 0 {
            counters.warning(.strayText)
            log.warn("Text between elements is left out", ["file": "\(name)", "texts": .int(file.strayTexts)])
        }
        if file.typeIsFromDocument {
            counters.warning(.otherType)
            log.warn("File name tells another kind than the document", ["file": "\(name)"])
        }
        log.info("File is read", ["file": "\(name)", "rows": .int(file.rowCount)])
    }

    /// Lists the directory; the time until something waits for, nil inside when nothing does, nil when it cannot be read.
    private func scan() -> Duration?? {
        guard let listing = finder.scan(now: Self.milliseconds(), clock: clock.now) else { return .none }
        watch?.add(listing.folders)
        nextScan = clock.now + config.rescan
        let listed = Set(listing.ready.map { Identity($0) })
        fates = fates.filter { entry in
            if case .sent = entry.value { return true }
            return listed.contains(entry.key)
        }
        var wait = listing.wait
        waiting = listing.ready.filter { file in
            switch fates[Identity(file)] {
            case .sent, .done, .failed: return false
            case .postponed(let until):
                if until <= clock.now { return true }
                wait = min(wait ?? until - clock.now, until - clock.now)
                return false
            case nil: return !isDoneBefore(file)
            }
        }
        return .some(wait)
    }

    /// Whether an earlier run committed this file to its end; then only the tidying may be missing.
    private func isDoneBefore(_ file: FoundFile) -> Bool {
        guard stored[file.partition]?["done"]?.boolean == true else { return false }
        fates[Identity(file)] = .done
        tidy(file)
        return true
    }

    private func tidy(_ file: FoundFile) {
        do { try cleanup.finish(file) } catch {
            log.warn("Imported file cannot be tidied away", ["file": "\(file.relativePath)", "reason": "\(error)"])
        }
    }

    private static let sliceBytes = 8 << 20

    private static func milliseconds() -> Int64 {
        var now = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}

/// What the source counts, beyond what the runtime counts of every source.
struct ImportCounters: Sendable {
    /// What can be odd about a good file.
    enum Warning: String {
        case wrongCount = "wrong_count"
        case emptyRows = "empty_rows"
        case strayText = "stray_text"
        case otherType = "other_type"
    }

    let imported: Counter
    let empty: Counter
    private let failures: Family<Counter>
    private let warnings: Family<Counter>
    private let connector: String
    private let task: String

    init(_ context: any SourceTaskContext) {
        (connector, task) = (context.id.connector, "\(context.id.task)")
        let labels = ["connector", "task"]
        let metrics = context.metrics
        imported = metrics.counter(
            "connect_source_files_imported_total",
            "Files with rows, read to their end.",
            labels: labels
        )(
            connector,
            task
        )
        empty = metrics.counter(
            "connect_source_files_empty_total",
            "Files without rows, which is legal.",
            labels: labels
        )(
            connector,
            task
        )
        failures = metrics.counter(
            "connect_source_files_failed_total",
            "Broken files, none of whose rows was imported.",
            labels: labels + ["reason"]
        )
        warnings = metrics.counter(
            "connect_source_file_warnings_total",
            "Oddities of files that were imported.",
            labels: labels + ["kind"]
        )
    }

    func failed(_ kind: ImportFailure.Kind) { failures(connector, task, kind.rawValue).add() }
    func warning(_ kind: Warning) { warnings(connector, task, kind.rawValue).add() }
}
