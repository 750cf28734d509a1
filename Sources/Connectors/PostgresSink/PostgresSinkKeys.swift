import ConnectConfig

extension PostgresSinkConfig {
    /// The keys that the connector acts on; names of the Confluent JDBC sink where it has one, Debezium's as other names.
    enum Keys {
        static let url = ConfigKey<String>.string(
            "connection.url",
            nonEmpty: true,
            importance: .high,
            """
            The database: `jdbc:postgresql://host:5432/db?sslmode=require`, `postgresql://host/db`, or libpq's `host=… \
            dbname=…`. Several hosts are tried in order.
            """
        )
        static let user = ConfigKey<String?>.optionalString(
            "connection.user",
            importance: .high,
            "The user to connect as; counts more than the URL's."
        ).formerly("connection.username")
        static let password = ConfigKey<Secret?>.secret("connection.password", "The password of `connection.user`.")
        static let insertMode = ConfigKey<InsertMode>.choice(
            "insert.mode",
            default: .insert,
            importance: .high,
            """
            `insert` appends with COPY straight into the table. `upsert` copies to a temporary table and merges with \
            INSERT … ON CONFLICT … DO UPDATE; the last record of a key in a batch wins; columns whose fields a record \
            lacks stay as they are. `update` changes existing rows only. `multi` means `insert`.
            """
        )
        static let keyMode = ConfigKey<KeyMode>.choice(
            "pk.mode",
            default: KeyMode.none,
            importance: .high,
            """
            Where the key columns come from: `kafka` (topic, partition and offset), `record_key`, `record_value`, or \
            `none`. With `none` an upsert goes by the table's own primary key, read from the value.
            """
        ).formerly("primary.key.mode")
        static let keyFields = ConfigKey<[String]>.list(
            "pk.fields",
            default: [],
            importance: .medium,
            """
            Names of the key fields and columns. Empty means: for `kafka` `__connect_topic,__connect_partition,\
            __connect_offset`; else all fields of the key, or the table's primary key. A record key that is no object \
            needs exactly one name.
            """
        ).formerly("primary.key.fields")
        static let tableFormat = ConfigKey<String>.string(
            "table.name.format",
            default: "${topic}",
            nonEmpty: true,
            importance: .medium,
            "The table to write to; `${topic}` stands for the topic, a dot separates a schema."
        ).formerly("collection.name.format")
        static let autoCreate = ConfigKey<Bool>.boolean(
            "auto.create",
            default: false,
            """
            Whether a missing table is created: with the types of the record's schema, or for plain JSON with types \
            inferred from the first batch (boolean, bigint, numeric, text, jsonb).
            """
        )
        static let autoEvolve = ConfigKey<Bool>.boolean(
            "auto.evolve",
            default: false,
            "Whether columns are added for new fields, and integer columns widened (`auto.evolve.widening`)."
        )
        static let widening = ConfigKey<Widening>.choice(
            "auto.evolve.widening",
            default: .numbers,
            importance: .low,
            """
            With `auto.evolve`: `numbers` turns an integer column into bigint or numeric when a number does not fit, which \
            rewrites the table; with `none` such a record is bad.
            """
        )
        static let unknownFields = ConfigKey<UnknownFields>.choice(
            "unknown.fields",
            default: .fail,
            """
            What to do with a field that has no column when `auto.evolve` is off: `fail` stops the task and says so, \
            `ignore` leaves the field out.
            """
        )
        static let whitelist = ConfigKey<[String]>.list(
            "fields.whitelist",
            default: [],
            "The value's fields to write; empty means all. Key fields are always written."
        ).formerly("field.include.list")
        static let deleteEnabled = ConfigKey<Bool>.boolean(
            "delete.enabled",
            default: false,
            """
            Whether a record without value (a tombstone) deletes the row of its key; needs `pk.mode=record_key` and \
            `insert.mode=upsert` or `update`.
            """
        )
        static let exactlyOnce = ConfigKey<Bool>.boolean(
            "exactly.once",
            default: true,
            importance: .high,
            """
            Whether the offsets are stored in the database, in the transaction of the rows, so that no crash doubles or \
            loses a row. Reading goes on from there, whatever the consumer group's offsets say. False is at-least-once.
            """
        )
        static let offsetsTable = ConfigKey<String>.string(
            "offsets.table",
            default: "_connect_offsets",
            nonEmpty: true,
            importance: .low,
            "The table of the offsets with `exactly.once`; created when it is missing."
        )
        static let statements = ConfigKey<[NamedStatement]>(
            "statements",
            type: .string,
            default: [],
            defaultText: "",
            importance: .medium,
            """
            SQL statements, separated by semicolons, to run for each record instead of writing rows: `:field` is a field \
            of the value, and `:__connect_topic`, `:__connect_partition`, `:__connect_offset`, `:__connect_timestamp`, \
            `:__connect_key`, `:__connect_value` the record's other parts. A missing field is NULL.
            """
        ) { text throws(ConfigIssue.Reason) in try NamedStatement.parse(text) }
        static let initSQL = ConfigKey<String?>.optionalString(
            "init.sql",
            importance: .low,
            "SQL to run once when a task starts, in one transaction: tables, rows that must exist."
        )
        static let retriesMax = ConfigKey<Int>.int(
            "max.retries",
            in: 0...Int(Int32.max),
            default: 10,
            """
            How often a batch is tried again after a conflict with another transaction or an unknown error. An outage \
            (server away, restarting, full) is waited out however long it takes.
            """
        ).formerly("flush.max.retries")
        static let retryBackoff = ConfigKey<Duration>.milliseconds(
            "retry.backoff.ms",
            in: 0...600_000,
            type: .int,
            default: 3_000,
            "The pause before a batch is tried again."
        ).formerly("flush.retry.delay.ms")
        static let quoting = ConfigKey<Quoting>.choice(
            "quote.sql.identifiers",
            default: .always,
            "`always` keeps the case of table and column names; `never` folds them to lower case, as unquoted SQL does."
        )
        static let timeZone = ConfigKey<String>.string(
            "db.timezone",
            default: "UTC",
            nonEmpty: true,
            "The zone of `timestamp` columns and of texts without an offset."
        ).formerly("use.time.zone")
        static let timestampFields = ConfigKey<[String]>.list(
            "timestamp.fields.list",
            default: [],
            importance: .low,
            "Fields for which `auto.create` and `auto.evolve` make `timestamp` columns."
        )
        static let infersTimestamps = ConfigKey<Bool>.boolean(
            "infer.timestamps",
            default: false,
            importance: .low,
            "Whether texts that are all ISO 8601 date-times get `timestamptz` columns from `auto.create`."
        )
        static let skipsUnchanged = ConfigKey<Bool>.boolean(
            "upsert.skip.unchanged",
            default: false,
            importance: .low,
            "Whether an upsert leaves rows alone that would not change: no log traffic, no triggers, for a comparison."
        )
        static let nullDefaults = ConfigKey<Bool>.boolean(
            "replace.null.with.default",
            default: true,
            "Whether the default of a field's schema stands for null."
        )
        static let connectTimeout = ConfigKey<Duration>.milliseconds(
            "connection.timeout.ms",
            in: 1...600_000,
            type: .int,
            default: 10_000,
            importance: .low,
            "Longest time to connect."
        )
        static let queryTimeout = ConfigKey<Duration>.milliseconds(
            "query.timeout.ms",
            in: 1...86_400_000,
            type: .int,
            default: 60_000,
            importance: .low,
            "Longest time of one statement; a longer one counts as an outage and is tried again."
        )
        static let schemaEvolution = ConfigKey<SchemaEvolution>.choice(
            "schema.evolution",
            default: SchemaEvolution.none,
            importance: .low,
            "`basic` means `auto.create` and `auto.evolve` together (the Debezium sink's key)."
        )
    }
}

