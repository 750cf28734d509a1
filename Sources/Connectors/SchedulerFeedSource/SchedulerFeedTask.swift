import ConnectConfig
import ConnectModel
import ConnectSDK
import FileAccess
import JSONReading
import Lifecycle
import Logs
import Metrics
import TransferClient

private let log = Logger("sluice.scheduler.feed.source")

/// Runs the jobs when they are due, one after the other, and hands their items over in batches.
///
/// The offset of a job is `{"job", "source"}` to its ``FeedProgress``, so a restart neither runs a job twice nor forgets
/// what the server said about its last answer; an unfinished run goes on at its next item.
actor SchedulerFeedTask: SourceTask {
    private let config: SchedulerFeedConfig
    private let context: any SourceTaskContext
    private let now: @Sendable () -> Int64
    private let backoff = Backoff(initial: .seconds(5), maximum: .seconds(300))
    private let runs, unchanged, skipped: Counter
    private var jobs: [FeedJob]
    private var prices: [String: Value] = [:]
    private var session: TransferSession?

    init(
        _ config: SchedulerFeedConfig,
        _ context: any SourceTaskContext,
        now: @escaping @Sendable () -> Int64 = { milliseconds() }
    ) {
        (self.config, self.context, self.now) = (config, context, now)
        jobs = config.jobs.map { FeedJob(config: $0, progress: FeedProgress()) }
        let labels = ["connector", "task"], (connector, task) = (context.id.connector, "\(context.id.task)")
        func counter(_ name: String, _ help: String) -> Counter {
            context.metrics.counter("connect_scheduler_feed_\(name)_total", help, labels: labels)(connector, task)
        }
        runs = counter("runs", "Runs of a job that were completed.")
        unchanged = counter("unchanged_runs", "Runs whose feed had not changed.")
        skipped = counter("skipped_items", "Items without ASIN or positive price, and lines that are no JSON.")
    }

    func start() async throws(TaskFailure) {
        for position in try await context.offsets() {
            guard let offset = position.offset, let source = position.partition["source"]?.string else { continue }
            let kind = position.partition["job"]?.string
            for index in jobs.indices
            where jobs[index].config.source == source && jobs[index].config.kind.rawValue == kind {
                if let asin = position.partition["asin"]?.string {
                    prices[asin] = offset["price"]?.string.map { Value.number(JSONNumber(text: $0)) }
                } else {
                    jobs[index].progress = FeedProgress(offset)
                }
            }
        }
    }

    func poll() async throws(TaskFailure) -> SourcePoll {
        while true {
            let now = now()
            let due = jobs.indices.compactMap { index in jobs[index].due(runsOnce: config.runsOnce).map { (index, $0) }
            }
            guard let (index, time) = due.min(by: { $0.1 < $1.1 }) else { return .finished }
            guard time <= now else {
                let wait = Duration.milliseconds(time - now)
                let failing = jobs.first { $0.failure != nil && !$0.isDone }?.failure
                if let failing { throw .retry(after: wait, doing: failing.doing, because: failing.because) }
                return .idle(wait)
            }
            do throws(TaskFailure) {
                if let batch = try run(index, now) { return .batch(batch) }
            } catch {
                guard case .retry(let after) = error.verdict else { throw error }
                let pause = max(after ?? .zero, backoff.delay(attempt: jobs[index].failures))
                jobs[index].failures += 1
                jobs[index].retryAt = now + Int64(pause / .milliseconds(1))
                jobs[index].failure = error
                log.warn("Feed failed, will be tried again", ["reason": "\(error)", "delay": "\(pause)"])
            }
        }
    }

    func stop() async { session = nil }

    /// The next batch of a job, starting a run when none is on; nil when there is nothing to hand over now.
    private func run(_ index: Int, _ now: Int64) throws(TaskFailure) -> SourceBatch? {
        if let path = jobs[index].config.file { return try replay(path, index, now) }
        guard jobs[index].items != nil else { return try fetch(index, now) }
        return handOver(index, now)
    }

    /// Asks the server; an answer that is the same as the last one only moves the offset.
    private func fetch(_ index: Int, _ now: Int64) throws(TaskFailure) -> SourceBatch? {
        let job = jobs[index], url = job.config.url ?? "", doing = "fetching \(url)"
        var request = TransferRequest("GET", url)
        if job.progress.item == 0 {
            if let etag = job.progress.etag { request.headers.append(TransferHeader("If-None-Match", etag)) }
            if let time = job.progress.lastModified {
                request.headers.append(TransferHeader("If-Modified-Since", time))
            }
        }
        let answer: TransferResponse
        do throws(TransferError) { answer = try connection().send(request) } catch {
            throw TaskFailure(error, job.config.kind, doing: doing)
        }
        if answer.status == 304 { return unchanged(index, now) }
        guard answer.status == 200 else { throw TaskFailure(answer, job.config.kind, doing: doing) }
        let fingerprint = FeedItems.fingerprint(answer.body)
        let isSame = fingerprint == job.progress.fingerprint
        let read: (items: [MapValue], bad: Int)
        do throws(JSONError) { read = try FeedItems.read(answer.body, pointer: config.pointer) } catch {
            throw .retry(doing: doing, because: "the answer is \(error)")
        }
        jobs[index].progress.etag = answer.header("ETag")
        jobs[index].progress.lastModified = answer.header("Last-Modified")
        if isSame, job.progress.item == 0 { return unchanged(index, now) }
        jobs[index].progress.fingerprint = fingerprint
        if !isSame { jobs[index].progress.item = 0 }
        skipped.add(read.bad)
        jobs[index].items = read.items.dropFirst(Int(jobs[index].progress.item))
        return handOver(index, now)
    }

    private func unchanged(_ index: Int, _ now: Int64) -> SourceBatch {
        unchanged.add()
        return complete(index, now, RecordBuffer(), [])
    }

    private func handOver(_ index: Int, _ now: Int64) -> SourceBatch {
        let part = jobs[index].items?.prefix(config.batchSize) ?? []
        jobs[index].items = jobs[index].items?.dropFirst(config.batchSize)
        jobs[index].progress.item += Int64(part.count)
        var buffer = RecordBuffer()
        let remembered = append(part, of: index, now, to: &buffer)
        if jobs[index].items?.isEmpty != false { return complete(index, now, buffer, remembered) }
        return SourceBatch(.raw(buffer, format: .json), positions: remembered + [jobs[index].position])
    }

    private func complete(
        _ index: Int,
        _ now: Int64,
        _ buffer: RecordBuffer,
        _ remembered: [SourcePosition]
    ) -> SourceBatch {
        jobs[index].completed(now: now, runsOnce: config.runsOnce)
        runs.add()
        log.info(
            "Feed read",
            [
                "job": "\(jobs[index].config.kind)", "messages": .int(buffer.count),
                "cycle": "\(jobs[index].progress.cycle)",
            ]
        )
        return SourceBatch(.raw(buffer, format: .json), positions: remembered + [jobs[index].position])
    }

    /// Writes messages and gives the positions that remember prices for items that do not tell the previous one.
    private func append(
        _ items: ArraySlice<MapValue>,
        of index: Int,
        _ now: Int64,
        to buffer: inout RecordBuffer
    ) -> [SourcePosition] {
        let job = jobs[index], message = FeedMessage(config: config, now: now)
        let topic = buffer.index(ofTopic: job.config.topic)
        var remembered: [String: SourcePosition] = [:]
        for item in items {
            guard let asin = FeedMessage.asin(of: item) else {
                skipped.add()
                continue
            }
            let key = Array(asin.utf8)
            guard job.config.kind == .prices else {
                buffer.append(topic: topic, key: key) { message.appendDeal(item, to: &$0) }
                continue
            }
            let price = FeedMessage.price(of: item), last = prices[asin]
            if item["previous_price"] == nil || !config.emitsUnchanged {
                let isSame = FeedMessage.number(last) == FeedMessage.number(price)
                if isSame, !config.emitsUnchanged { continue }
                prices[asin] = price
                if !isSame, let number = FeedMessage.number(price) {
                    remembered[asin] = SourcePosition(
                        partition: job.partition(ofPrice: asin),
                        offset: ["price": .string("\(number)")]
                    )
                }
            }
            buffer.append(topic: topic, key: key) { message.appendPrice(item, last: last, to: &$0) }
        }
        return remembered.values.map { $0 }
    }

    /// Reads the next lines of a file; a run ends at the file's end, a line without end waits for the next run.
    private func replay(_ path: String, _ index: Int, _ now: Int64) throws(TaskFailure) -> SourceBatch {
        let key = SchedulerFeedSource.Keys.file(jobs[index].config.kind).name
        var lines: [Range<Int>] = [], block: [UInt8] = [], rest = 0
        do throws(FileError) {
            let file = try OpenFile(path, .read)
            if try file.facts().size < jobs[index].progress.position {
                log.warn("File is shorter than what was read of it, reading it from the start", ["file": "\(path)"])
                jobs[index].progress.position = 0
            }
            try file.seek(to: jobs[index].progress.position)
            var count = 0, isAtEnd = false
            while !isAtEnd, lines.count < config.batchSize {
                block += [UInt8](repeating: 0, count: 256 << 10)
                let got = try file.read(into: &block, count..<block.count) ?? 0
                (count, isAtEnd) = (count + got, got == 0)
                lines.removeAll(keepingCapacity: true)
                rest = LineScanner.scan(block, 0..<count, most: config.batchSize, into: &lines)
            }
        } catch {
            if error.isPassing || error.isMissing {
                throw .retry(doing: "\(error.doing) \(path)", because: error.reason)
            }
            throw .config(key, doing: "\(error.doing) \(path)", because: error.reason)
        }
        let parser = JSONParser()
        var items: [MapValue] = []
        for line in lines where !line.isEmpty {
            if case .map(let item)? = try? parser.parse(Array(block[line])) {
                items.append(item)
            } else {
                skipped.add()
            }
        }
        jobs[index].progress.position += Int64(rest)
        var buffer = RecordBuffer()
        let remembered = append(items[...], of: index, now, to: &buffer)
        if lines.count < config.batchSize { return complete(index, now, buffer, remembered) }
        return SourceBatch(.raw(buffer, format: .json), positions: remembered + [jobs[index].position])
    }

    private func connection() throws(TransferError) -> TransferSession {
        if let session { return session }
        var settings = TransferSettings()
        settings.idleTimeout = config.readTimeout
        settings.redirectsMax = 5
        settings.userAgent = "sluice-scheduler-feed"
        if let user = config.username {
            let password = config.password
            settings.authorization = { .basic(user: user, password: password?.reveal { $0 } ?? "") }
        }
        let made = try TransferSession(settings)
        session = made
        return made
    }
}
