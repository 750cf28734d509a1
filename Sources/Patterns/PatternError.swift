/// Why a pattern or a replacement is not usable, or a match was given up.
public struct PatternError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: Sendable, Hashable {
        /// The pattern does not compile.
        case syntax
        /// The replacement does not fit the pattern.
        case replacement
        /// A match took more steps than allowed.
        case tooHard
    }
    /// What kind of failure it is.
    public let code: Code
    /// The whole sentence; it holds the pattern, never the text that was searched.
    public let description: String
}
