/// What went wrong with a value, a schema or an option, under the name of the exception that Kafka Connect throws for it.
///
/// The class name and the message stand in dead letter headers and REST answers, so both are Connect's.
public struct ConnectError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The exception class in Kafka Connect; the raw value is its full Java name.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Anything in Connect that is not one of the others.
        case connect = "org.apache.kafka.connect.errors.ConnectException"
        /// A value that cannot be converted or transformed.
        case data = "org.apache.kafka.connect.errors.DataException"
        /// A schema that cannot be built.
        case schemaBuilder = "org.apache.kafka.connect.errors.SchemaBuilderException"
        /// An option that cannot be used.
        case config = "org.apache.kafka.common.config.ConfigException"
        /// Bytes that cannot be read.
        case serialization = "org.apache.kafka.common.errors.SerializationException"
        /// A name or pattern that does not fit.
        case illegalArgument = "java.lang.IllegalArgumentException"
        /// An index past the end.
        case indexOutOfBounds = "java.lang.IndexOutOfBoundsException"
        /// Something that must be there is missing.
        case nullPointer = "java.lang.NullPointerException"
        /// A value of an unexpected class.
        case classCast = "java.lang.ClassCastException"
    }

    /// Which exception it is.
    public let kind: Kind
    /// The exception's message, word for word.
    public let message: String

    /// Makes an error.
    public init(_ kind: Kind, _ message: String) { (self.kind, self.message) = (kind, message) }

    /// A `DataException`.
    public static func data(_ message: String) -> Self { Self(.data, message) }
    /// A `ConfigException`.
    public static func config(_ message: String) -> Self { Self(.config, message) }
    /// A `ConfigException` for one value, in Kafka's wording.
    public static func invalid(_ value: String?, for name: String, _ reason: String) -> Self {
        Self(.config, "Invalid value \(value ?? "null") for configuration \(name): \(reason)")
    }

    /// The full Java class name.
    public var className: String { kind.rawValue }
    /// Class and message, as a Java stack trace begins.
    public var description: String { "\(className): \(message)" }
}
