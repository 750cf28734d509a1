import ConnectConfig
public import ConnectSDK

/// Writes topics to tables of PostgreSQL: appends with COPY, upserts by staging and merging, exactly once.
public enum PostgresSink {
    /// The connector as the registry lists it.
    public static let descriptor = SinkDescriptor(
        name: "PostgresSink",
        aliases: [
            "io.confluent.connect.jdbc.JdbcSinkConnector", "io.aiven.connect.jdbc.JdbcSinkConnector",
            "io.debezium.connector.jdbc.JdbcSinkConnector",
        ],
        version: "1.0.0",
        summary: "Writes topics to PostgreSQL tables: COPY-speed appends and upserts, plain JSON, exactly once.",
        keys: PostgresSinkConfig.keys,
        check: { raw throws(ConfigInvalid) in _ = try PostgresSinkConfig(raw) },
        make: { raw, context throws(ConfigInvalid) in PostgresSinkTask(try PostgresSinkConfig(raw), context) },
        moveOffsets: { raw, connector, change throws(OffsetsError) in
            try OffsetsTable.move(change, of: connector, raw)
        }
    )
}
