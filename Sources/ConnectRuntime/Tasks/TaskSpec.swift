public import ConnectModel
public import ConnectSDK

/// What to run: one task of one connector with its resolved config.
public struct TaskSpec: Sendable {
    /// Which task.
    public var id: TaskID
    /// The connector it is a task of.
    public var descriptor: any ConnectorDescriptor
    /// The task's own config, secrets resolved.
    public var config: [String: String]
    /// The connector's whole config, secrets resolved: converters, transforms, errors.*, client overrides.
    public var connectorConfig: [String: String]
    /// Grows with every start of the task anywhere in the cluster; sinks fence stale writers with it.
    public var epoch: Int64

    /// Puts a spec together.
    public init(
        id: TaskID,
        descriptor: any ConnectorDescriptor,
        config: [String: String],
        connectorConfig: [String: String],
        epoch: Int64
    ) {
        (self.id, self.descriptor, self.config) = (id, descriptor, config)
        (self.connectorConfig, self.epoch) = (connectorConfig, epoch)
    }
}
