import ConnectConfig
import ConnectModel
import ConnectSDK
import Lifecycle
import Logs
import Metrics
import TransferClient

private let log = Logger("sluice.elasticsearch.sink")
private let conflictsSeen = LogLimiter(every: .seconds(60))
private let documentsDropped = LogLimiter(every: .seconds(10))

/// Delivers one batch at a time through several requests in flight.
///
/// What the server refuses for the time being goes again in smaller requests; what it refuses for good becomes a fault;
/// everything else is indexed when ``deliver(_:stop:)`` returns. Ids and versions make every repetition harmless.
final class BulkSender {
    private let config: ElasticsearchSinkConfig
    private let connection: SearchConnection
    private let counters: BulkCounters
    private let plan: BulkPlan
    private let backoff: Backoff
    private(set) var pace: BulkPace
    /// Whether the server said that an index is not there.
    private(set) var missesIndex = false

    private struct Trouble {
        /// Tries in a row after which nothing more was indexed.
        var failures = 0
        /// Addresses in a row that could not be reached.
        var unreachable = 0
        var failure: TaskFailure?
        var retryAfter: Duration?
    }

    init(_ config: ElasticsearchSinkConfig, _ connection: SearchConnection, _ counters: BulkCounters) {
        (self.config, self.connection, self.counters) = (config, connection, counters)
        plan = BulkPlan(config.documents, config.indexes)
        pace = BulkPace(records: config.batchSize, bytes: config.bulkBytes, inFlight: config.inFlight)
        backoff = Backoff(initial: config.retryBackoff, maximum: max(config.retryBackoff, .seconds(10)))
    }

    /// Returns once all records are indexed, dropped by the settings, or refused (thrown as bad records).
    func deliver(_ batch: SinkBatch, stop: Latch) async throws(TaskFailure) {
        var delivery = BulkDelivery(batch)
        var trouble = Trouble()
        let deadline = ContinuousClock.now + config.flushTimeout
        missesIndex = false
        defer { connection.session.cancelAll() }
        while true {
            try start(&delivery)
            if connection.session.inFlight == 0, delivery.isAllSent, delivery.sent.isEmpty { break }
            trouble.failure = nil
            for outcome in connection.session.wait(.milliseconds(250)) {
                guard let body = delivery.ended(outcome.tag) else { continue }
                settle(outcome.result, body, &delivery, &trouble)
            }
            guard let failure = trouble.failure else { continue }
            let isGivenUp =
                trouble.failures > config.maxRetries || trouble.unreachable >= connection.count || missesIndex
            guard case .retry = failure.verdict, !isGivenUp, ContinuousClock.now < deadline else { throw failure }
            log.debug("Requests go again", ["failures": .int(trouble.failures), "reason": "\(failure)"])
            let pause = max(backoff.delay(attempt: trouble.failures - 1), trouble.retryAfter ?? .zero)
            if await stop.wait(for: pause) { throw failure }
        }
        try report(delivery)
    }

    private func start(_ delivery: inout BulkDelivery) throws(TaskFailure) {
        while connection.session.inFlight < pace.inFlight, delivery.recordsInFlight < config.buffered {
            let room = min(pace.records, config.buffered - delivery.recordsInFlight)
            guard let body = delivery.nextBody(plan, records: room, bytes: pace.bytes) else { return }
            let tag = delivery.started(body)
            do throws(TransferError) { try connection.start(body.bytes, tag: tag) } catch {
                throw TaskFailure(error, doing: "sending to \(connection.url)")
            }
        }
    }

    private func settle(
        _ result: Result<TransferResponse, TransferError>,
        _ body: BulkDelivery.Body,
        _ delivery: inout BulkDelivery,
        _ trouble: inout Trouble
    ) {
        let doing = "indexing \(body.records.count) records at \(connection.url)"
        counters.requests.add()
        switch result {
        case .failure(let error):
            delivery.repeatLater(body.records)
            trouble.failures += 1
            trouble.unreachable += 1
            trouble.failure = TaskFailure(error, doing: doing)
            if error.code == .timeout { pace.overloaded(body.records.count) }
            connection.turn(error)
        case .success(let answer) where answer.status == 200:
            guard let items = BulkAnswer(answer.body)?.items, items.isEmpty || items.count == body.records.count else {
                trouble.failure = .fatal(doing: doing, because: "the answer is not that of a search server's _bulk")
                return
            }
            trouble.unreachable = 0
            settle(items, body, &delivery, &trouble)
        case .success(let answer):
            trouble.unreachable = 0
            settle(refused: answer, body, &delivery, &trouble)
        }
    }

