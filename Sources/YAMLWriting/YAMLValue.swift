/// A value to write as YAML; maps keep the order of their keys.
public indirect enum YAMLValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// A number as it should be written.
    case number(String)
    /// A text; quoted where it would read as something else.
    case text(String)
    case list([YAMLValue])
    case map([Member])

    /// One `key: value`.
    public struct Member: Sendable, Hashable {
        /// The key, a text.
        public var key: String
        /// What it stands for.
        public var value: YAMLValue

        /// Makes a member.
        public init(_ key: String, _ value: YAMLValue) { (self.key, self.value) = (key, value) }
    }
}
