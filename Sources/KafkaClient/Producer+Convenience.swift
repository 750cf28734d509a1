public import ConnectModel
internal import FoundationEssentials

extension ProducerRecord {
    /// Makes a record whose value is `payload` as JSON, with dates as ISO 8601 texts; throws what encoding throws.
    public init(
        topic: String,
        key: String? = nil,
        encoding payload: some Encodable,
        headers: [String: String] = [:]
    ) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(topic: topic, key: key, value: nil, headers: headers)
        value = try Array(encoder.encode(payload))
    }
}

/// The outcome of sending several records and waiting for all of them.
public struct SendSummary: Sendable {
    /// How many records there were.
    public let total: Int
    /// The records that failed, by index.
    public let failures: [Delivery.Failure]
    /// From the first record handed over to the last one settled.
    public let duration: Duration

    /// How many records the brokers have.
    public var sent: Int { total - failures.count }
}

extension Producer {
    /// Sends records, which may go to different topics, and waits until each is acknowledged or has failed.
    ///
    /// Throws `closed` or `cancelled`; failures of single records are in the result.
    public func send(contentsOf records: [ProducerRecord]) async throws(KafkaClientError) -> SendSummary {
        let start = ContinuousClock.now
        var buffer = RecordBuffer(records: records.count)
        for record in records {
            buffer.append(
                topic: buffer.index(ofTopic: record.topic),
                partition: record.partition ?? -1,
                timestamp: record.timestamp ?? -1,
                key: record.key,
                value: record.value,
                headers: record.headers
            )
        }
        let delivery = try await send(buffer)
        do { try await delivery.wait() } catch {
            if !delivery.isDone { throw error }
        }
        return SendSummary(total: records.count, failures: delivery.failures, duration: ContinuousClock.now - start)
    }
}

extension Sequence<RecordBuffer.Header> {
    /// The value of the last header with this name as text, as Kafka's clients read it; nil without one, or for a null value.
    public subscript(text name: String) -> String? {
        reversed().first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
}
