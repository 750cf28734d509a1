import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

/// A program that a test runs.
///
/// It is started by a thread that lives as long as the program, which then waits for its end.
///
/// Parent-death signals (`setpriv --pdeathsig`) go by the thread that started a program, hence a thread of its own.
public final class ChildProcess: Sendable {
    /// A program that could not be started.
    public struct Failure: Error, CustomStringConvertible {
        /// In words.
        public let description: String
    }
    private struct State {
        var pid: pid_t?
        var failure: Int32 = 0
        var status: Int32?
    }
    private final class Shared: Sendable {
        let state = Mutex(State())
        let command: [String]
        let output: String
        let started = Gate()
        let ended = Gate()
        init(_ command: [String], _ output: String) { (self.command, self.output) = (command, output) }
    }
    private let shared: Shared

    /// Starts `command`, found by `PATH`; standard output and error go to the file `output`, input is empty.
    public init(_ command: [String], output: String) throws {
        shared = Shared(command, output)
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(shared).toOpaque()
        let made = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                ChildProcess.live(unsafe Unmanaged<Shared>.fromOpaque(argument).takeRetainedValue())
                return nil
            },
            context
        )
        guard made == 0 else {
            unsafe Unmanaged<Shared>.fromOpaque(context).release()
            throw Failure(description: "no thread: errno \(made)")
        }
        pthread_detach(thread)
        shared.started.wait()
        let failure = shared.state.withLock { $0.failure }
        guard failure == 0 else { throw Failure(description: "\(command.first ?? ""): errno \(failure)") }
    }

    /// The process id; it stays reserved until the end has been noticed.
    public var pid: Int32 { shared.state.withLock { $0.pid ?? 0 } }
    /// Whether it has not ended.
    public var isRunning: Bool { shared.state.withLock { $0.status == nil } }

    /// Waits for the end; the exit status, or 128 and the signal's number.
    public func wait() -> Int32 {
        shared.ended.wait()
        let status = shared.state.withLock { $0.status ?? 0 }
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// Sends a signal unless it has ended.
    public func signal(_ number: Int32) {
        shared.state.withLock { state in
            guard let pid = state.pid, state.status == nil else { return }
            Glibc.kill(pid, number)
        }
    }

    private static func live(_ shared: Shared) {
        var pid = pid_t()
        let failure = spawn(shared.command, output: shared.output, &pid)
        shared.state.withLock { state in
            state.failure = failure
            state.pid = failure == 0 ? pid : nil
        }
        shared.started.open()
        guard failure == 0 else { return shared.ended.open() }
        // Waits without collecting, so that the id stays ours while the lock may still signal it.
        var info = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        shared.state.withLock { state in
            var status: Int32 = 0
            while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            state.status = status
        }
        shared.ended.open()
    }

    private static func spawn(_ command: [String], output: String, _ pid: inout pid_t) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Dispatch threads block most signals, and a child inherits that: it must be able to be told to end.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = unsafe command.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        return unsafe posix_spawnp(&pid, command.first ?? "", &actions, &attributes, arguments, environ)
    }
}

/// Opens once; waiting blocks the thread, so tests call it where that harms nobody.
private final class Gate: Sendable {
    private let group = DispatchGroup()
    init() { group.enter() }
    func open() { group.leave() }
    func wait() { group.wait() }
}

/// Runs closures when the process ends in the ordinary way.
final class ExitHooks: Sendable {
    static let shared = ExitHooks()
    private let hooks = Mutex<[@Sendable () -> Void]>([])
    private init() {
        atexit { for hook in ExitHooks.shared.hooks.withLock({ $0 }).reversed() { hook() } }
    }
    func add(_ hook: @escaping @Sendable () -> Void) { hooks.withLock { $0.append(hook) } }
}

/// A new directory `/tmp/sluice-<name>-<pid>-…`; those that processes left behind when they were killed are removed.
func temporaryDirectory(named name: String) throws -> String {
    removeLeftovers(named: name)
    let template = "/tmp/sluice-\(name)-\(getpid())-XXXXXX"
    var bytes = Array(template.utf8CString)
    guard unsafe mkdtemp(&bytes) != nil else { throw ChildProcess.Failure(description: "mkdtemp: errno \(errno)") }
    return String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func removeLeftovers(named name: String) {
    let prefix = "sluice-\(name)-"
    for file in (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? [] where file.hasPrefix(prefix) {
        guard let pid = pid_t(file.dropFirst(prefix.count).prefix { $0 != "-" }) else { continue }
        if Glibc.kill(pid, 0) != 0 && errno == ESRCH { removeTree("/tmp/\(file)") }
    }
}

/// Removes a directory with all that is in it, if it is there.
func removeTree(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

/// A port on 127.0.0.1 that nobody listens on at the moment.
public func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            guard unsafe bind(descriptor, address, length) == 0 else { return false }
            return unsafe getsockname(descriptor, address, &length) == 0
        }
    }
    guard bound else { throw ChildProcess.Failure(description: "no free port: errno \(errno)") }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// A file's text; empty when it cannot be read.
func readFile(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = unsafe read(descriptor, &chunk, chunk.count)
        guard count > 0 else { break }
        bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}
