import ConnectModel
import KafkaClient

/// Reads a topic once, from its beginning to where it ends at the call; transactions that are open there are waited for.
struct TopicReading {
    let admin: Admin
    /// A reader of committed records that is told the ends of partitions.
    let settings: KafkaSettings
    let patience: Duration

    func run(_ topic: String, _ handler: (LogRecord) -> Void) async throws(StoreError) {
        let doing = "reading topic \"\(topic)\" to its end"
        do throws(KafkaClientError) {
            let count = try await admin.describeTopic(topic, timeout: patience)?.partitions.count ?? 0
            let partitions = (0..<Int32(count)).map { TopicPartition(topic, $0) }
            let ends = try await admin.settledWatermarks(partitions, timeout: patience)
            let wanted = ends.filter { $0.value.high > $0.value.low }.mapValues(\.high)
            guard !wanted.isEmpty else { return }
            let reader = try Consumer(settings)
            do throws(KafkaClientError) { try await read(wanted, with: reader, handler) } catch {
                await reader.close(timeout: .seconds(1))
                throw error
            }
            await reader.close(timeout: .seconds(1))
        } catch { throw StoreError("\(doing): \(error)", isTimeout: error.code == .timedOut) }
    }

    private func read(
        _ wanted: [TopicPartition: Int64],
        with reader: Consumer,
        _ handler: (LogRecord) -> Void
    ) async throws(KafkaClientError) {
        let deadline = ContinuousClock.now + patience
        var left = wanted
        try await reader.assign(left.mapValues { _ in .beginning })
        while !left.isEmpty {
            guard ContinuousClock.now < deadline else {
                let open = left.keys.sorted().map(\.description).joined(separator: ", ")
                throw KafkaClientError(
                    code: .timedOut,
                    reason: "\(open) not read within \(patience); is a transaction open there?",
                    isRetriable: true
                )
            }
            var reached: [TopicPartition: Int64] = [:]
            switch try await reader.poll(maxRecords: 1_000, timeout: .seconds(1)) {
            case .batch(let batch):
                batch.forEachLogRecord { _, record in handler(record) }
                reached = batch.endOffsets
            case .endOfPartition(let partition, let offset): reached = [partition: offset]
            case .assigned, .revoked, .idle: break
            }
            for (partition, offset) in reached where offset >= left[partition] ?? .max { left[partition] = nil }
        }
    }
}

extension Admin {
    /// The ends of partitions; a topic that was just made has no leader yet for a moment, which is no reason to give up.
    func settledWatermarks(
        _ partitions: [TopicPartition],
        timeout: Duration
    ) async throws(KafkaClientError) -> [TopicPartition: (low: Int64, high: Int64)] {
        var attempt = 0
        while true {
            do throws(KafkaClientError) { return try await watermarks(partitions, timeout: timeout) } catch {
                attempt += 1
                let isPassing = error.isRetriable || error.code == .unknownTopicOrPartition
                guard isPassing, attempt < 20, !Task.isCancelled else { throw error }
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }
}

extension MessageBatch {
    /// Copies each record out, with the index of its partition.
    func forEachLogRecord(_ body: (_ place: Int, _ record: LogRecord) -> Void) {
        for index in 0..<count {
            let place = partitionIndex(at: index)
            body(
                place,
                LogRecord(
                    partition: partitions[place].partition,
                    offset: offset(at: index),
                    key: key(at: index),
                    value: value(at: index)
                )
            )
        }
    }
}
