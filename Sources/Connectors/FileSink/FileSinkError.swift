import Compression
import ConnectConfig
import ConnectSDK
import FileAccess

extension TaskFailure {
    /// A full or failing disk is an outage; a directory that cannot be used needs another one or other permissions.
    init(writing error: any Error) {
        switch error {
        case let error as FileError where error.isPassing:
            self = .retry(doing: "\(error.doing) \(error.path)", because: error.reason)
        case let error as FileError where error.isMissing && error.doing != "opening":
            self = .fatal(
                doing: "\(error.doing) \(error.path)",
                because: "\(error.reason). Someone removed what this task was writing; a restart reads it again."
            )
        case let error as FileError:
            self = .config(
                FileSink.Keys.directory.name,
                doing: "\(error.doing) \(error.path)",
                because: "\(error.reason). Name another directory or change its permissions, then restart the task."
            )
        default: self = .fatal(doing: "compressing a file", because: "\(error)")
        }
    }
}
