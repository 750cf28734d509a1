import ConnectModel
import ConnectSDK

/// Where a record failed; the raw values are Kafka Connect's (4.3, `Stage`).
enum ErrorStage: String, Sendable, Hashable {
    case taskPoll = "TASK_POLL"
    case taskPut = "TASK_PUT"
    case transformation = "TRANSFORMATION"
    case keyConverter = "KEY_CONVERTER"
    case valueConverter = "VALUE_CONVERTER"
    case headerConverter = "HEADER_CONVERTER"
    case kafkaProduce = "KAFKA_PRODUCE"
    case kafkaConsume = "KAFKA_CONSUME"
}

/// Why one record failed.
struct RecordError: Error, Sendable, Hashable {
    var stage: ErrorStage
    /// The converter, transform or task that refused it.
    var className: String
    /// The exception's class, or the open word that a connector uses for the kind of error.
    var exceptionClass: String
    /// Why; without the record's values.
    var message: String

    init(stage: ErrorStage, className: String, exceptionClass: String, message: String) {
        (self.stage, self.className) = (stage, className)
        (self.exceptionClass, self.message) = (exceptionClass, message)
    }
    init(_ error: DataError, _ stage: ErrorStage, _ className: String) {
        self.init(
            stage: stage,
            className: error.className ?? className,
            exceptionClass: error.javaClass,
            message: error.message
        )
    }
}

/// A record that cannot be delivered, with its bytes as they were read.
struct BadRecord: Sendable, Hashable {
    var error: RecordError
    /// The partition it was read from; nil for a source's record.
    var origin: TopicPartition?
    var offset: Int64?
    /// Milliseconds since 1970; nil when there is none.
    var timestamp: Int64?
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [RecordBuffer.Header] = []

    /// What the task fails with when errors are not tolerated.
    var failure: TaskFailure {
        let place =
            if let origin, let offset { "record at offset \(offset) of \(origin)" } else { "a record" }
        let doing =
            switch error.stage {
            case .taskPoll: "reading \(place)"
            case .taskPut: "writing \(place)"
            case .transformation: "transforming \(place)"
            case .keyConverter: "converting the key of \(place)"
            case .valueConverter: "converting the value of \(place)"
            case .headerConverter: "converting the headers of \(place)"
            case .kafkaProduce: "producing \(place)"
            case .kafkaConsume: "consuming \(place)"
            }
        return .fatal(
            doing: doing,
            because: "\(error.exceptionClass): \(error.message). Set errors.tolerance=all, with "
                + "errors.deadletterqueue.topic.name to keep such records, or correct the data, then restart the task"
        )
    }
}
