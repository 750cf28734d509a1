import ConnectModel
import ConnectSDK
import KafkaClient
import Logs
import Metrics
import Synchronization

private let log = Logger("sluice.task.errors")

/// Takes serialized records on their way to Kafka.
protocol RecordOutput: Sendable {
    func send(_ buffer: RecordBuffer) async throws(KafkaClientError) -> any RecordTicket
    func close(timeout: Duration) async
}

/// Tells when the records of a buffer have arrived.
protocol RecordTicket: Sendable {
    /// Returns when each record is acknowledged or has failed; the failures by index into the buffer.
    func settled() async -> [(index: Int, error: KafkaClientError)]
}

/// Brings bad records where `errors.*` wants them; when ``report(_:)`` returns, they are there.
final class ErrorReporter: Sendable {
    private let settings: ErrorSettings
    private let id: TaskID
    private let meters: ErrorMeters
    private let open: @Sendable () throws(KafkaClientError) -> any RecordOutput
    private let output = Mutex<(any RecordOutput)?>(nil)
    private let count = Atomic(0)

    /// `open` makes the dead letter queue's producer when the first letter is written.
    init(
        _ settings: ErrorSettings,
        _ id: TaskID,
        _ meters: ErrorMeters,
        open: @escaping @Sendable () throws(KafkaClientError) -> any RecordOutput
    ) {
        (self.settings, self.id, self.meters, self.open) = (settings, id, meters, open)
    }

    /// Throws `retry` when the dead letter queue cannot take them now, `fatal` when it never will.
    func report(_ records: [BadRecord]) async throws(TaskFailure) {
        guard !records.isEmpty else { return }
        if let topic = settings.deadLetterTopic { try await send(records, to: topic) }
        meters.failures.add(Double(records.count))
        meters.errors.add(Double(records.count))
        meters.skipped.add(Double(records.count))
        count.wrappingAdd(records.count, ordering: .relaxed)
        meters.lastError.set(Double(TaskTime.unix))
        if settings.logs { records.forEach(write) }
    }

    /// Records left out so far.
    var reported: Int { count.load(ordering: .relaxed) }

    /// An operation is tried again.
    func retried() {
        meters.failures.add(1)
        meters.retries.add(1)
        meters.lastError.set(Double(TaskTime.unix))
    }

    /// The record that ends the task; always logged.
    func failed(_ record: BadRecord) {
        meters.failures.add(1)
        meters.errors.add(1)
        meters.lastError.set(Double(TaskTime.unix))
        write(record)
    }

    func close(timeout: Duration) async {
        let output = self.output.withLock { output in
            defer { output = nil }
            return output
        }
        await output?.close(timeout: timeout)
    }

    private func send(_ records: [BadRecord], to topic: String) async throws(TaskFailure) {
        let letter = DeadLetter(topic: topic, id: id, hasContext: settings.deadLetterHeaders)
        let doing = "writing \(records.count) records to the dead letter queue \"\(topic)\""
        var waiting = records
        var withValue = true
        while !waiting.isEmpty {
            var buffer = RecordBuffer()
            for record in waiting { letter.append(record, withValue: withValue, to: &buffer) }
            meters.deadLetterRequests.add(Double(waiting.count))
            let failures: [(index: Int, error: KafkaClientError)]
            do throws(KafkaClientError) { failures = try await producer().send(buffer).settled() } catch {
                meters.deadLetterFailures.add(Double(waiting.count))
                throw error.asTaskFailure(doing: doing, key: "errors.deadletterqueue.topic.name")
            }
            meters.deadLetterFailures.add(Double(failures.count))
            // A letter that is too large is written once more without its value: the headers still tell where it was.
            if let other = failures.first(where: { $0.error.code != .messageTooLarge || !withValue }) {
                throw other.error.asTaskFailure(doing: doing, key: "errors.deadletterqueue.topic.name")
            }
            waiting = failures.map { waiting[$0.index] }
            withValue = false
        }
    }

    private func producer() throws(KafkaClientError) -> any RecordOutput {
        if let known = output.withLock({ $0 }) { return known }
        let made = try open()
        output.withLock { $0 = made }
        return made
    }

    private func write(_ record: BadRecord) {
        meters.logged.add(1)
        log.error(
            "Record failed",
            [
                "stage": "\(record.error.stage.rawValue)", "class": "\(record.error.className)",
                "exception": "\(record.error.exceptionClass)", "reason": "\(record.error.message)",
                "record": .text(settings.logsDetails ? place(of: record) : "not shown (errors.log.include.messages)"),
            ]
        )
    }

    private func place(of record: BadRecord) -> String {
        guard let origin = record.origin, let offset = record.offset else { return "from the source" }
        return "\(origin)@\(offset)" + (record.timestamp.map { " at \($0)" } ?? "")
    }
}

extension KafkaClientError {
    /// The verdict on a Kafka call that a task depends on.
    func asTaskFailure(doing: String, key: String? = nil) -> TaskFailure {
        if isRetriable && !isFatal { return .retry(doing: doing, because: description) }
        if code == .configuration { return .config(key ?? "bootstrap.servers", doing: doing, because: description) }
        return .fatal(doing: doing, because: description)
    }
}