/// Keys of the well-known JDBC sinks that need no action here; each says why.
enum AcceptedKeys {
    private static func accepted(_ name: String, _ fallback: String, _ why: String) -> ConfigKey<String> {
        .string(name, default: fallback, importance: .low, "Accepted without effect: \(why)")
    }
    private static let dialect = accepted("dialect.name", "", "the database is always PostgreSQL.")
    private static let known: [ConfigKey<String>] = [
        dialect,
        accepted("batch.size", "3000", "a batch goes out in one COPY, as large as the worker hands it over."),
        accepted("table.types", "TABLE", "tables, partitioned tables, views and foreign tables are all written to."),
        accepted("connection.attempts", "3", "an outage is waited out however long it takes."),
        accepted("connection.backoff.ms", "10000", "`retry.backoff.ms` is the pause between tries."),
        accepted("trim.sensitive.log", "false", "record values are never logged."),
        accepted("date.timezone", "DB_TIMEZONE", "dates travel as days and have no zone."),
        accepted("date.calendar.system", "LEGACY", "dates are Gregorian."),
        accepted("timestamp.precision.mode", "microseconds", "PostgreSQL keeps microseconds."),
        accepted("connection.pool.min_size", "5", "a task has one session."),
        accepted("connection.pool.max_size", "32", "a task has one session."),
        accepted("connection.pool.acquire_increment", "32", "a task has one session."),
        accepted("connection.pool.timeout", "1800", "a task has one session."),
        accepted("connection.provider", "", "libpq makes the connection."),
        accepted("connection.restart.on.errors", "false", "a lost session is always opened again."),
        accepted("use.reduction.buffer", "false", "an upsert always keeps the last record of a key only."),
        accepted("dialect.postgres.unnest.insert.enabled", "false", "rows go through COPY, which is faster."),
        accepted("quote.identifiers", "true", "`quote.sql.identifiers` decides."),
        accepted("truncate.enabled", "false", "truncate events are not plain records."),
    ]
    static var all: [any AnyConfigKey] { known }

    static func check(_ reader: inout ConfigReader) {
        for key in known {
            let text = reader.read(key)
            if key.name == dialect.name, let text {
                reader.require(
                    text.isEmpty || text.lowercased().contains("postgre"),
                    key,
                    "Only PostgreSQL is supported"
                )
            }
            if key.name == "truncate.enabled", let text {
                reader.require(text.lowercased() != "true", key, "Truncate events are not supported")
            }
        }
    }
}
