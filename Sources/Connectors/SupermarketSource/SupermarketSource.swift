import ConnectConfig
public import ConnectSDK

/// Imports the price, promotion and store files of supermarket chains, as Israel's price transparency law has them published.
public enum SupermarketSource {
    /// The connector as the registry lists it.
    public static let descriptor = SourceDescriptor(
        name: "SupermarketSource",
        version: "1.0",
        summary: "Watches a directory for the chains' price files and hands over one JSON record per row.",
        keys: SupermarketSourceConfig.Keys.all,
        check: { raw throws(ConfigInvalid) in _ = try SupermarketSourceConfig(raw) },
        split: { raw, most in SupermarketSourceConfig.split(raw, most: most) },
        make: { raw, context throws(ConfigInvalid) in
            SupermarketSourceTask(config: try SupermarketSourceConfig(raw), context: context)
        }
    )
}
