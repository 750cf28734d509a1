import Compression
import ConnectConfig
import ConnectSDK
import Logs
import TransferClient

private let log = Logger("sluice.elasticsearch.sink")

/// The cluster's addresses, of which one is used until it cannot be reached.
final class SearchConnection {
    let session: TransferSession
    private let urls: [String]
    private let compresses: Bool
    private var current = 0

    init(_ config: ElasticsearchSinkConfig) throws(TransferError) {
        session = try TransferSession(config.session)
        (urls, compresses) = (config.urls, config.compresses)
    }

    /// The address in use.
    var url: String { urls[current] }
    /// How many addresses there are.
    var count: Int { urls.count }

    /// Goes to the next address after one could not be reached.
    func turn(_ error: TransferError) {
        let left = url
        current = (current + 1) % urls.count
        log.debug("Address failed", ["url": "\(left)", "reason": "\(error)", "next": "\(url)"])
    }

    /// Puts a `_bulk` request on its way.
    func start(_ body: [UInt8], tag: Int) throws(TransferError) {
        var headers = [TransferHeader("Content-Type", "application/x-ndjson")]
        var content = body
        if compresses, let packed = Self.gzip(body) {
            headers.append(TransferHeader("Content-Encoding", "gzip"))
            content = packed
        }
        try session.start(
            TransferRequest("POST", "\(url)/_bulk?\(BulkAnswer.filter)", headers: headers, body: content),
            tag: tag
        )
    }

    /// Sends a request and waits for the answer, trying each address once.
    func send(_ method: String, _ path: String, json: [UInt8]? = nil) throws(TaskFailure) -> TransferResponse {
        let headers = json.map { _ in [TransferHeader("Content-Type", "application/json")] } ?? []
        var left = count
        while true {
            do {
                return try session.send(TransferRequest(method, url + path, headers: headers, body: json))
            } catch {
                let failed = url
                turn(error)
                left -= 1
                if left == 0 || !error.isRetriable { throw TaskFailure(error, doing: "asking \(failed)") }
            }
        }
    }

    private static func gzip(_ body: [UInt8]) -> [UInt8]? {
        var packed: [UInt8] = []
        do {
            var compressor = try StreamCompressor(.gzip, level: 1)
            try compressor.write(body, into: &packed)
            try compressor.finish(into: &packed)
            return packed
        } catch { return nil }
    }
}
