/// A command that did not do what it was asked, with the exit status that scripts look at.
public struct CLIError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Exit statuses of the admin commands, beside 0 and 64 (wrong use).
    public enum Status: Int32, Sendable {
        /// The worker or Kafka refused or failed.
        case failed = 1
        /// What was named does not exist.
        case notFound = 2
        /// Worker or Kafka could not be reached, or the time was over.
        case unreachable = 3
    }
    /// The exit status.
    public let status: Status
    /// What was done, to what, why it failed, and what to do.
    public let description: String

    /// Makes the error.
    public init(_ status: Status, _ description: String) { (self.status, self.description) = (status, description) }
}
