/// What a worker knows of its cluster: who leads, and who else is there.
public struct ClusterView: Sendable, Hashable {
    /// What this worker is to the cluster.
    public enum Role: String, Sendable {
        /// It does the work.
        case leader
        /// Another worker does; this one takes over when that one is gone.
        case standby
        /// It is not known yet, or cannot be: see ``ClusterView/problem``.
        case joining
    }
    /// What this worker is.
    public var role: Role
    /// `host:port` of this worker.
    public var workerID: String
    /// `host:port` of the leader; nil when there is none.
    public var leaderID: String?
    /// Base URL of the leader's REST; nil when there is none.
    public var leaderURL: String?
    /// Why this worker cannot take part, and what the operator can do; nil when nothing is wrong.
    public var problem: String?

    /// Makes a view.
    public init(
        role: Role,
        workerID: String,
        leaderID: String? = nil,
        leaderURL: String? = nil,
        problem: String? = nil
    ) {
        (self.role, self.workerID, self.leaderID) = (role, workerID, leaderID)
        (self.leaderURL, self.problem) = (leaderURL, problem)
    }
}

/// One worker of the cluster.
public struct WorkerMember: Sendable, Hashable {
    /// `host:port` under which it is reached.
    public var workerID: String
    /// Base URL of its REST.
    public var url: String
    /// `leader` or `standby`.
    public var role: ClusterView.Role
    /// The address it connects to Kafka from.
    public var host: String

    /// Makes a member.
    public init(workerID: String, url: String, role: ClusterView.Role, host: String) {
        (self.workerID, self.url, self.role, self.host) = (workerID, url, role, host)
    }
}
