import ConnectModel
import KafkaClient

/// The transactional producer of a source task.
final class KafkaTransactions: TransactionalOutput {
    private let output: KafkaOutput

    init(_ settings: KafkaSettings) throws(KafkaClientError) { output = try KafkaOutput(settings) }

    func send(_ buffer: RecordBuffer) async throws(KafkaClientError) -> any RecordTicket {
        try await output.send(buffer)
    }
    func initialize() async throws(KafkaClientError) { try await output.producer.initTransactions() }
    func begin() async throws(KafkaClientError) { try await output.producer.beginTransaction() }
    func commit() async throws(KafkaClientError) { try await output.producer.commitTransaction() }
    func abort() async throws(KafkaClientError) { try await output.producer.abortTransaction() }
    func close(timeout: Duration) async { await output.close(timeout: timeout) }
}
