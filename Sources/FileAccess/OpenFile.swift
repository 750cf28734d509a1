import Glibc

/// What the system knows about a file.
public struct FileFacts: Sendable, Hashable {
    /// Which file it is, whatever its name: a renamed file keeps it, a new file of the same name has another.
    public struct Identity: Sendable, Hashable {
        /// The file system.
        public let device: UInt64
        /// The file's number in it.
        public let inode: UInt64
    }
    /// Which file it is.
    public let identity: Identity
    /// Its size in bytes.
    public let size: Int64
    /// The last change of its content, in nanoseconds since 1970.
    public let modified: Int64
    /// Whether it is an ordinary file, not a directory, pipe or device.
    public let isRegular: Bool
    /// Whether it is a directory.
    public let isDirectory: Bool

    init(_ status: stat) {
        identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        isRegular = status.st_mode & S_IFMT == S_IFREG
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
    }
}

/// An open file, closed when the last reference goes, for one thread at a time.
///
///     let file = try OpenFile(path, .append)
///     try file.write(bytes[...])
///     try file.sync()
public final class OpenFile {
    /// What a file is opened for.
    public enum Mode: Sendable, Hashable {
        /// Reading; neither opening nor reading a pipe waits.
        case read
        /// Writing at the end; made when it is not there.
        case append
        /// Writing a file that must not be there yet.
        case create
        /// Writing from the start; made when it is not there, emptied when it is.
        case replace
        /// For ``lock()`` only; made when it is not there.
        case lock

        var flags: Int32 {
            switch self {
            case .read: O_RDONLY | O_NONBLOCK
            case .append: O_WRONLY | O_CREAT | O_APPEND
            case .create: O_WRONLY | O_CREAT | O_EXCL
            case .replace: O_WRONLY | O_CREAT | O_TRUNC
            case .lock: O_RDWR | O_CREAT
            }
        }
    }

    /// Where it was opened; a name for messages when it was not opened by path.
    public let path: String
    private let descriptor: Int32
    private let closes: Bool

    /// Opens a file; a new one may be read and written by all whom the process's umask allows.
    public init(_ path: String, _ mode: Mode) throws(FileError) {
        descriptor = unsafe open(path, mode.flags | O_CLOEXEC, 0o666)
        (self.path, closes) = (path, true)
        guard descriptor >= 0 else { throw FileError("opening", path) }
    }

    private init(standard descriptor: Int32, _ name: String) {
        (self.descriptor, path, closes) = (descriptor, name, false)
    }

    /// The process's standard input.
    public static var standardInput: OpenFile { OpenFile(standard: STDIN_FILENO, "standard input") }
    /// The process's standard output.
    public static var standardOutput: OpenFile { OpenFile(standard: STDOUT_FILENO, "standard output") }

    deinit { if closes { close(descriptor) } }

    /// What the system knows about the open file, wherever it was moved since.
    public func facts() throws(FileError) -> FileFacts {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileError("looking at", path) }
        return FileFacts(status)
    }

    /// Goes to a byte position counted from the start.
    public func seek(to position: Int64) throws(FileError) {
        guard lseek(descriptor, off_t(position), SEEK_SET) >= 0 else { throw FileError("seeking in", path) }
    }

    /// Reads what is there into `buffer[range]`, at most its length.
    ///
    /// Gives the number of bytes read: 0 at the end, nil when a pipe has nothing to give now.
    public func read(into buffer: inout [UInt8], _ range: Range<Int>) throws(FileError) -> Int? {
        let descriptor = descriptor
        let got = unsafe buffer.withUnsafeMutableBytes { bytes in
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[range])
            return retried { unsafe Glibc.read(descriptor, part.baseAddress, part.count) }
        }
        if got < 0, errno == EAGAIN { return nil }
        guard got >= 0 else { throw FileError("reading", path) }
        return got
    }

    /// Waits until there is something to read, or the end; false when `timeout` is over first.
    public func waitUntilReadable(_ timeout: Duration) throws(FileError) -> Bool {
        var asked = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: Int(timeout / .milliseconds(1)))
        let ready = unsafe poll(&asked, 1, milliseconds)
        guard ready >= 0 || errno == EINTR else { throw FileError("waiting for", path) }
        return ready > 0
    }

    /// Writes some or all of `bytes` and gives how many.
    public func writeSome(_ bytes: ArraySlice<UInt8>) throws(FileError) -> Int {
        let descriptor = descriptor
        let wrote = unsafe bytes.withUnsafeBytes { part in
            retried { unsafe Glibc.write(descriptor, part.baseAddress, part.count) }
        }
        guard wrote >= 0 else { throw FileError("writing", path) }
        return wrote
    }

    /// Writes all of `bytes`; after an error some of them may be there.
    public func write(_ bytes: ArraySlice<UInt8>) throws(FileError) {
        var rest = bytes
        while !rest.isEmpty { rest = rest.dropFirst(try writeSome(rest)) }
    }

    /// Returns once content and size are on the disk; pipes and terminals have nothing to bring there.
    public func sync() throws(FileError) {
        guard fdatasync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
            throw FileError("bringing to the disk", path)
        }
    }

    /// Tells the system to bring a part to the disk soon, without waiting.
    ///
    /// It is a hint: nothing comes of a refusal. The part leaves memory once it is there.
    public func startSync(from offset: Int64, count: Int64) {
        _ = posix_fadvise(descriptor, off_t(offset), off_t(count), POSIX_FADV_DONTNEED)
    }

    /// Cuts the file off after `size` bytes.
    public func truncate(to size: Int64) throws(FileError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileError("cutting off", path) }
    }

    /// Takes the file's lock, which goes with the file's closing and with the process; false when someone has it.
    public func lock() throws(FileError) -> Bool {
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return true }
        guard errno == EWOULDBLOCK else { throw FileError("locking", path) }
        return false
    }
}

/// Repeats a call that a signal interrupted.
private func retried(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
