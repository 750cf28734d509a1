public import ConnectConfig
internal import ConnectModel
public import ConnectSDK
internal import JSONReading

/// Tries a connector's transforms on records as JSON lines, without Kafka, for `sluice transform`.
///
/// ```swift
/// let trial = try RecordTrial(config: config, isSink: true, plugins: plugins)
/// switch trial.run(line: #"{"price":"1.50"}"#, number: 1) { case .passed(let line): print(line); default: break }
/// ```
public struct RecordTrial: Sendable {
    /// What became of a line.
    public enum Outcome: Sendable, Hashable {
        /// The record that came out, as a line.
        case passed(String)
        /// The transform that dropped the record: its name in the config and its class.
        case dropped(transform: String, plugin: String)
        /// The line is no record, or a transform refused it.
        case failed(reason: String)
    }

    private let chain: TransformChain
    private let topic: String
    private let isSink: Bool

    /// Builds the chain out of a connector's whole config; throws what is wrong with its transforms and predicates.
    ///
    /// A record that names no topic has the first of `topics`, or `topic`, or "topic".
    public init(config: [String: String], isSink: Bool, plugins: Plugins) throws(ConfigInvalid) {
        chain = try TransformChain.chain(config, transforms: plugins.transforms, predicates: plugins.predicates)
        let topics = (config["topics"] ?? config["topic"] ?? "").split(separator: ",").map { trimmed($0) }
        (topic, self.isSink) = (topics.first { !$0.isEmpty } ?? "topic", isSink)
    }

    /// How many transforms there are.
    public var count: Int { chain.stages.count }

    /// Runs one line through all transforms; `number` counts lines from 1 and stands for a sink's offset.
    public func run(line: [UInt8], number: Int) -> Outcome {
        do {
            let record = try record(JSONParser().parse(line), number)
            switch chain.trace(record) {
            case .passed(let record): return .passed(try Self.line(record))
            case .dropped(let stage): return .dropped(transform: stage.alias, plugin: stage.className)
            case .failed(let error, let stage):
                return .failed(reason: "transform \(stage.alias) (\(stage.className)): \(error.message)")
            }
        } catch let error as ConnectError {
            return .failed(reason: "not a record: \(error.message)")
        } catch {
            return .failed(reason: "not JSON: \(error)")
        }
    }

    // Reading

    private static let names: Set<String> = [
        "topic", "partition", "offset", "timestamp", "timestamp_type", "key", "value", "headers",
    ]

    /// An object with `value` and nothing but names of a record's parts is a record; any other JSON is a value.
    private func record(_ json: Value, _ number: Int) throws(ConnectError) -> ConnectRecord {
        var parts = MapValue()
        if case .map(let map) = json, map["value"] != nil,
            map.entries.allSatisfy({ Self.names.contains($0.key.javaText) })
        {
            parts = map
        } else {
            parts["value"] = json
        }
        var record = ConnectRecord(
            topic: try text(parts["topic"], "topic") ?? topic,
            partition: try integer(parts["partition"], "partition").map { Int32(truncatingIfNeeded: $0) },
            key: try data(parts["key"]),
            value: try data(parts["value"]),
            timestamp: try integer(parts["timestamp"], "timestamp"),
            headers: try headers(parts["headers"])
        )
        guard isSink else { return record }
        let type = try text(parts["timestamp_type"], "timestamp_type").flatMap(
            ConnectRecord.TimestampType.init(rawValue:)
        )
        record.partition = record.partition ?? 0
        record.origin = ConnectRecord.Origin(
            TopicPartition(record.topic, record.partition ?? 0),
            offset: try integer(parts["offset"], "offset") ?? Int64(number - 1),
            timestampType: type ?? (record.timestamp == nil ? .none : .create)
        )
        return record
    }
    private func text(_ json: Value?, _ name: String) throws(ConnectError) -> String? {
        switch json {
        case nil, .null?: return nil
        case .string(let text)?: return text
        default: throw ConnectError(.data, "\(name) must be a text")
        }
    }
    private func integer(_ json: Value?, _ name: String) throws(ConnectError) -> Int64? {
        switch json {
        case nil, .null?: return nil
        case .int64(let number)?: return number
        default: throw ConnectError(.data, "\(name) must be a whole number")
        }
    }
    /// `{"schema": …, "payload": …}` has a schema, as JsonConverter's envelope; anything else is plain JSON.
    private func data(_ json: Value?) throws(ConnectError) -> SchemaAndValue {
        guard let json else { return .null }
        if case .map(let map) = json, map["schema"] != nil, map["payload"] != nil,
            map.entries.allSatisfy({ ["schema", "payload", "types"].contains($0.key.javaText) })
        {
            return try EvaluationReading.data(json)
        }
        return SchemaAndValue(nil, json)
    }
    /// `{"name": value, …}`, or a list of such objects, which may repeat names.
    private func headers(_ json: Value?) throws(ConnectError) -> [ConnectHeader] {
        var headers: [ConnectHeader] = []
        switch json {
        case nil, .null?: break
        case .map(let map)?:
            for entry in map.entries {
                headers.append(ConnectHeader(name: entry.key.javaText, value: try data(entry.value)))
            }
        case .array(let list)?: for element in list { headers += try self.headers(element) }
        default: throw ConnectError(.data, "headers must be an object, or a list of objects")
        }
        return headers
    }

    // Writing

    private static func line(_ record: ConnectRecord) throws(ConnectError) -> String {
        var json: [UInt8] = []
        func put(_ text: String) { json.append(contentsOf: text.utf8) }
        put("{\"topic\":")
        JSONWriter.append(string: record.topic, to: &json)
        if let partition = record.partition { put(",\"partition\":\(partition)") }
        if let offset = record.offset { put(",\"offset\":\(offset)") }
        if let timestamp = record.timestamp { put(",\"timestamp\":\(timestamp)") }
        put(",\"key\":")
        try append(record.key, to: &json)
        put(",\"value\":")
        try append(record.value, to: &json)
        if !record.headers.isEmpty {
            put(",\"headers\":[")
            for (index, header) in record.headers.enumerated() {
                put(index > 0 ? ",{" : "{")
                JSONWriter.append(string: header.name, to: &json)
                put(":")
                try append(header.value, to: &json)
                put("}")
            }
            put("]")
        }
        put("}")
        return String(decoding: json, as: UTF8.self)
    }
    private static func append(_ data: SchemaAndValue, to json: inout [UInt8]) throws(ConnectError) {
        guard data.schema != nil else {
            return try JSONWriter(decimals: .numeric, replacesNullWithDefault: false, lenient: true)
                .append(data.value, to: &json)
        }
        json.append(UInt8(ascii: "{"))
        EvaluationWriting.append(data, to: &json)
        json.append(UInt8(ascii: "}"))
    }
}
