internal import ConnectConfig
internal import ConnectModel
public import ConnectSDK
internal import JSONReading

/// Answers what a transform chain or a converter does to one record, for `sluice eval`: one JSON question, one JSON answer.
///
/// ```swift
/// let evaluation = Evaluation(plugins: plugins)
/// print(evaluation.answer(line: #"{"converter":"StringConverter","config":{},"direction":"to_connect","bytes":"x"}"#))
/// ```
public struct Evaluation: Sendable {
    private let plugins: Plugins
    private let validate: Validate

    /// Says which keys of a plugin's config have problems; nil values are JSON's null.
    ///
    /// Throws what makes Kafka Connect refuse the question as a whole.
    public typealias Validate =
        @Sendable (_ plugin: String, _ config: [(key: String, value: String?)]) throws(DataError) -> [(
            key: String, messages: [String]
        )]

    /// Asks the given plugins; `validate` answers questions about a plugin's config.
    public init(plugins: Plugins, validate: @escaping Validate) {
        (self.plugins, self.validate) = (plugins, validate)
    }

    /// The answer to one line; a question that cannot be read is answered with an error.
    public func answer(line: String) -> String {
        do {
            guard case .map(let question) = try JSONParser().parse(Array(line.utf8)) else {
                throw ConnectError(.illegalArgument, "question: expected a JSON object")
            }
            let config = Self.config(question["config"])
            if case .string(let plugin)? = question["plugin"] { return check(plugin, Self.pairs(question["config"])) }
            if case .string(let name)? = question["converter"] { return try convert(name, config, question) }
            return try transform(config, question["input"] ?? .null)
        } catch let error as ConfigInvalid {
            let issue = error.issues.first
            return Self.failure("config_error", issue?.javaClass ?? "", issue?.message ?? "")
        } catch let error as DataError {
            return Self.failure("error", error.javaClass, error.message)
        } catch let error as ConnectError {
            return Self.failure("error", error.className, error.message)
        } catch {
            return Self.failure("error", "java.lang.IllegalArgumentException", "question: \(error)")
        }
    }

    /// Texts as they are, everything else as its JSON text.
    private static func config(_ json: Value?) -> [String: String] {
        guard case .map(let map)? = json else { return [:] }
        var config: [String: String] = [:]
        for entry in map.entries where !entry.value.isNull { config[entry.key.javaText] = entry.value.javaText }
        return config
    }

    private static func pairs(_ json: Value?) -> [(key: String, value: String?)] {
        guard case .map(let map)? = json else { return [] }
        return map.entries.map { ($0.key.javaText, $0.value.isNull ? nil : $0.value.javaText) }
    }

    private func check(_ plugin: String, _ config: [(key: String, value: String?)]) -> String {
        let problems: [(key: String, messages: [String])]
        do throws(DataError) { problems = try validate(plugin, config) } catch {
            return Self.failure("exception", error.javaClass, error.message)
        }
        var json = Array(#"{"errors":{"#.utf8)
        for (index, problem) in problems.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            JSONWriter.append(string: problem.key, to: &json)
            json += Array(":[".utf8)
            for (place, message) in problem.messages.enumerated() {
                if place > 0 { json.append(UInt8(ascii: ",")) }
                JSONWriter.append(string: message, to: &json)
            }
            json.append(UInt8(ascii: "]"))
        }
        return String(decoding: json + Array("}}".utf8), as: UTF8.self)
    }

