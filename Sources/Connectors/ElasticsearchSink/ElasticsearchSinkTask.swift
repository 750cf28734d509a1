import ConnectModel
import ConnectSDK
import JSONReading
import Logs
import TransferClient

private let log = Logger("sluice.elasticsearch.sink")

/// Indexes batch by batch: when ``put(_:)`` returns, every record of the batch is indexed, so there is nothing to flush.
///
/// Within a batch several requests are on their way at a time; larger batches keep the cluster busier.
actor ElasticsearchSinkTask: SinkTask {
    private let config: ElasticsearchSinkConfig
    private let context: any SinkTaskContext
    private let counters: BulkCounters
    private var connection: SearchConnection?
    private var sender: BulkSender?
    private var indexes: IndexMaker

    init(_ config: ElasticsearchSinkConfig, _ context: any SinkTaskContext) {
        (self.config, self.context) = (config, context)
        counters = BulkCounters(context)
        indexes = IndexMaker(config.indexes)
    }

    func start() async throws(TaskFailure) {
        let made: SearchConnection
        do throws(TransferError) { made = try SearchConnection(config) } catch {
            throw TaskFailure(error, doing: "starting the HTTP client")
        }
        let answer = try made.send("GET", "/")
        guard answer.isSuccess else { throw TaskFailure(answer, doing: "asking \(made.url) who it is") }
        log.info("Connected", ["url": "\(made.url)", "server": "\(Self.product(answer.body))"])
        (connection, sender) = (made, BulkSender(config, made, counters))
    }

    func put(_ batch: SinkBatch) async throws(TaskFailure) {
        guard !batch.isEmpty else { return }
        guard let connection, let sender else {
            throw .fatal(doing: "indexing \(batch.count) records", because: "the task was not started")
        }
        var topics = Set(batch.partitions.map(\.topic))
        if case .records(let records) = batch.content { topics = Set(records.map(\.topic)) }
        try indexes.prepare(topics, connection)
        do {
            try await sender.deliver(batch, stop: context.stop)
        } catch {
            if sender.missesIndex { indexes.forget() }
            throw error
        }
    }

    func stop() async { (connection, sender) = (nil, nil) }

    /// `elasticsearch 8.19.21`, `opensearch 2.19.6`; for the log only.
    private static func product(_ body: [UInt8]) -> String {
        guard case .map(let answer)? = try? JSONParser().parse(body), case .map(let version)? = answer["version"],
            case .string(let number)? = version["number"]
        else { return "unknown" }
        if case .string(let name)? = version["distribution"] { return "\(name) \(number)" }
        return "elasticsearch \(number)"
    }
}
