import ConnectModel
import KafkaClient

/// What a sink's consumer hands over.
enum ConsumerEvent: Sendable {
    case records(any PolledRecords)
    case assigned([TopicPartition])
    case revoked([TopicPartition], lost: Bool)
    case idle
}

/// The consumer of a sink task; `poll` is called by one caller, the rest by another.
protocol SinkConsumer: Sendable {
    func subscribe() async throws(KafkaClientError)
    func poll(timeout: Duration) async throws(KafkaClientError) -> ConsumerEvent
    /// Ends a poll that waits.
    func wakeup()
    /// Answers an assignment; partitions without start read on at the committed offset.
    func assign(_ partitions: [TopicPartition], starts: [TopicPartition: Int64]) async throws(KafkaClientError)
    /// Answers a revocation.
    func release() async throws(KafkaClientError)
    func pause(_ partitions: [TopicPartition]) async throws(KafkaClientError)
    func resume(_ partitions: [TopicPartition]) async throws(KafkaClientError)
    func commit(_ offsets: [TopicPartition: Int64], timeout: Duration) async throws(KafkaClientError)
    /// Position and end of each partition as far as known without asking a broker.
    func progress(_ partitions: [TopicPartition]) async -> [TopicPartition: (position: Int64?, end: Int64)]
    /// Whether it reads all topics that match `topics.regex`.
    var topicView: TopicView { get }
    func close(timeout: Duration) async
}

extension SinkConsumer {
    /// All topics are named.
    var topicView: TopicView { .named }
}
