public import ConnectModel

/// Which part of the cluster's work this worker does.
public struct Assignment: Sendable, Hashable {
    /// The part.
    public enum Share: Sendable, Hashable {
        /// All of it: the worker is alone.
        case everything
        /// These connectors (their instances and task generation) and these tasks.
        case only(connectors: Set<String>, tasks: Set<TaskID>)
    }
    /// Grows with every change; statuses carry it, and an older generation may not overwrite a newer one.
    public var generation: Int
    /// The part.
    public var share: Share

    /// Makes an assignment.
    public init(generation: Int, share: Share = .everything) { (self.generation, self.share) = (generation, share) }

    /// No part of the work: the worker stands by.
    public static func nothing(generation: Int) -> Self {
        Self(generation: generation, share: .only(connectors: [], tasks: []))
    }

    /// Whether this worker runs the connector's instance and generates its tasks.
    public func owns(connector name: String) -> Bool {
        switch share {
        case .everything: true
        case .only(let connectors, _): connectors.contains(name)
        }
    }
    /// Whether this worker runs the task.
    public func owns(task id: TaskID) -> Bool {
        switch share {
        case .everything: true
        case .only(_, let tasks): tasks.contains(id)
        }
    }
}
