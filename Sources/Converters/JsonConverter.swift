internal import ConnectConfig
internal import ConnectModel
internal import ConnectSDK
internal import JSONReading
internal import Synchronization

/// JSON as Kafka Connect's JsonConverter reads and writes it.
final class JsonConverter: Converter {
    private let isEnveloped: Bool
    private let reader: JsonValueReader
    private let writer: JSONWriter
    private let fixedSchema: Schema?
    private let cacheSize: Int
    private let state = Mutex(State())

    /// What must not be used from two places at once.
    private struct State {
        let parser = JSONParser()
        let fields = JSONObjectReader()
        var schemas: [[UInt8]: Schema] = [:]
        var last: (json: [UInt8], schema: Schema)?
        var written: [Schema: [UInt8]] = [:]
    }

    init(_ config: [String: String]) throws(ConnectError) {
        isEnveloped = try Keys.schemasEnable.read(config)
        cacheSize = try Keys.cacheSize.read(config)
        let content = try Keys.schemaContent.read(config)
        let replaces = try Keys.replaceNull.read(config)
        writer = JSONWriter(decimals: try Keys.decimalFormat.read(config), replacesNullWithDefault: replaces)
        reader = JsonValueReader(replacesNullWithDefault: replaces)
        fixedSchema = try Self.schema(inContent: content, reader)
    }

    private static func schema(inContent content: String?, _ reader: JsonValueReader) throws(ConnectError) -> Schema? {
        guard let content, !content.isEmpty else { return nil }
        do {
            guard let json = try LenientJSON.parse(Array(content.utf8)) else { return nil }
            return try reader.schema(json)
        } catch let error as ConnectError {
            throw error
        } catch {
            throw .data("Failed to parse schema in converter config due to serialization error: ")
        }
    }

    var rawFormat: RawFormat? { isEnveloped ? nil : .json }

    func toConnect(topic: String, bytes: RawSpan?) throws(DataError) -> SchemaAndValue {
        guard let bytes else { return .null }
        do throws(ConnectError) {
            if !isEnveloped { return try SchemaAndValue(nil, document(bytes) ?? .null) }
            if let fixedSchema {
                guard let json = try document(bytes) else {
                    return try SchemaAndValue(fixedSchema, reader.valueOfNothing(fixedSchema))
                }
                return try SchemaAndValue(fixedSchema, reader.value(json, fixedSchema))
            }
            return try envelope(bytes)
        } catch { throw DataError(error) }
    }

    private func document(_ bytes: RawSpan) throws(ConnectError) -> Value? {
        let strict: Value? = state.withLock { try? $0.parser.parse(bytes) }
        if let strict { return strict }
        do throws(LenientJSON.Malformed) { return try LenientJSON.parse(bytes.array) } catch {
            throw .data("Converting byte[] to Kafka Connect data failed due to serialization error: ")
        }
    }

    /// The schemas of most topics are few: their JSON text is looked up, so that only the payload is read.
    private func envelope(_ bytes: RawSpan) throws(ConnectError) -> SchemaAndValue {
        let known: SchemaAndJSON? = state.withLock { state in
            guard (try? state.fields.read(bytes)) != nil, state.fields.count == 2 else { return nil }
            guard let place = state.fields.field(Self.schemaName), let payload = state.fields.field(Self.payloadName)
            else { return nil }
            let text = state.fields.withRaw(place) { $0.array }
            let schema = state.last.flatMap { $0.json == text ? $0.schema : nil } ?? state.schemas[text]
            guard let schema, let json = state.fields.withRaw(payload, { try? state.parser.parse($0) }) else {
                return nil
            }
            state.last = (text, schema)
            return SchemaAndJSON(schema: schema, json: json)
        }
        if let known { return try SchemaAndValue(known.schema, reader.value(known.json, known.schema)) }
        guard case .map(let map) = try document(bytes), map.count == 2, let json = map["schema"],
            let payload = map["payload"]
        else {
            throw .data(
                "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional"
                    + " fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your"
                    + " converter configuration."
            )
        }
        guard let schema = try reader.schema(json) else { return SchemaAndValue(nil, payload) }
        remember(schema, bytes)
        return try SchemaAndValue(schema, reader.value(payload, schema))
    }

    private struct SchemaAndJSON: Sendable {
        let schema: Schema
        let json: Value
    }
    private static let schemaName = Array("schema".utf8)
    private static let payloadName = Array("payload".utf8)

    private func remember(_ schema: Schema, _ bytes: RawSpan) {
        state.withLock { state in
            guard cacheSize > 0, (try? state.fields.read(bytes)) != nil, let place = state.fields.field(Self.schemaName)
            else { return }
            if state.schemas.count >= cacheSize { state.schemas.removeAll() }
            state.schemas[state.fields.withRaw(place) { $0.array }] = schema
        }
    }

    func fromConnect(topic: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        if data.schema == nil, data.value.isNull { return nil }
        do throws(ConnectError) {
            var json: [UInt8] = []
            if isEnveloped {
                json.append(contentsOf: #"{"schema":"#.utf8)
                if let schema = data.schema {
                    json += try text(of: schema)
                } else {
                    json.append(contentsOf: "null".utf8)
                }
                json.append(contentsOf: #","payload":"#.utf8)
            }
            try writer.append(data.value, schema: data.schema, to: &json)
            if isEnveloped { json.append(UInt8(ascii: "}")) }
            return json
        } catch { throw DataError(error) }
    }

    private func text(of schema: Schema) throws(ConnectError) -> [UInt8] {
        if let known = state.withLock({ $0.written[schema] }) { return known }
        var json: [UInt8] = []
        try writer.append(schema: schema, to: &json)
        state.withLock { state in
            if state.written.count >= cacheSize { state.written.removeAll() }
            state.written[schema] = json
        }
        return json
    }
}

extension JsonConverter {
    enum Keys {
        static let schemasEnable = ConfigKey<Bool>.boolean(
            "schemas.enable",
            default: true,
            importance: .high,
            "Whether each message is an object with a schema and a payload. Plain JSON needs false."
        ).shown(in: "Schemas", at: 0, as: "Enable Schemas")
        static let cacheSize = ConfigKey<Int>.int(
            "schemas.cache.size",
            default: 1000,
            importance: .high,
            "How many schemas the converter keeps, in each direction."
        ).shown(in: "Schemas", at: 1, as: "Schema Cache Size")
        static let schemaContent = ConfigKey<String?>.optionalString(
            "schema.content",
            importance: .high,
            "A schema, in JSON, for all messages that are read: they are payloads without an envelope then. It needs "
                + "schemas.enable=true; writing does not look at it."
        ).shown(in: "Schemas", at: 2, as: "Schema Content")
        static let decimalFormat = ConfigKey<JSONWriter.DecimalFormat>.choice(
            "decimal.format",
            default: .base64,
            importance: .low,
            "How decimals are written: BASE64, the unscaled value's bytes, or NUMERIC, a JSON number. Both are read."
        ).shown(in: "Serialization", at: 0, as: "Decimal Format")
        static let replaceNull = ConfigKey<Bool>.boolean(
            "replace.null.with.default",
            default: true,
            importance: .low,
            "Whether a null becomes the default of its field's schema, in both directions."
        ).shown(in: "Serialization", at: 1, as: "Replace null with default")
        static let all: [any AnyConfigKey] = [schemasEnable, cacheSize, schemaContent, decimalFormat, replaceNull]
    }
}
