import ConnectConfig
import ConnectSDK
import TransferClient

extension TaskFailure {
    /// A cluster that cannot be reached is an outage; a certificate or an address that is wrong is not.
    init(_ error: TransferError, doing: String) {
        if error.isRetriable {
            self = .retry(doing: doing, because: "\(error)")
        } else if error.code == .certificate {
            self = .config(
                ElasticsearchSink.Keys.authorities.name,
                doing: doing,
                because: "\(error.reason). Name the authority that signed the server's certificate."
            )
        } else {
            self = .config(ElasticsearchSink.Keys.url.name, doing: doing, because: "\(error)")
        }
    }

    /// What an answer with an error status, to anything but single documents, means.
    init(_ answer: TransferResponse, doing: String) {
        let (type, reason) = BulkAnswer.error(in: answer.body)
        let words = "HTTP \(answer.status)" + (type.isEmpty ? "" : " \(type): \(reason)")
        switch answer.status {
        case 401, 403:
            self = .config(
                ElasticsearchSink.Keys.username.name,
                doing: doing,
                because: "\(words). Check user name, password and the rights of the user."
            )
        case 408, 429, 500...: self = .retry(after: answer.retryAfter, doing: doing, because: words)
        default: self = .fatal(doing: doing, because: words)
        }
    }
}
