import ConnectModel

/// How a bad record looks in the dead letter topic (Kafka Connect 4.3, `DeadLetterQueueReporter`).
struct DeadLetter: Sendable {
    let topic: String
    let id: TaskID
    /// Whether the context headers are added.
    let hasContext: Bool

    /// Appends the record: key, value, time and headers as they were, then the context.
    func append(_ record: BadRecord, withValue: Bool = true, to buffer: inout RecordBuffer) {
        buffer.append(
            topic: buffer.index(ofTopic: topic),
            timestamp: record.timestamp ?? -1,
            key: record.key,
            value: withValue ? record.value : nil,
            headers: record.headers + (hasContext ? context(of: record) : [])
        )
    }

    /// Connect's headers in Connect's order; the first three only when the record came from Kafka.
    func context(of record: BadRecord) -> [RecordBuffer.Header] {
        var headers: [RecordBuffer.Header] = []
        func add(_ name: String, _ text: String?) {
            headers.append(.init(name: "__connect.errors.\(name)", value: text.map { Array($0.utf8) }))
        }
        if let origin = record.origin, let offset = record.offset {
            add("topic", origin.topic)
            add("partition", "\(origin.partition)")
            add("offset", "\(offset)")
        }
        let error = record.error
        add("connector.name", id.connector)
        add("task.id", "\(id.task)")
        add("stage", error.stage.rawValue)
        add("class.name", error.className)
        add("exception.class.name", error.exceptionClass)
        add("exception.message", error.message.isEmpty ? nil : error.message)
        add("exception.stacktrace", "\(error.exceptionClass): \(error.message)\n\tat \(error.className)")
        return headers
    }
}
