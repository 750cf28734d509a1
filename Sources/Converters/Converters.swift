internal import ConnectConfig
internal import ConnectModel
public import ConnectSDK

/// The converters of Kafka Connect, under its class names.
public enum Converters {
    /// The Kafka version whose behaviour they have.
    static let version = "4.3.1"

    /// What the runtime tells every converter about itself; a config need not.
    static let typeKey = ConfigKey<String>.word(
        "converter.type",
        of: ["key", "value", "header"],
        importance: .low,
        "What the converter is used for; the worker sets it."
    )

    /// Converters of keys and values.
    public static let all: [PluginDescriptor<any Converter>] = [
        describe("converters.BooleanConverter", "Booleans as one byte.") { _, _ throws(ConnectError) in
            BooleanConverter()
        },
        describe("converters.ByteArrayConverter", "Bytes as they are.") { _, _ throws(ConnectError) in
            ByteArrayConverter()
        },
        describe("converters.DoubleConverter", "64-bit floating point numbers, big-endian.") {
            _,
            _ throws(ConnectError) in NumberConverter(.float64)
        },
        describe("converters.FloatConverter", "32-bit floating point numbers, big-endian.") {
            _,
            _ throws(ConnectError) in NumberConverter(.float32)
        },
        describe("converters.IntegerConverter", "32-bit whole numbers, big-endian.") {
            _,
            _ throws(ConnectError) in NumberConverter(.int32)
        },
        describe("converters.LongConverter", "64-bit whole numbers, big-endian.") {
            _,
            _ throws(ConnectError) in NumberConverter(.int64)
        },
        describe("converters.ShortConverter", "16-bit whole numbers, big-endian.") {
            _,
            _ throws(ConnectError) in NumberConverter(.int16)
        },
        describe("json.JsonConverter", "JSON, with or without a schema in each message.", JsonConverter.Keys.all) {
            config,
            _ throws(ConnectError) in try JsonConverter(config)
        },
        describe("storage.StringConverter", "Text in a character encoding.", StringConverter.Keys.all) {
            config,
            isKey throws(ConnectError) in try StringConverter(config, isKey: isKey)
        },
    ]

    /// Converters of headers: all of ``all``, and the one that guesses.
    public static let headers: [PluginDescriptor<any HeaderConverter>] =
        all.map { converter in
            PluginDescriptor(
                name: converter.name,
                aliases: converter.aliases,
                version: converter.version,
                summary: converter.summary,
                keys: converter.keys
            ) { config, isKey throws(ConfigInvalid) in HeaderUse(converter: try converter.make(config, isKey)) }
        } + [
            PluginDescriptor(
                name: "org.apache.kafka.connect.storage.SimpleHeaderConverter",
                aliases: ["SimpleHeaderConverter", "Simple"],
                version: version,
                summary: "Text whose type is guessed when it is read."
            ) { _, _ throws(ConfigInvalid) in SimpleHeaderConverter() }
        ]

    private static func describe(
        _ name: String,
        _ summary: String,
        _ keys: [any AnyConfigKey] = [],
        make: @escaping @Sendable ([String: String], Bool) throws(ConnectError) -> any Converter
    ) -> PluginDescriptor<any Converter> {
        let short = String(name.drop { $0 != "." }.dropFirst())
        return PluginDescriptor(
            name: "org.apache.kafka.connect.\(name)",
            aliases: [short, String(short.dropLast("Converter".count))],
            version: version,
            summary: summary,
            keys: [typeKey] + keys
        ) { config, isKey throws(ConfigInvalid) in
            do throws(ConnectError) { return try make(config, isKey) } catch {
                throw ConfigInvalid(issues: [
                    ConfigIssue(
                        key: keys.first?.definition.name ?? "",
                        message: error.message,
                        javaClass: error.className
                    )
                ])
            }
        }
    }
}

/// Uses a converter of values for headers.
struct HeaderUse: HeaderConverter {
    let converter: any Converter

    func toConnectHeader(topic: String, name: String, bytes: [UInt8]?) throws(DataError) -> SchemaAndValue {
        guard let bytes else { return try converter.toConnect(topic: topic, bytes: nil) }
        return try converter.toConnect(topic: topic, bytes: unsafe bytes.span.bytes)
    }

    func fromConnectHeader(topic: String, name: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        try converter.fromConnect(topic: topic, data)
    }
}

extension DataError {
    /// The same error at the edge of the SDK.
    init(_ error: ConnectError) { self.init(error.message, javaClass: error.className) }
}

extension ConfigKey {
    /// The value in a plugin's own config.
    func read(_ config: [String: String]) throws(ConnectError) -> Value {
        do throws(ConfigIssue) { return try value(in: config) } catch { throw .config(error.message) }
    }
}

extension RawSpan {
    /// A copy.
    var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
