import ConnectConfig
import PostgresClient

/// The connector's settings, parsed and checked.
struct PostgresSinkConfig: Sendable {
    enum InsertMode: String, CaseIterable, Sendable { case insert, upsert, update, multi }
    enum KeyMode: String, CaseIterable, Sendable {
        case none, kafka
        case recordKey = "record_key"
        case recordValue = "record_value"
    }
    enum UnknownFields: String, CaseIterable, Sendable { case fail, ignore }
    enum Widening: String, CaseIterable, Sendable { case none, numbers }
    enum Quoting: String, CaseIterable, Sendable { case always, never }
    enum SchemaEvolution: String, CaseIterable, Sendable { case none, basic }

    var settings: PostgresSettings
    var insertMode: InsertMode
    var keyMode: KeyMode
    var keyFields: [String]
    var tableFormat: String
    var isAutoCreate: Bool
    var isAutoEvolve: Bool
    var widening: Widening
    var unknownFields: UnknownFields
    var whitelist: Set<String>
    var isDeleteEnabled: Bool
    var retriesMax: Int
    var retryBackoff: Duration
    var isQuoting: Bool
    var timeZone: String
    var timestampFields: Set<String>
    var infersTimestamps: Bool
    var isExactlyOnce: Bool
    var offsetsTable: PostgresName
    var skipsUnchanged: Bool
    var replacesNullWithDefault: Bool
    var statements: [NamedStatement]
    var initSQL: String?

    /// The keys in the order of the reference page; those at the end are accepted and need no action.
    static let keys: [any AnyConfigKey] =
        [
            Keys.url, Keys.user, Keys.password, Keys.insertMode, Keys.keyMode, Keys.keyFields, Keys.tableFormat,
            Keys.autoCreate, Keys.autoEvolve, Keys.widening, Keys.unknownFields, Keys.whitelist, Keys.deleteEnabled,
            Keys.exactlyOnce, Keys.offsetsTable, Keys.statements, Keys.initSQL, Keys.retriesMax, Keys.retryBackoff,
            Keys.quoting, Keys.timeZone, Keys.timestampFields, Keys.infersTimestamps, Keys.skipsUnchanged,
            Keys.nullDefaults, Keys.connectTimeout, Keys.queryTimeout, Keys.schemaEvolution,
        ] + AcceptedKeys.all
}

extension PostgresSinkConfig {
    /// Parses a connector's raw map.
    ///
    /// Throws every issue at once.
    init(_ raw: [String: String]) throws(ConfigInvalid) {
        var reader = ConfigReader(raw)
        var config = Self.read(&reader)
        if let settings = Self.settings(&reader) { config.settings = settings }
        config.settings.connectTimeout = reader.read(Keys.connectTimeout) ?? .seconds(10)
        config.settings.statementTimeout = reader.read(Keys.queryTimeout) ?? .seconds(60)
        config.settings.sessionSettings = [("TimeZone", config.timeZone), ("DateStyle", "ISO, YMD")]
        if reader.read(Keys.schemaEvolution) == .basic { (config.isAutoCreate, config.isAutoEvolve) = (true, true) }
        if config.insertMode == .multi { config.insertMode = .insert }
        AcceptedKeys.check(&reader)
        config.check(&reader)
        self = try reader.finish { config }
    }

    /// Every key with its default where its value is not usable, which the reader has noted.
    private static func read(_ reader: inout ConfigReader) -> Self {
        Self(
            settings: PostgresSettings(),
            insertMode: reader.read(Keys.insertMode) ?? .insert,
            keyMode: reader.read(Keys.keyMode) ?? .none,
            keyFields: reader.read(Keys.keyFields) ?? [],
            tableFormat: reader.read(Keys.tableFormat) ?? "",
            isAutoCreate: reader.read(Keys.autoCreate) ?? false,
            isAutoEvolve: reader.read(Keys.autoEvolve) ?? false,
            widening: reader.read(Keys.widening) ?? .numbers,
            unknownFields: reader.read(Keys.unknownFields) ?? .fail,
            whitelist: Set(reader.read(Keys.whitelist) ?? []),
            isDeleteEnabled: reader.read(Keys.deleteEnabled) ?? false,
            retriesMax: reader.read(Keys.retriesMax) ?? 0,
            retryBackoff: reader.read(Keys.retryBackoff) ?? .seconds(3),
            isQuoting: reader.read(Keys.quoting) != .never,
            timeZone: reader.read(Keys.timeZone) ?? "UTC",
            timestampFields: Set(reader.read(Keys.timestampFields) ?? []),
            infersTimestamps: reader.read(Keys.infersTimestamps) ?? false,
            isExactlyOnce: reader.read(Keys.exactlyOnce) ?? true,
            offsetsTable: PostgresName(parsing: reader.read(Keys.offsetsTable) ?? ""),
            skipsUnchanged: reader.read(Keys.skipsUnchanged) ?? false,
            replacesNullWithDefault: reader.read(Keys.nullDefaults) ?? true,
            statements: reader.read(Keys.statements) ?? [],
            initSQL: reader.read(Keys.initSQL) ?? nil
        )
    }

    /// The rules across keys.
    private func check(_ reader: inout ConfigReader) {
        reader.require(
            !isDeleteEnabled || keyMode == .recordKey && insertMode != .insert && statements.isEmpty,
            Keys.deleteEnabled,
            "Deletes need pk.mode=record_key, insert.mode=upsert or update, and no statements"
        )
        reader.require(
            keyMode != .kafka || keyFields.isEmpty || keyFields.count == 3,
            Keys.keyFields,
            "pk.mode=kafka takes three names: of the topic, partition and offset columns"
        )
        reader.require(
            insertMode != .update || keyMode != .kafka,
            Keys.keyMode,
            "insert.mode=update needs a key out of the record"
        )
    }

    private static func settings(_ reader: inout ConfigReader) -> PostgresSettings? {
        let url = reader.read(Keys.url), user = reader.read(Keys.user) ?? nil
        let password = reader.read(Keys.password) ?? nil
        guard let url else { return nil }
        do throws(PostgresSettings.Invalid) {
            guard let password else { return try PostgresSettings(url: url, user: user) }
            return try password.reveal { (text) throws(PostgresSettings.Invalid) in
                try PostgresSettings(url: url, user: user, password: text)
            }
        } catch {
            // The URL may hold a password, so the value is not shown.
            reader.note(.invalid(Keys.url.name, value: Secret.hidden, "The URL \(error)"))
            return nil
        }
    }

    /// The table for a topic: `${topic}` in `table.name.format` is replaced.
    func table(forTopic topic: String) -> PostgresName {
        let text = tableFormat.replacing("${topic}", with: topic)
        let name = PostgresName(parsing: text)
        return isQuoting ? name : PostgresName(schema: name.schema?.lowercased(), name.name.lowercased())
    }
    /// The column for a field: unquoted identifiers are folded to lower case, as the server does.
    func column(forField field: String) -> String { isQuoting ? field : field.lowercased() }

    /// Names of the columns that `pk.mode=kafka` fills.
    var kafkaColumns: [String] {
        keyFields.count == 3 ? keyFields : ["__connect_topic", "__connect_partition", "__connect_offset"]
    }
}
