internal import CRDKafka

/// What a Kafka client operation failed with.
public struct KafkaClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure: an open set, so that new librdkafka codes need no new version of this type.
    ///
    /// Several numbers of librdkafka and the protocol that mean the same to a caller share one code; the number itself
    /// stays in ``KafkaClientError/number``.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// librdkafka's number (negative: found by the client; positive: sent by a broker), or one of ours below -10000.
        public let rawValue: Int32

        /// Makes a code from a number.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// The client was closed, or closes while the call waits.
        public static let closed = Code(rawValue: -197)
        /// The caller's task was cancelled while the call waited.
        public static let cancelled = Code(rawValue: -10_001)
        /// A setting is unknown or has a bad value; the text names it.
        public static let configuration = Code(rawValue: -10_000)
        /// Nobody answered in time.
        public static let timedOut = Code(rawValue: -185)
        /// A newer instance with the same transactional id, epoch or member id took over.
        public static let fenced = Code(rawValue: -144)
        /// The topic or partition does not exist (or its metadata has not arrived yet).
        public static let unknownTopicOrPartition = Code(rawValue: 3)
        /// The topic to create exists.
        public static let topicAlreadyExists = Code(rawValue: 36)
        /// The record is larger than `message.max.bytes` allows.
        public static let messageTooLarge = Code(rawValue: 10)
        /// The producer's bounded queue is full.
        public static let queueFull = Code(rawValue: -184)
        /// Records were thrown away by ``Producer/purge()`` or an aborted transaction.
        public static let purged = Code(rawValue: -152)
        /// No broker can be reached.
        public static let allBrokersDown = Code(rawValue: -187)
        /// A connection failed.
        public static let transport = Code(rawValue: -195)
        /// A host name cannot be resolved.
        public static let resolve = Code(rawValue: -193)
        /// The group rebalances; the offsets belong to a generation that ends.
        public static let rebalanceInProgress = Code(rawValue: 27)
        /// The caller's group generation is over.
        public static let illegalGeneration = Code(rawValue: 22)
        /// The group does not know this member (any more).
        public static let unknownMember = Code(rawValue: 25)
        /// The assignment was lost because the member was too slow or away.
        public static let assignmentLost = Code(rawValue: -142)
        /// `max.poll.interval.ms` went by without a poll.
        public static let maxPollExceeded = Code(rawValue: -147)
        /// The start position does not exist and `auto.offset.reset` is `error` or `none`.
        public static let offsetOutOfRange = Code(rawValue: -140)
        /// Credentials were refused.
        public static let authentication = Code(rawValue: -169)
        /// The operation is not allowed for this user.
        public static let authorization = Code(rawValue: 29)
        /// The group still has members.
        public static let groupNotEmpty = Code(rawValue: 68)
        /// The group does not exist.
        public static let groupNotFound = Code(rawValue: 69)
        /// The client's state does not allow the call, for example a transaction that was not begun.
        public static let invalidState = Code(rawValue: -172)
        /// An argument that Kafka refuses.
        public static let invalidArgument = Code(rawValue: -186)
        /// The broker, the embedded cluster or this librdkafka cannot do it.
        public static let unsupported = Code(rawValue: -165)

        /// librdkafka's name for it, such as `_TIMED_OUT`, or ours.
        public var description: String {
            switch self {
            case .configuration: "CONFIGURATION"
            case .cancelled: "CANCELLED"
            default: unsafe String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: rawValue)))
            }
        }
    }

    /// The kind of failure.
    public let code: Code
    /// librdkafka's own number, or that of ``code`` where the failure is not librdkafka's.
    public let number: Int32
    /// What was done, to what, and why it failed; never a record's content or a password.
    public let reason: String
    /// Whether the same call may work later without anybody's help.
    public let isRetriable: Bool
    /// Whether the client object is of no more use and must be closed.
    public let isFatal: Bool
    /// Whether the current transaction must be aborted before anything else.
    public let requiresAbort: Bool

    /// Makes an error; `number` defaults to that of `code`.
    public init(
        code: Code,
        reason: String,
        isRetriable: Bool = false,
        isFatal: Bool = false,
        requiresAbort: Bool = false,
        number: Int32? = nil
    ) {
        self.code = code
        self.number = number ?? code.rawValue
        self.reason = reason
        self.isRetriable = isRetriable
        self.isFatal = isFatal
        self.requiresAbort = requiresAbort
    }

    /// The reason, then librdkafka's name of the code in parentheses.
    public var description: String { "\(reason) (\(Code(rawValue: number)))" }
}

extension KafkaClientError {
    /// Any error as this type: what it is already, or an unexpected one under `invalidState`.
    init(_ error: any Error) {
        self =
            (error as? KafkaClientError)
            ?? KafkaClientError(code: .invalidState, reason: "unexpected failure: \(error)")
    }

    static func closed(_ what: String) -> KafkaClientError {
        KafkaClientError(code: .closed, reason: "\(what): the client is closed")
    }

    static func cancelled(_ what: String) -> KafkaClientError {
        KafkaClientError(code: .cancelled, reason: "\(what): the task was cancelled")
    }

    /// From a bare code; `detail` replaces librdkafka's general text for it.
    init(_ error: rd_kafka_resp_err_t, doing: String, detail: String? = nil) {
        let number = error.rawValue
        let text = unsafe detail ?? String(cString: rd_kafka_err2str(error))
        self.init(
            code: Self.code(for: number),
            reason: "\(doing): \(text)",
            isRetriable: Self.retriable.contains(number),
            isFatal: number == RD_KAFKA_RESP_ERR__FATAL.rawValue || number == RD_KAFKA_RESP_ERR__FENCED.rawValue,
            number: number
        )
    }

    /// From an error object of librdkafka, which is destroyed here.
    init(consuming error: OpaquePointer, doing: String) {
        defer { unsafe rd_kafka_error_destroy(error) }
        let number = unsafe rd_kafka_error_code(error).rawValue
        let text = unsafe String(cString: rd_kafka_error_string(error))
        let fatal = unsafe rd_kafka_error_is_fatal(error) != 0
        self.init(
            code: Self.code(for: number),
            reason: "\(doing): \(text)",
            isRetriable: unsafe rd_kafka_error_is_retriable(error) != 0 || (!fatal && Self.retriable.contains(number)),
            isFatal: fatal,
            requiresAbort: unsafe rd_kafka_error_txn_requires_abort(error) != 0,
            number: number
        )
    }

    /// Nil for success; otherwise the failure of `doing`.
    static func ifFailed(_ error: rd_kafka_resp_err_t, doing: @autoclosure () -> String) -> KafkaClientError? {
        error == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaClientError(error, doing: doing())
    }

    private static func code(for number: Int32) -> Code {
        switch number {
        case 7, -185, -192, -166: .timedOut
        case 47, 82, 90, -144: .fenced
        case 3, -188, -190: .unknownTopicOrPartition
        case 10, 18: .messageTooLarge
        case -151, -152: .purged
        case 35, 43, 76, -165, -170: .unsupported
        case 29, 30, 31, 53: .authorization
        case 33, 34, 58, -169: .authentication
        case 1, -140: .offsetOutOfRange
        case 42, -186: .invalidArgument
        default: Code(rawValue: number)
        }
    }

    /// What Java's client calls RetriableException, and librdkafka's own passing troubles.
    private static let retriable: Set<Int32> = [
        3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 27, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 88, 89,
        -195, -193, -192, -190, -188, -187, -185, -184, -180, -166,
    ]
}
