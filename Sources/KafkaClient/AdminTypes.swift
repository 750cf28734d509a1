public import ConnectModel

/// A topic to create.
public struct NewTopic: Sendable, Hashable {
    /// The topic's name.
    public var name: String
    /// How many partitions; -1 is the broker's default.
    public var partitions: Int
    /// How many copies; -1 is the broker's default.
    public var replicationFactor: Int
    /// Topic settings such as `cleanup.policy`.
    public var configs: [String: String]

    /// Describes a topic to create.
    public init(_ name: String, partitions: Int = 1, replicationFactor: Int = -1, configs: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.configs = configs
    }
}

/// A topic as the brokers know it.
public struct TopicDescription: Sendable, Hashable {
    /// One partition.
    public struct Partition: Sendable, Hashable {
        /// Its number.
        public let id: Int32
        /// The leading broker's id; -1 when there is none.
        public let leader: Int32
        /// Brokers that hold a copy.
        public let replicas: [Int32]
        /// Brokers whose copy is in step.
        public let isrs: [Int32]
    }

    /// The topic's name.
    public let name: String
    /// Its partitions in order.
    public let partitions: [Partition]
}

/// A broker.
public struct Broker: Sendable, Hashable {
    /// Its id.
    public let id: Int32
    /// The advertised host name.
    public let host: String
    /// The advertised port.
    public let port: Int
}

/// A group in a list.
public struct GroupListing: Sendable, Hashable {
    /// The group's id.
    public let id: String
    /// `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Dead` or `Unknown`.
    public let state: String
    /// Whether the group only keeps offsets, without members that share partitions.
    public let isSimple: Bool
}

/// A group with its members.
public struct GroupDescription: Sendable, Hashable {
    /// One member.
    public struct Member: Sendable, Hashable {
        /// The id that the coordinator gave it.
        public let memberID: String
        /// Its `client.id`.
        public let clientID: String
        /// Where it connects from.
        public let host: String
        /// `group.instance.id` of a static member.
        public let instanceID: String?
        /// What it owns.
        public let assignment: [TopicPartition]
    }

    /// The group's id.
    public let id: String
    /// `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Dead` or `Unknown`.
    public let state: String
    /// `consumer`, or empty for a group without members.
    public let protocolType: String
    /// The assignment strategy in use.
    public let assignor: String
    /// The coordinating broker; nil when unknown.
    public let coordinator: Broker?
    /// Its members.
    public let members: [Member]
}
