/// Runs `body` with a producer that is closed afterwards, whatever happens.
///
/// ```swift
/// try await withProducer(settings) { producer in
///     _ = try await producer.send(ProducerRecord(topic: "orders", value: "{}"))
/// }
/// ```
/// Throws what making the producer throws (`configuration`) or what `body` throws.
public func withProducer<R>(
    _ settings: KafkaSettings,
    events: (@Sendable (ClientEvent) -> Void)? = nil,
    closeTimeout: Duration = .seconds(30),
    _ body: (Producer) async throws -> R
) async throws -> R {
    let producer = try Producer(settings, events: events)
    do {
        let result = try await body(producer)
        await producer.close(timeout: closeTimeout)
        return result
    } catch {
        await producer.close(timeout: closeTimeout)
        throw error
    }
}

/// Runs `body` with a consumer that leaves its group and is closed afterwards, whatever happens.
///
/// Throws what making the consumer throws (`configuration`) or what `body` throws.
public func withConsumer<R>(
    _ settings: KafkaSettings,
    events: (@Sendable (ClientEvent) -> Void)? = nil,
    closeTimeout: Duration = .seconds(10),
    _ body: (Consumer) async throws -> R
) async throws -> R {
    let consumer = try Consumer(settings, events: events)
    do {
        let result = try await body(consumer)
        await consumer.close(timeout: closeTimeout)
        return result
    } catch {
        await consumer.close(timeout: closeTimeout)
        throw error
    }
}