    /// Single documents were refused, or none.
    private func settle(
        _ items: [BulkItem],
        _ body: BulkDelivery.Body,
        _ delivery: inout BulkDelivery,
        _ trouble: inout Trouble
    ) {
        var later: [Int] = []
        var reason: BulkItem?
        for (item, index) in zip(items, body.records) {
            switch item.verdict {
            case .done: break
            case .conflict: conflict(item, index, delivery.batch, &later)
            case .bad: delivery.refuse(index, item.type, item.reason)
            case .later, .noIndex, .forbidden:
                later.append(index)
                if reason == nil || item.verdict == .forbidden { reason = item }
                if item.verdict == .noIndex { missesIndex = true }
            }
        }
        counters.retried.add(later.count)
        delivery.repeatLater(later)
        guard let reason else {
            if later.isEmpty { pace.succeeded() }
            trouble.failures = 0
            return
        }
        let doing = "indexing \(later.count) of \(body.records.count) records at \(connection.url)"
        let because = "HTTP \(reason.status) \(reason.type): \(reason.reason)"
        if reason.verdict == .forbidden {
            trouble.failure = .config(ElasticsearchSink.Keys.username.name, doing: doing, because: because)
        } else {
            trouble.failures = later.count < body.records.count ? 1 : trouble.failures + 1
            trouble.failure = .retry(doing: doing, because: because)
            pace.overloaded(body.records.count)
        }
    }

    /// The whole request was refused.
    private func settle(
        refused answer: TransferResponse,
        _ body: BulkDelivery.Body,
        _ delivery: inout BulkDelivery,
        _ trouble: inout Trouble
    ) {
        let (type, reason) = BulkAnswer.error(in: answer.body)
        switch (answer.status, body.records.count) {
        case (400, 1), (413, 1):
            delivery.refuse(body.records[0], type.isEmpty ? "HTTP \(answer.status)" : type, reason)
        case (400, _): delivery.repeatSplit(body.records)
        case (413, _):
            pace.tooLarge(body.bytes.count)
            delivery.repeatSplit(body.records)
        default:
            delivery.repeatLater(body.records)
            trouble.failures += 1
            trouble.retryAfter = answer.retryAfter
            trouble.failure = TaskFailure(
                answer,
                doing: "indexing \(body.records.count) records at \(connection.url)"
            )
            pace.overloaded(body.records.count)
        }
    }

    /// With versions, or when the document must not be there yet, a conflict says that the work is done already.
    private func conflict(_ item: BulkItem, _ index: Int, _ batch: SinkBatch, _ later: inout [Int]) {
        guard config.documents.writeMethod == .insert else { return later.append(index) }
        if item.isRepeated || config.documents.isStream { return counters.repeated.add() }
        counters.older.add()
        conflictsSeen { held in
            log.info(
                "Documents are later than their records: a replay, or a topic made again (external.version.epoch)",
                ["topic": "\(batch.topic(at: index))", "offset": "\(batch.origins[index].offset)", "suppressed": held]
            )
        }
    }

    /// Throws the refused records, unless the settings drop them.
    private func report(_ delivery: BulkDelivery) throws(TaskFailure) {
        let kept = delivery.faults.filter { fault in
            let isInvalid = fault.kind == DocumentFault("").kind
            if isInvalid ? !config.dropsInvalid : config.onMalformed == .fail { return true }
            counters.dropped.add()
            guard isInvalid || config.onMalformed == .warn else { return false }
            let origin = delivery.batch.origins[fault.index]
            documentsDropped { held in
                log.warn(
                    "Document dropped",
                    [
                        "partition": "\(delivery.batch.partitions[origin.partition])", "offset": "\(origin.offset)",
                        "kind": "\(fault.kind)", "reason": "\(fault.reason)", "suppressed": held,
                    ]
                )
            }
            return false
        }
        guard let first = kept.first else { return }
        throw TaskFailure(
            .badRecords(kept.sorted { $0.index < $1.index }, restIsWritten: true),
            doing: "indexing \(delivery.batch.count) records",
            because: "\(kept.count) cannot be documents, the first for \(first.kind): \(first.reason)"
        )
    }
}

/// What the sink counts.
struct BulkCounters {
    let requests, retried, repeated, older, dropped: Counter

    init(_ context: any SinkTaskContext) {
        let labels = ["connector", "task"], (connector, task) = (context.id.connector, "\(context.id.task)")
        func counter(_ name: String, _ help: String) -> Counter {
            context.metrics.counter("connect_elasticsearch_sink_\(name)_total", help, labels: labels)(connector, task)
        }
        requests = counter("requests", "Bulk requests that ended.")
        retried = counter("retried_records", "Records that were refused for the time being and sent again.")
        repeated = counter("repeated_records", "Records that were already indexed in the same version.")
        older = counter("older_records", "Records whose document already has a later version.")
        dropped = counter(
            "dropped_records",
            "Records dropped by drop.invalid.message or behavior.on.malformed.documents."
        )
    }
}
