import ConnectConfig

extension SourceTaskMachine.Boundary {
    /// Where a source's transactions end; nil when the worker delivers at least once.
    static func wanted(
        by raw: [String: String],
        in environment: TaskEnvironment
    ) throws(ConfigInvalid) -> Self? {
        var reader = ConfigReader(raw)
        let demand = reader.read(SourceConnectorKeys.exactlyOnce), word = reader.read(SourceConnectorKeys.boundary)
        let interval = reader.read(SourceConnectorKeys.boundaryInterval)
        let isOffered = environment.transactionGroup != nil && environment.offsets is any TransactionalOffsetStorage
        reader.require(
            isOffered || demand != .required,
            SourceConnectorKeys.exactlyOnce,
            "This worker does not deliver exactly once: set exactly.once.source.support=enabled in its properties"
        )
        return try reader.finish {
            guard let word, let interval else { return nil }
            guard isOffered else { return .some(nil) }
            switch word {
            case .poll: return .poll
            case .connector: return .connector
            case .interval: return .interval(interval ?? environment.offsetFlushInterval)
            }
        }
    }
}