    private static func failure(_ kind: String, _ className: String, _ message: String) -> String {
        var json = Array("{\"\(kind)\":{\"class\":".utf8)
        JSONWriter.append(string: className, to: &json)
        json += Array(#","message":"#.utf8)
        JSONWriter.append(string: message, to: &json)
        return String(decoding: json + Array("}}".utf8), as: UTF8.self)
    }

    private func transform(_ config: [String: String], _ input: Value) throws -> String {
        let chain = try TransformChain.make(config, transforms: plugins.transforms, predicates: plugins.predicates)
        let record = try RecordReading.record(input)
        guard let output = try chain.map({ try $0.apply(record) }) ?? record else { return #"{"output":null}"# }
        var json = Array(#"{"output":"#.utf8)
        RecordReading.append(output, to: &json)
        return String(decoding: json + Array("}".utf8), as: UTF8.self)
    }

    private func convert(_ name: String, _ config: [String: String], _ question: MapValue) throws -> String {
        let isKey = question["is_key"] == .boolean(true)
        let isHeader = question["header"] == .boolean(true)
        let converter = isHeader ? nil : try Self.make(name, plugins.converters, config, isKey)
        let header = isHeader ? try Self.make(name, plugins.headerConverters, config, isKey) : nil
        if question["direction"] == .string("from_connect") {
            let data = try EvaluationReading.data(question["input"] ?? .null)
            let bytes =
                try header?.fromConnectHeader(topic: "golden", name: "h", data)
                ?? converter?.fromConnect(topic: "golden", data)
            return Self.answer(bytes)
        }
        let bytes = Self.bytes(question)
        let data: SchemaAndValue
        if let header {
            data = try header.toConnectHeader(topic: "golden", name: "h", bytes: bytes)
        } else if let bytes, let converter {
            data = try converter.toConnect(topic: "golden", bytes: unsafe bytes.span.bytes)
        } else {
            data = try converter?.toConnect(topic: "golden", bytes: nil) ?? .null
        }
        var json = Array(#"{"result":{"#.utf8)
        EvaluationWriting.append(data, to: &json)
        return String(decoding: json + Array("}}".utf8), as: UTF8.self)
    }

    private static func make<P>(
        _ name: String,
        _ plugins: [PluginDescriptor<P>],
        _ config: [String: String],
        _ isKey: Bool
    ) throws -> P {
        guard let plugin = plugins.first(where: { $0.name == name || $0.aliases.contains(name) }) else {
            throw ConfigInvalid(issues: [
                .invalid("converter", value: name, "Class \(name) could not be found.")
            ])
        }
        return try plugin.make(config, isKey)
    }

    private static func bytes(_ question: MapValue) -> [UInt8]? {
        if case .string(let text)? = question["bytes_base64"] { return Base64.decode(text.utf8) }
        if case .string(let text)? = question["bytes"] { return Array(text.utf8) }
        return nil
    }

    /// UTF-8 is answered as text, anything else as Base64.
    private static func answer(_ bytes: [UInt8]?) -> String {
        guard let bytes else { return #"{"bytes":null}"# }
        var json: [UInt8] = []
        if let text = String(validating: bytes, as: UTF8.self) {
            json += Array(#"{"bytes":"#.utf8)
            JSONWriter.append(string: text, to: &json)
        } else {
            json += Array(#"{"bytes_base64":"#.utf8)
            JSONWriter.append(string: Base64.encode(bytes), to: &json)
        }
        return String(decoding: json + Array("}".utf8), as: UTF8.self)
    }
}

/// Records in questions and answers.
enum RecordReading {
    static func record(_ json: Value) throws(ConnectError) -> ConnectRecord {
        guard case .map(let map) = json else { throw ConnectError(.illegalArgument, "question: input is no record") }
        guard case .string(let topic)? = map["topic"] else {
            throw ConnectError(.nullPointer, "question: the record has no topic")
        }
        let partition = integer(map["partition"]).map { Int32(truncatingIfNeeded: $0) }
        var record = ConnectRecord(
            topic: topic,
            partition: partition,
            key: try EvaluationReading.data(map["key"] ?? .null),
            value: try EvaluationReading.data(map["value"] ?? .null),
            timestamp: integer(map["timestamp"])
        )
        if case .array(let headers)? = map["headers"] {
            for header in headers {
                guard case .map(let parts) = header else { continue }
                let name = parts["key"]?.javaText ?? ""
                record.headers.append(ConnectHeader(name: name, value: try EvaluationReading.data(header)))
            }
        }
        if map["kind"] == .string("sink") {
            let type = (map["timestamp_type"]?.javaText).flatMap { ConnectRecord.TimestampType(rawValue: $0) }
            record.origin = ConnectRecord.Origin(
                TopicPartition(record.topic, partition ?? 0),
                offset: integer(map["offset"]) ?? 0,
                timestampType: type ?? .none
            )
        }
        return record
    }

    private static func integer(_ json: Value?) -> Int64? {
        if case .int64(let number)? = json { return number }
        return nil
    }

    static func append(_ record: ConnectRecord, to json: inout [UInt8]) {
        func put(_ text: String) { json.append(contentsOf: text.utf8) }
        func optional(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "null" }
        put("{\"kind\":\"\(record.origin == nil ? "source" : "sink")\",\"topic\":")
        JSONWriter.append(string: record.topic, to: &json)
        put(",\"partition\":\(optional(record.partition))")
        if let origin = record.origin { put(",\"offset\":\(origin.offset)") }
        put(",\"timestamp\":\(optional(record.timestamp))")
        if let type = record.timestampType { put(",\"timestamp_type\":\"\(type.rawValue)\"") }
        put(",\"key\":{")
        EvaluationWriting.append(record.key, to: &json)
        put("},\"value\":{")
        EvaluationWriting.append(record.value, to: &json)
        put("},\"headers\":[")
        for (index, header) in record.headers.enumerated() {
            put(index > 0 ? ",{\"key\":" : "{\"key\":")
            JSONWriter.append(string: header.name, to: &json)
            put(",")
            EvaluationWriting.append(header.value, to: &json)
            put("}")
        }
        put("]}")
    }
}
