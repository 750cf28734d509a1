import ConnectConfig
public import ConnectSDK
import Converters
import ElasticsearchSink
import FileSink
import FileStream
import PostgresSink
import SchedulerFeedSource
import SupermarketSource
import Transforms

/// The one list of everything a worker can run.
public enum Registry {
    /// Connectors in order of name, as `GET /connector-plugins` shows them.
    public static let connectors: [any ConnectorDescriptor] = [
        ElasticsearchSink.descriptor, FileSink.descriptor, FileStreamSink.descriptor, FileStreamSource.descriptor,
        PostgresSink.descriptor, SchedulerFeedSource.descriptor, SupermarketSource.descriptor,
    ]
}

extension Registry {
    /// Connectors with converters, transforms and predicates.
    public static let plugins = Plugins(
        connectors: connectors,
        converters: Converters.all,
        headerConverters: Converters.headers,
        transforms: Transforms.all,
        predicates: Transforms.predicates,
        chain: { config throws(ConfigInvalid) in try TransformChain.make(config) }
    )
}
