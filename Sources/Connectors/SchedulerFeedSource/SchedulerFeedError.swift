import ConnectConfig
import ConnectSDK
import TransferClient

extension TaskFailure {
    /// A server that cannot be reached is an outage; an address or a certificate that is wrong is not.
    init(_ error: TransferError, _ job: FeedKind, doing: String) {
        self =
            error.isRetriable
            ? .retry(doing: doing, because: "\(error)")
            : .config(SchedulerFeedSource.Keys.url(job).name, doing: doing, because: "\(error)")
    }

    /// An answer that is neither the feed nor "not modified".
    init(_ answer: TransferResponse, _ job: FeedKind, doing: String) {
        switch answer.status {
        case 401, 403:
            let key = SchedulerFeedSource.Keys.username.name
            self = .config(key, doing: doing, because: "HTTP \(answer.status). Check user name and password.")
        case 408, 425, 429, 500...:
            self = .retry(after: answer.retryAfter, doing: doing, because: "HTTP \(answer.status)")
        default:
            let key = SchedulerFeedSource.Keys.url(job).name
            self = .config(key, doing: doing, because: "HTTP \(answer.status). Check the address.")
        }
    }
}
