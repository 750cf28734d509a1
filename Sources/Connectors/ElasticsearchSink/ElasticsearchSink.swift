import ConnectConfig
public import ConnectSDK

/// Writes topics into Elasticsearch or OpenSearch through `_bulk` (keys of Confluent's Elasticsearch sink).
public enum ElasticsearchSink {
    /// Describes the connector.
    public static let descriptor = SinkDescriptor(
        name: "ElasticsearchSink",
        aliases: ["io.confluent.connect.elasticsearch.ElasticsearchSinkConnector"],
        version: "1.0",
        summary:
            "Indexes records in Elasticsearch or OpenSearch, one document per key or per record, without duplicates.",
        keys: Keys.all,
        check: { raw throws(ConfigInvalid) in _ = try ElasticsearchSinkConfig(raw) },
        make: { raw, context throws(ConfigInvalid) in
            ElasticsearchSinkTask(try ElasticsearchSinkConfig(raw), context)
        }
    )
}
