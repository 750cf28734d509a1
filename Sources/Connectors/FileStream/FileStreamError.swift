import ConnectConfig
import ConnectSDK
import FileAccess

extension TaskFailure {
    /// A missing source file may still come and a full disk may be emptied; anything else needs another `file`.
    init(_ error: FileError) {
        if error.isMissing && error.doing == "opening" {
            self = .retry(
                after: .seconds(1),
                doing: "\(error.doing) \(error.path)",
                because: "\(error.reason); it is used once it is there"
            )
        } else if error.isPassing {
            self = .retry(doing: "\(error.doing) \(error.path)", because: error.reason)
        } else {
            self = .config(
                FileStreamSink.Keys.file.name,
                doing: "\(error.doing) \(error.path)",
                because: "\(error.reason). Name another file or change its permissions, then restart the task."
            )
        }
    }
}
