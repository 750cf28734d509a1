import Blocking
import ConnectConfig
import ConnectModel
import ConnectSDK
import Logs
import Synchronization

extension WorkerHerder {
    func offsets(_ name: String) async throws(HerderError) -> [SourcePosition] {
        let record = try record(name, .notFound)
        if kind(of: record.config) == .sink {
            let group = group(of: name, record)
            let committed = try await groups("reading the offsets of consumer group \(group)") {
                try await context.groups.offsets(of: group)
            }
            return committed.sorted { $0.key < $1.key }.map(SinkOffsets.position)
        }
        let storage = try sourceOffsets(of: record)
        return try await topics("reading the offsets topic") { try await storage.positions(of: name) }
    }
    func alterOffsets(_ name: String, _ offsets: [SourcePosition]) async throws(HerderError) -> String {
        _ = try record(name, .notFound)
        guard !offsets.isEmpty else {
            throw .badRequest("Partitions / offsets need to be provided for an alter offsets request")
        }
        return try await supervisor(name).lane.run(asking: "altering offsets of \(name)") { () throws(HerderError) in
            let record = try await requireStopped(name)
            if kind(of: record.config) == .sink {
                let group = group(of: name, record), wanted = try SinkOffsets.parse(offsets)
                try await move(.set(wanted), of: name, record)
                try await groups("altering the offsets of consumer group \(group)") {
                    try await context.groups.alter(group, wanted)
                }
            } else {
                try check(offsets, of: record)
                let storage = try sourceOffsets(of: record)
                try await topics("writing offsets") {
                    try await supervisor(name).fenceOlderTasks(record)
                    _ = try await storage.positions(of: name)
                    try await storage.store(offsets, of: name)
                }
            }
            return "The offsets for this connector have been altered successfully"
        }
    }
    func resetOffsets(_ name: String) async throws(HerderError) -> String {
        _ = try record(name, .notFound)
        return try await supervisor(name).lane.run(asking: "resetting offsets of \(name)") { () throws(HerderError) in
            let record = try await requireStopped(name)
            if kind(of: record.config) == .sink {
                let group = group(of: name, record)
                try await move(.reset, of: name, record)
                try await groups("deleting consumer group \(group)") { try await context.groups.delete(group) }
            } else {
                let storage = try sourceOffsets(of: record)
                try await topics("removing offsets") {
                    try await supervisor(name).fenceOlderTasks(record)
                    let gone = try await storage.positions(of: name).map {
                        SourcePosition(partition: $0.partition, offset: nil)
                    }
                    try await storage.store(gone, of: name)
                }
            }
            return "The offsets for this connector have been reset successfully"
        }
    }

