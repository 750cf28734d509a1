import Blocking
import Glibc
import Synchronization

/// Waits for changes in one directory by inotify, on a thread of its own.
@safe final class DirectoryWatch: Sendable {
    private let thread = TaskThread(label: "sluice.config.directory")
    private let notify: Int32
    private let wakeup: Int32
    private let waker: Int32
    private let path: String
    private let watch = Mutex<Int32>(-1)

    init(_ path: String) {
        self.path = path
        notify = inotify_init1(O_NONBLOCK | O_CLOEXEC)
        var ends: [Int32] = [-1, -1]
        if unsafe pipe(&ends) == 0 {
            for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        }
        (wakeup, waker) = (ends[0], ends[1])
    }
    deinit {
        if notify >= 0 { Glibc.close(notify) }
        if wakeup >= 0 { Glibc.close(wakeup) }
        if waker >= 0 { Glibc.close(waker) }
    }

    /// Returns when something happened in the directory, ``wake()`` was called, or the time is over.
    func wait(_ time: Duration) async {
        let milliseconds = Int32(clamping: Int64(time / .milliseconds(1)))
        await thread.run { [self] in
            arm()
            var sets = [
                pollfd(fd: notify, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
            ]
            _ = unsafe poll(&sets, 2, milliseconds)
            drain(notify)
            drain(wakeup)
        }
    }
    /// Ends a wait, from any thread.
    func wake() {
        var one: UInt8 = 1
        _ = unsafe write(waker, &one, 1)
    }
    /// Watches the directory that the path leads to now; it may appear later or be replaced.
    private func arm() {
        guard notify >= 0 else { return }
        let mask =
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | IN_DELETE_SELF
            | IN_MOVE_SELF
        watch.withLock { watch in watch = unsafe inotify_add_watch(notify, path, UInt32(mask)) }
    }
    private func drain(_ descriptor: Int32) {
        guard descriptor >= 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while unsafe read(descriptor, &buffer, buffer.count) > 0 {}
    }
}

/// Reads the directory.
enum DirectoryReader {
    /// Its `*.json` files; a text when it cannot be read.
    static func look(_ path: String) -> Result<DirectoryLook, DirectoryFailure> {
        var about = stat()
        guard unsafe stat(path, &about) == 0 else { return .failure(DirectoryFailure(reason: reason(errno))) }
        guard let stream = unsafe opendir(path) else { return .failure(DirectoryFailure(reason: reason(errno))) }
        defer { unsafe closedir(stream) }
        var look = DirectoryLook(directory: UInt64(about.st_ino), files: [:])
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            guard name.hasSuffix(".json"), !name.hasPrefix("."), let stamp = stamp("\(path)/\(name)") else { continue }
            look.files[name] = stamp
        }
        return .success(look)
    }
    /// Follows symbolic links; nil for what is not a file, or is gone meanwhile.
    private static func stamp(_ path: String) -> DirectoryLook.Stamp? {
        var about = stat()
        guard unsafe stat(path, &about) == 0, about.st_mode & S_IFMT == S_IFREG else { return nil }
        return DirectoryLook.Stamp(
            inode: UInt64(about.st_ino),
            size: Int64(about.st_size),
            modified: Int64(about.st_mtim.tv_sec) * 1_000_000_000 + Int64(about.st_mtim.tv_nsec)
        )
    }
    /// A file's content; nil when it is gone meanwhile or larger than any config.
    static func content(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        var content: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 1 << 16)
        while content.count < 4 << 20 {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return content }
            content += buffer[..<count]
        }
        return nil
    }
    private static func reason(_ code: Int32) -> String {
        let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return "The config directory cannot be read: \(text). Its connectors keep running."
    }
}

/// Why a directory could not be read.
struct DirectoryFailure: Error { var reason: String }
