import ConnectConfig
import ConnectSDK

/// The keys that every connector has, in Kafka Connect 4.3's groups and order (`ConnectorConfig`).
enum ConnectorKeys {
    static let common = "Common", errors = "Error Handling"

    static let name = ConfigKey<String>(
        "name",
        type: .string,
        default: nil,
        defaultText: nil,
        importance: .high,
        valid: "non-empty string without ISO control characters",
        "Name of the connector, unique in the cluster."
    ) { text throws(ConfigIssue.Reason) in
        let name = text.trimmingBlanks
        guard !name.isEmpty else { throw ConfigIssue.Reason("String may not be empty").showing("") }
        let control = name.unicodeScalars.filter { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
        guard control.isEmpty else {
            let list = control.map { "\($0.value)" }.joined(separator: ", ")
            throw ConfigIssue.Reason(
                "String may not contain control sequences but had the following ASCII chars: \(list)"
            )
        }
        return name
    }.shown(in: common, as: "Connector name")
    static let connectorClass = ConfigKey<String>.string(
        "connector.class",
        importance: .high,
        "Name or alias of the connector: as `GET /connector-plugins` lists it, or the class name of the Java connector it "
            + "stands for, with or without package and \"Connector\"."
    ).shown(in: common, as: "Connector class", width: .long)
    static let connectorVersion = version("connector.plugin.version", "connector", .medium, .medium)
    static let tasksMax = ConfigKey<Int>.int(
        "tasks.max",
        in: 1...Int(Int32.max),
        default: 1,
        importance: .high,
        "Most tasks that the connector may run."
    ).refusingNull(ConfigIssue.Reason("Value must be non-null")).shown(in: common, as: "Tasks max", width: .short)
    static let tasksMaxEnforce = ConfigKey<Bool>.boolean(
        "tasks.max.enforce",
        default: true,
        importance: .low,
        "Kept for compatibility: no connector makes more tasks than tasks.max allows."
    ).shown(in: common, as: "Enforce tasks max", width: .short)
    static let keyConverter = converter("key", "keys", "Converter")
    static let keyConverterVersion = version("key.converter.plugin.version", "key converter", .low, .short)
    static let valueConverter = converter("value", "values", "Converter")
    static let valueConverterVersion = version("value.converter.plugin.version", "value converter", .low, .short)
    static let headerConverter = converter("header", "header values", "HeaderConverter")
    static let headerConverterVersion = version("header.converter.plugin.version", "header converter", .low, .short)
    static let transforms = aliases("transforms", "Transforms", "the transforms applied to records, in order")
    static let predicates = aliases("predicates", "Predicates", "the predicates that transforms name")
    static let reload = ConfigKey<String>.word(
        "config.action.reload",
        of: ["none", "restart"],
        default: "restart",
        importance: .low,
        "What happens when a value that a config provider gave has changed: restart or none."
    ).shown(in: common, as: "Reload Action")

    static let retryTimeout = number(
        "errors.retry.timeout",
        0,
        "Retry Timeout for Errors",
        "How long a failed operation is tried again, in milliseconds; -1 without limit. An outage of the target is waited out "
            + "in any case."
    )
    static let retryDelay = number(
        "errors.retry.delay.max.ms",
        60_000,
        "Maximum Delay Between Retries for Errors",
        "Longest pause between two tries, in milliseconds."
    )
    static let tolerance = ConfigKey<String>.word(
        "errors.tolerance",
        of: ["none", "all"],
        default: "none",
        importance: .medium,
        "What happens to a record that can never be delivered: none fails the task, all reports the record and goes on."
    ).shown(in: errors, as: "Error Tolerance", width: .short)
    static let logEnable = flag("errors.log.enable", "Log Errors", .short, "Whether every failed record is logged.")
    static let logMessages = flag(
        "errors.log.include.messages",
        "Log Error Details",
        .short,
        "Whether the log line of a failed record names its topic, partition, offset and time."
    )

    /// In Kafka Connect's order of declaration.
    static let all: [ConfigDefinition] =
        placed(
            [
                name, connectorClass, connectorVersion, tasksMax, tasksMaxEnforce, keyConverter, keyConverterVersion,
                valueConverter, valueConverterVersion, headerConverter, headerConverterVersion, transforms, predicates,
                reload,
            ],
            from: 1
        ) + placed([retryTimeout, retryDelay, tolerance, logEnable, logMessages], from: 1)

    /// Numbers definitions one after the other, whatever their group, as Kafka Connect's declaration does.
    static func placed(_ keys: [any AnyConfigKey], from first: Int) -> [ConfigDefinition] {
        keys.enumerated().map { index, key in
            var definition = key.definition
            definition.orderInGroup = first + index
            return definition
        }
    }

    private static func version(
        _ key: String,
        _ what: String,
        _ importance: Importance,
        _ width: ConfigWidth
    ) -> ConfigKey<String?> {
        .optionalString(key, importance: importance, "Version of the \(what), or a range; there is one of each here.")
            .shown(in: common, as: "\(what.prefix(1).uppercased() + what.dropFirst()) version", width: width)
    }
    private static func converter(_ kind: String, _ what: String, _ interface: String) -> ConfigKey<String?> {
        .optionalString(
            "\(kind).converter",
            importance: .low,
            type: .class,
            "Converter of record \(what) between Kafka's bytes and the connector; absent for the worker's. Its own keys follow "
                + "as `\(kind).converter.…`."
        ).shown(in: common, as: "\(kind.prefix(1).uppercased() + kind.dropFirst()) converter class", width: .short)
    }
    private static func aliases(_ key: String, _ group: String, _ what: String) -> ConfigKey<[String]> {
        .aliases(key, "Names of \(what); each has keys under `\(key).NAME.`.")
            .shown(in: group, as: group, width: .long)
    }
    private static func number(_ key: String, _ fallback: Int, _ title: String, _ text: String) -> ConfigKey<Int> {
        .int(key, in: Int(Int64.min)...Int(Int64.max), type: .long, default: fallback, text).shown(
            in: errors,
            as: title
        )
    }
    private static func flag(
        _ key: String,
        _ title: String,
        _ width: ConfigWidth,
        _ text: String
    ) -> ConfigKey<Bool> { .boolean(key, default: false, text).shown(in: errors, as: title, width: width) }
}

extension ConfigKey where Value == [String] {
    /// Names that further keys are made of, each once.
    static func aliases(_ name: String, _ documentation: String) -> Self {
        Self(
            name,
            type: .list,
            default: [],
            defaultText: "",
            importance: .low,
            documentation
        ) { text throws(ConfigIssue.Reason) in
            let text = text.trimmingBlanks
            let names =
                text.isEmpty
                ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmingBlanks)
            guard Set(names).count == names.count else {
                throw ConfigIssue.Reason("Duplicate alias provided.").showing("[\(names.joined(separator: ", "))]")
            }
            return names
        }.refusingNull(ConfigIssue.Reason("entry must be non null"))
    }
}

extension StringProtocol {
    /// Without blanks and control characters at both ends, as Java's `String.trim` leaves it.
    var trimmingBlanks: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { $0.value > 0x20 }),
            let last = scalars.lastIndex(where: { $0.value > 0x20 })
        else { return "" }
        return String(self[first...last])
    }
}