    /// Offsets may be changed only while nothing can be writing them.
    private func requireStopped(_ name: String) async throws(HerderError) -> ConnectorRecord {
        try await store("reading the config topic") { () throws(StoreError) in try await context.configs.readToEnd() }
        let record = try record(name, .notFound)
        guard record.target == .stopped, record.tasks.isEmpty else {
            throw .badRequest(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the "
                    + "specified connector by issuing a 'PUT' request to the '/connectors/\(name)/stop' endpoint"
            )
        }
        // The topic says stopped; what ran here may still be on its way out.
        await supervisor(name).stopTasks(Set(supervisor(name).state.withLock { $0.runs.keys }), writing: nil)
        return record
    }
    private func sourceOffsets(of record: ConnectorRecord) throws(HerderError) -> any TransactionalOffsetStorage {
        do throws(ConfigInvalid) {
            return context.offsetStorage(of: try context.config.providers.resolve(record.config.dictionary))
        } catch { throw .invalidConfig(error.issues) }
    }
    /// Does something to offset topics, with their failures in the herder's words.
    private func topics<R: Sendable>(_ doing: String, _ body: () async throws -> R) async throws(HerderError) -> R {
        let began = milliseconds()
        do { return try await body() } catch let error as StoreError where error.isTimeout {
            throw .timeout(stage: "\(doing): \(error)", since: ISOTime.text(began))
        } catch { throw .internalError("\(doing): \(error)") }
    }
    /// Has a sink move the offsets that it keeps beside its data: they count for more than the group's.
    private func move(
        _ change: SinkOffsetsChange,
        of name: String,
        _ record: ConnectorRecord
    ) async throws(HerderError) {
        guard let sink = context.descriptor(of: record.config) as? SinkDescriptor else { return }
        let raw = try resolved(record.config, of: sink)
        let result = await withTaskExecutorPreference(TaskThread(label: "sluice.offsets.\(name)")) {
            () async -> Result<Void, OffsetsError> in
            do throws(OffsetsError) { return .success(try await sink.move(offsets: change, of: name, raw)) } catch {
                return .failure(error)
            }
        }
        do throws(OffsetsError) { try result.get() } catch {
            throw error.isRefusal ? .badRequest("\(error)") : .internalError("\(error)")
        }
    }
    private func check(_ positions: [SourcePosition], of record: ConnectorRecord) throws(HerderError) {
        guard let source = context.descriptor(of: record.config) as? SourceDescriptor else { return }
        let raw = try resolved(record.config, of: source)
        do throws(OffsetsError) { try source.check(offsets: positions, raw) } catch {
            throw .badRequest("\(error)")
        }
    }
    private func resolved(
        _ config: ConfigMap,
        of descriptor: any ConnectorDescriptor
    ) throws(HerderError) -> [String: String] {
        do throws(ConfigInvalid) {
            return context.completed(try context.config.providers.resolve(config.dictionary), of: descriptor)
        } catch { throw .invalidConfig(error.issues) }
    }
    private func group(of name: String, _ record: ConnectorRecord) -> String {
        record.config["consumer.override.group.id"] ?? "connect-\(name)"
    }
    private func groups<R: Sendable>(
        _ doing: String,
        _ body: () async throws -> R
    ) async throws(HerderError) -> R {
        do { return try await body() } catch {
            throw .internalError(
                "\(doing): \(error). If a task is still leaving the group, try again in a few seconds."
            )
        }
    }
}

/// Offsets of sinks in the shape of REST (Kafka Connect 4.3, `SinkUtils`).
enum SinkOffsets {
    static func position(_ partition: TopicPartition, _ offset: Int64) -> SourcePosition {
        SourcePosition(
            partition: ["kafka_partition": .int(Int64(partition.partition)), "kafka_topic": .string(partition.topic)],
            offset: ["kafka_offset": .int(offset)]
        )
    }
    static func parse(_ offsets: [SourcePosition]) throws(HerderError) -> [TopicPartition: Int64?] {
        var found: [TopicPartition: Int64?] = [:]
        for position in offsets {
            let partition = position.partition
            guard let topicValue = partition["kafka_topic"], let numberValue = partition["kafka_partition"] else {
                throw .badRequest(
                    "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"
                )
            }
            let topic = text(topicValue)
            guard topicValue != .null, !topic.isEmpty else {
                throw .badRequest("Kafka topic names must be valid strings and may not be null")
            }
            guard numberValue != .null else {
                throw .badRequest("Kafka partitions must be valid numbers and may not be null")
            }
            guard let number = number(numberValue), let index = Int32(exactly: number), index >= 0 else {
                throw .badRequest(
                    "Failed to parse the following Kafka partition value in the provided offsets: '\(text(numberValue))'. "
                        + "Partition values for sink connectors need to be integers."
                )
            }
            let key = TopicPartition(topic, index)
            guard let offset = position.offset else {
                found.updateValue(nil, forKey: key)
                continue
            }
            guard let value = offset["kafka_offset"] else {
                throw .badRequest(
                    "The offset for a sink connector should either be null or contain the key 'kafka_offset'"
                )
            }
            guard let wanted = Self.number(value), wanted >= 0 else {
                throw .badRequest(
                    "Failed to parse the following Kafka offset value in the provided offsets: '\(text(value))'. Offset "
                        + "values for sink connectors need to be integers."
                )
            }
            found.updateValue(wanted, forKey: key)
        }
        return found
    }
    private static func number(_ value: OffsetValue) -> Int64? { value.int ?? value.string.flatMap { Int64($0) } }
    private static func text(_ value: OffsetValue) -> String {
        switch value {
        case .null: "null"
        case .string(let text): text
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        }
    }
}
