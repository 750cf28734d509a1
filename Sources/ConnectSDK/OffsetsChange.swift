public import ConnectModel

/// What somebody asked about the offsets of a stopped sink.
public enum SinkOffsetsChange: Sendable, Hashable {
    /// These partitions go on at these offsets; nil: as if the partition had never been read.
    case set([TopicPartition: Int64?])
    /// All partitions, as if the connector had never run.
    case reset
}

/// Why offsets of a stopped connector were not changed.
public struct OffsetsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Whether the request itself is wrong; otherwise trying again may help.
    public let isRefusal: Bool
    /// What is wrong and what helps, without secrets.
    public let description: String

    /// The request is wrong.
    public static func refused(_ reason: String) -> Self { Self(isRefusal: true, description: reason) }
    /// The place where the offsets are kept cannot be reached or written.
    public static func failed(_ reason: String) -> Self { Self(isRefusal: false, description: reason) }
}
