import Glibc

extension Terminal {
    /// The process's own standard streams.
    public static var process: Terminal {
        Terminal(
            out: { write($0, to: STDOUT_FILENO) },
            tell: { write($0 + "\n", to: STDERR_FILENO) },
            input: readStandardInput,
            isInteractive: isatty(STDERR_FILENO) == 1
        )
    }

    /// All of it, whatever write(2) takes at once; a closed pipe ends the writing, since nobody reads any more.
    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
    @Sendable private static func readStandardInput() -> [UInt8] {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return all }
            all += piece[..<count]
        }
    }
}
