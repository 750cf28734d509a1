public import ConnectConfig
import ConnectSDK

extension WorkerConfig {
    /// Every worker property that has an effect, for help and the reference pages.
    public static var definitions: [ConfigDefinition] { WorkerKeys.all.map(\.definition) }

    /// The keys that every connector has, sources' and sinks' together, for the reference pages.
    public static var connectorDefinitions: [ConfigDefinition] {
        var seen: Set<String> = []
        return (SourceConnectorKeys.all + SinkConnectorKeys.all + OwnKeys.all(for: .sink)).filter {
            seen.insert($0.name).inserted
        }
    }
}
