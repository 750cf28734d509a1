import ConnectModel
import ConnectSDK

/// Where one job stands, as its offset remembers it.
struct FeedProgress: Hashable {
    /// Runs that were completed.
    var cycle: Int64 = 0
    /// When the next run is due, in milliseconds since 1970; 0 for at once.
    var nextRun: Int64 = 0
    /// What the last complete answer said about itself.
    var etag: String?
    var lastModified: String?
    /// ``FeedItems/fingerprint(_:)`` of the answer whose items are being, or were last, handed over.
    var fingerprint: Int64?
    /// How many items of an unfinished run were handed over; 0 between runs.
    var item: Int64 = 0
    /// Where in a replay file the next line begins.
    var position: Int64 = 0

    init() {}

    init(_ offset: OffsetMap) {
        cycle = offset["cycle"]?.int ?? 0
        nextRun = offset["next_run"]?.int ?? 0
        etag = offset["etag"]?.string
        lastModified = offset["last_modified"]?.string
        fingerprint = offset["fingerprint"]?.int
        item = offset["item"]?.int ?? 0
        position = offset["position"]?.int ?? 0
    }

    var offset: OffsetMap {
        var offset: OffsetMap = ["cycle": .int(cycle), "next_run": .int(nextRun)]
        offset["etag"] = etag.map { .string($0) }
        offset["last_modified"] = lastModified.map { .string($0) }
        offset["fingerprint"] = fingerprint.map { .int($0) }
        if item > 0 { offset["item"] = .int(item) }
        if position > 0 { offset["position"] = .int(position) }
        return offset
    }
}

/// One job while the task runs.
struct FeedJob {
    let config: SchedulerFeedConfig.Job
    var progress: FeedProgress
    /// Items of the present run that are still to be handed over; nil when no run is on.
    var items: ArraySlice<MapValue>?
    /// Failures in a row.
    var failures = 0
    /// Not before this time, after a failure; milliseconds since 1970.
    var retryAt: Int64 = 0
    var failure: TaskFailure?
    /// With `run.once`: whether it has run.
    var isDone = false

    var partition: OffsetMap { ["job": .string(config.kind.rawValue), "source": .string(config.source)] }
    var position: SourcePosition { SourcePosition(partition: partition, offset: progress.offset) }
    /// Where the last price of an ASIN is remembered.
    func partition(ofPrice asin: String) -> OffsetMap {
        ["job": .string(config.kind.rawValue), "source": .string(config.source), "asin": .string(asin)]
    }

    /// When it wants to run or to go on.
    func due(runsOnce: Bool) -> Int64? {
        if isDone { return nil }
        if items != nil { return 0 }
        return max(runsOnce ? 0 : progress.nextRun, retryAt)
    }

    /// A run has ended; the next one starts an interval after this one was due, or from now when that is past.
    mutating func completed(now: Int64, runsOnce: Bool) {
        let interval = Int64(config.interval / .milliseconds(1))
        let planned = progress.nextRun + interval
        progress.nextRun = progress.nextRun > 0 && planned > now ? planned : now + interval
        progress.cycle += 1
        progress.item = 0
        items = nil
        isDone = runsOnce
        (failures, retryAt, failure) = (0, 0, nil)
    }
}
