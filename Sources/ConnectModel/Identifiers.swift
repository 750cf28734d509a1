/// One partition of one topic.
public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The topic's name.
    public let topic: String
    /// Zero-based number of the partition.
    public let partition: Int32

    /// Names a partition.
    public init(_ topic: String, _ partition: Int32) { (self.topic, self.partition) = (topic, partition) }

    /// `topic-partition`, as Kafka's tools print it.
    public var description: String { "\(topic)-\(partition)" }

    /// By topic, then by number.
    public static func < (a: Self, b: Self) -> Bool { (a.topic, a.partition) < (b.topic, b.partition) }
}

/// One task of one connector; prints as Kafka Connect's `<connector>-<task>`.
public struct TaskID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The connector's name.
    public let connector: String
    /// Zero-based number of the task.
    public let task: Int

    /// Names a task.
    public init(_ connector: String, _ task: Int) { (self.connector, self.task) = (connector, task) }

    /// `connector-task`.
    public var description: String { "\(connector)-\(task)" }

    /// By connector, then by number.
    public static func < (a: Self, b: Self) -> Bool { (a.connector, a.task) < (b.connector, b.task) }
}
