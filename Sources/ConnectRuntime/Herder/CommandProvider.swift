import Blocking
import Glibc
import Synchronization

/// `CommandConfigProvider`: the value is what a command prints, `${pass:path:key}` runs `command path key`.
///
/// Commands run before a config is resolved, on a thread of their own; resolving then reads what they said.
final class CommandProvider: Sendable {
    struct Settings: Sendable, Hashable {
        /// Program and its first arguments, without a shell.
        var words: [String]
        var timeout: Duration = .seconds(10)
        /// How long an answer counts before the command is asked again.
        var lifetime: Duration = .seconds(300)
    }
    private struct Answer: Sendable {
        var result: Result<String, CommandFailure>
        var time: ContinuousClock.Instant
    }
    private let settings: Settings
    private let answers = Mutex<[[String]: Answer]>([:])
    private let thread = TaskThread(label: "sluice.config.command")

    init(_ settings: Settings) { self.settings = settings }

    /// What the command said last; nil when it has not been asked.
    func answer(_ arguments: [String]) -> Result<String, CommandFailure>? {
        answers.withLock { $0[arguments]?.result }
    }
    /// Asks the command unless it has answered a short while ago; a failure is asked again at once.
    func ask(_ arguments: [String]) async {
        let known = answers.withLock { $0[arguments] }
        if let known, case .success = known.result, known.time.duration(to: .now) < settings.lifetime { return }
        let settings = settings
        let result: Result<String, CommandFailure> = await thread.run {
            Result { () throws(CommandFailure) in
                try CommandRun.output(of: settings.words + arguments, timeout: settings.timeout)
            }
        }
        answers.withLock { $0[arguments] = Answer(result: result, time: .now) }
    }
}

/// Why a command gave no value; never holds what it printed.
struct CommandFailure: Error, Sendable, Hashable, CustomStringConvertible {
    let description: String
}

/// Runs a program and takes what it prints, without a shell.
enum CommandRun {
    private static let bytesMax = 1 << 20

    /// Blocks until the program has ended; one line end at the end of what it printed is left out.
    static func output(of words: [String], timeout: Duration) throws(CommandFailure) -> String {
        let name = words.first ?? ""
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw CommandFailure(description: "no pipe for \(name)") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var pid = pid_t()
        let failure = spawn(words, output: ends[1], &pid)
        close(ends[1])
        guard failure == 0 else {
            throw CommandFailure(description: "\(name) cannot be run: \(unsafe String(cString: strerror(failure)))")
        }
        let deadline = ContinuousClock.now + timeout
        let read = read(ends[0], until: deadline)
        guard let status = end(of: pid, until: read == nil ? .now : deadline), var bytes = read else {
            throw CommandFailure(description: "\(name) has not ended within \(timeout), or printed more than 1 MB")
        }
        guard status == 0 else {
            let word = status & 0x7f == 0 ? "status \((status >> 8) & 0xff)" : "signal \(status & 0x7f)"
            throw CommandFailure(description: "\(name) ended with \(word)")
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(description: "\(name) printed something that is not UTF-8")
        }
        return text
    }

    /// Its exit status; nil when it had to be killed.
    ///
    /// A program may close its output long before it ends.
    private static func end(of pid: pid_t, until deadline: ContinuousClock.Instant) -> Int32? {
        var status: Int32 = 0
        while ContinuousClock.now < deadline {
            let ended = unsafe waitpid(pid, &status, WNOHANG)
            if ended == pid { return status }
            if ended < 0, errno != EINTR { return nil }
            // Nothing tells of a child's end but SIGCHLD, which belongs to the whole process.
            _ = poll(nil, 0, 5)
        }
        kill(pid, SIGKILL)
        while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return nil
    }

    /// Nil when time or room was over.
    private static func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> [UInt8]? {
        var bytes: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
            guard left > 0, bytes.count <= bytesMax else { return nil }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&entry, 1, Int32(clamping: Int(left) + 1)) > 0 else { continue }
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    private static func spawn(_ words: [String], output: Int32, _ pid: inout pid_t) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        // What it complains about may hold the secret.
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        return unsafe posix_spawnp(&pid, words.first ?? "", &actions, &attributes, arguments, environ)
    }
}
