/// Where a command's output goes: data to standard output, words to standard error.
public struct Terminal: Sendable {
    /// Writes text as it is.
    public let out: @Sendable (String) -> Void
    /// Writes one line of words.
    public let tell: @Sendable (String) -> Void
    /// The lines of standard input.
    public let input: @Sendable () -> [UInt8]
    /// Whether words may be rewritten in place (standard error is a terminal).
    public let isInteractive: Bool

    /// Composes the ways out.
    public init(
        out: @escaping @Sendable (String) -> Void,
        tell: @escaping @Sendable (String) -> Void,
        input: @escaping @Sendable () -> [UInt8] = { [] },
        isInteractive: Bool = false
    ) { (self.out, self.tell, self.input, self.isInteractive) = (out, tell, input, isInteractive) }
}
