import Glibc

/// A system call on a file that failed.
public struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was being done: `opening`, `writing`.
    public let doing: String
    /// The file or directory.
    public let path: String
    /// The system's error number.
    public let number: Int32

    /// Makes an error; the call's own `errno` is taken when `number` is left out.
    public init(_ doing: String, _ path: String, number: Int32? = nil) {
        (self.doing, self.path, self.number) = (doing, path, number ?? errno)
    }

    /// Whether nothing lies at the path.
    public var isMissing: Bool { number == ENOENT }
    /// Whether the file is already there.
    public var isExisting: Bool { number == EEXIST }
    /// Whether the same call may succeed later without anyone changing a path or a permission: the disk is full or
    /// fails, a network file system is away, the process has too many files open.
    public var isPassing: Bool {
        let passing: [Int32] = [
            ENOSPC, EDQUOT, EIO, EAGAIN, EINTR, EMFILE, ENFILE, ENOMEM, EBUSY, ESTALE, ETIMEDOUT, ENETDOWN,
            ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENXIO, ENODEV,
        ]
        return passing.contains(number)
    }
    /// The system's words for ``number``.
    public var reason: String { unsafe String(cString: strerror(number)) }
    /// `writing /data/out.txt: No space left on device`.
    public var description: String { "\(doing) \(path): \(reason)" }
}
