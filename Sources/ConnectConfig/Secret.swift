/// A text that must not be shown: it hides in `print`, `dump`, string interpolation and test output.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Hides a text.
    public init(_ value: String) { self.value = value }
    /// What is shown instead (Kafka's `Password.HIDDEN`).
    public static let hidden = "[hidden]"
    /// `[hidden]`.
    public var description: String { Self.hidden }
    /// `[hidden]`.
    public var debugDescription: String { Self.hidden }
    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
    /// Whether the text is empty.
    public var isEmpty: Bool { value.isEmpty }

    /// Lends the text to `body`, the only way to it.
    public func reveal<R, E: Error>(_ body: (String) throws(E) -> R) throws(E) -> R { try body(value) }
}
