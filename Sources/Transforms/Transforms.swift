internal import ConnectConfig
internal import ConnectModel
public import ConnectSDK

/// Kafka's single message transforms and predicates, under its class names.
public enum Transforms {
    static let package = "org.apache.kafka.connect.transforms."
    private static let version = "4.3.1"

    /// The transforms; those that work on keys or values stand here twice.
    public static let all: [PluginDescriptor<any RecordTransform>] =
        pair("Cast", "Changes the type of fields or of the whole.", Cast.keys) {
            part,
            config throws(ConnectError) in try Cast(part, config)
        }
        + single("DropHeaders", "Removes headers.", DropHeaders.keys) {
            config throws(ConnectError) in try DropHeaders(config)
        }
        + pair("ExtractField", "Replaces the whole by one of its fields.", ExtractField.keys) {
            part,
            config throws(ConnectError) in try ExtractField(part, config)
        }
        + single("Filter", "Drops every record that reaches it; to be used with a predicate.", []) {
            _ throws(ConnectError) in Filter()
        }
        + pair("Flatten", "Brings nested fields to the top.", Flatten.keys) {
            part,
            config throws(ConnectError) in try Flatten(part, config)
        }
        + pair("HeaderFrom", "Moves or copies fields into headers.", HeaderFrom.keys) {
            part,
            config throws(ConnectError) in try HeaderFrom(part, config)
        }
        + pair("HoistField", "Puts the whole into a field of a new struct or map.", HoistField.keys) {
            part,
            config throws(ConnectError) in try HoistField(part, config)
        }
        + pair("InsertField", "Adds topic, partition, offset, timestamp or a fixed text as fields.", InsertField.keys) {
            part,
            config throws(ConnectError) in try InsertField(part, config)
        }
        + single("InsertHeader", "Adds a header with a fixed value.", InsertHeader.keys) {
            config throws(ConnectError) in try InsertHeader(config)
        }
        + pair("MaskField", "Hides the values of fields.", MaskField.keys) {
            part,
            config throws(ConnectError) in try MaskField(part, config)
        }
        + single("RegexRouter", "Changes the topic by a regular expression.", RegexRouter.keys) {
            config throws(ConnectError) in try RegexRouter(config)
        }
        + pair("ReplaceField", "Leaves fields out or renames them.", ReplaceField.keys) {
            part,
            config throws(ConnectError) in try ReplaceField(part, config)
        }
        + pair("SetSchemaMetadata", "Sets name and version of the schema.", SetSchemaMetadata.keys) {
            part,
            config throws(ConnectError) in try SetSchemaMetadata(part, config)
        }
        + pair("TimestampConverter", "Changes the form of timestamps.", TimestampConverter.keys) {
            part,
            config throws(ConnectError) in try TimestampConverter(part, config)
        }
        + single("TimestampRouter", "Puts the timestamp into the topic.", TimestampRouter.keys) {
            config throws(ConnectError) in try TimestampRouter(config)
        }
        + own("Compute", "Sets a field of the value to what an expression gives.", Compute.keys) {
            config throws(ConnectError) in try Compute(config)
        }
        + own("FilterBy", "Keeps or drops records by a condition over their fields.", FilterBy.keys) {
            config throws(ConnectError) in try FilterBy(config)
        }
        + single("ValueToKey", "Makes the key out of fields of the value.", ValueToKey.keys) {
            config throws(ConnectError) in try ValueToKey(config)
        }

    /// The predicates.
    public static let predicates: [PluginDescriptor<any RecordPredicate>] = [
        predicate("HasHeaderKey", "True for records with a header of that name.", HasHeaderKey.keys) {
            config throws(ConnectError) in try HasHeaderKey(config)
        },
        predicate("RecordIsTombstone", "True for records without a value.", []) {
            _ throws(ConnectError) in RecordIsTombstone()
        },
        predicate("TopicNameMatches", "True for records of topics that match.", TopicNameMatches.keys) {
            config throws(ConnectError) in try TopicNameMatches(config)
        },
    ]

    private static func pair(
        _ name: String,
        _ summary: String,
        _ keys: [any AnyConfigKey],
        make: @escaping @Sendable (RecordPart, [String: String]) throws(ConnectError) -> any Transform
    ) -> [PluginDescriptor<any RecordTransform>] {
        [RecordPart.key, .value].map { part in
            describe("\(name)$\(part.rawValue)", [], summary, keys) { config throws(ConnectError) in
                try make(part, config)
            }
        }
    }

    private static func single(
        _ name: String,
        _ summary: String,
        _ keys: [any AnyConfigKey],
        make: @escaping @Sendable ([String: String]) throws(ConnectError) -> any Transform
    ) -> [PluginDescriptor<any RecordTransform>] {
        [describe(name, [name], summary, keys, make: make)]
    }

    /// A transform that Kafka Connect does not have; its class name is short, as those of our connectors are.
    private static func own(
        _ name: String,
        _ summary: String,
        _ keys: [any AnyConfigKey],
        make: @escaping @Sendable ([String: String]) throws(ConnectError) -> any Transform
    ) -> [PluginDescriptor<any RecordTransform>] {
        [
            PluginDescriptor(name: name, version: "1.0", summary: summary, keys: keys) {
                config,
                _ throws(ConfigInvalid) in
                do throws(ConnectError) { return ConnectTransform(transform: try make(config)) } catch {
                    throw invalid(error)
                }
            }
        ]
    }

    private static func describe(
        _ name: String,
        _ aliases: [String],
        _ summary: String,
        _ keys: [any AnyConfigKey],
        make: @escaping @Sendable ([String: String]) throws(ConnectError) -> any Transform
    ) -> PluginDescriptor<any RecordTransform> {
        PluginDescriptor(name: package + name, aliases: aliases, version: version, summary: summary, keys: keys) {
            config,
            _ throws(ConfigInvalid) in
            do throws(ConnectError) { return ConnectTransform(transform: try make(config)) } catch {
                throw invalid(error)
            }
        }
    }

    private static func predicate(
        _ name: String,
        _ summary: String,
        _ keys: [any AnyConfigKey],
        make: @escaping @Sendable ([String: String]) throws(ConnectError) -> any RecordPredicate
    ) -> PluginDescriptor<any RecordPredicate> {
        PluginDescriptor(
            name: package + "predicates." + name,
            aliases: [name],
            version: version,
            summary: summary,
            keys: keys
        ) { config, _ throws(ConfigInvalid) in
            do throws(ConnectError) { return try make(config) } catch { throw invalid(error) }
        }
    }

    private static func invalid(_ error: ConnectError) -> ConfigInvalid {
        ConfigInvalid(issues: [ConfigIssue(key: "", message: error.message, javaClass: error.className)])
    }
}
