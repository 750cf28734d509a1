import Glibc
import Synchronization

/// A private PostgreSQL server for tests: its own data directory, a socket in it, and a free port on 127.0.0.1.
///
/// Made by `initdb`, run as the user `postgres` when the tests run as root, and gone, with its files, when the process ends.
/// It answers as superuser `postgres` without a password. ``shared()`` is one per test process; a test that stops or kills
/// its server makes one of its own.
public final class PostgresServer: Sendable {
    /// How careful the server is with its disk.
    public enum Durability: Sendable {
        /// As in production: for benchmarks.
        case full
        /// No fsync: faster tests, and still durable when only the server's processes die.
        case processOnly
    }
    /// What went wrong while starting.
    public struct Failure: Error, CustomStringConvertible {
        /// In words.
        public let description: String
    }
    private struct State {
        var process: ChildProcess?
        var databases = 0
    }

    /// The port on 127.0.0.1, the same after a restart.
    public let port: Int
    /// The directory of data, log and socket.
    public let directory: String
    private let durability: Durability
    private let state = Mutex(State())

    /// Makes and starts a server, in about two seconds.
    public init(durability: Durability = .processOnly) throws {
        self.durability = durability
        guard let bin = Self.binaries else { throw Failure(description: "no PostgreSQL server is installed") }
        directory = try temporaryDirectory(named: "postgres")
        port = try freePort()
        if getuid() == 0 {
            guard let account = unsafe getpwnam("postgres")?.pointee else {
                throw Failure(description: "no user postgres")
            }
            _ = unsafe chown(directory, account.pw_uid, account.pw_gid)
        }
        let made = try ChildProcess(
            Self.asPostgres([
                "\(bin)/initdb", "-D", "\(directory)/data", "-A", "trust", "-U", "postgres", "-E", "UTF8",
                "--locale=C", "--no-sync",
            ]),
            output: "\(directory)/initdb.log"
        )
        guard made.wait() == 0 else { throw Failure(description: "initdb failed: \(directory)/initdb.log") }
        try start()
        let directory = directory
        ExitHooks.shared.add { [weak self] in
            self?.stop()
            removeTree(directory)
        }
    }
    deinit {
        stop()
        removeTree(directory)
    }

    /// Where the server's programs are; nil when PostgreSQL is not installed.
    public static let binaries: String? = {
        let versions = (12...30).reversed().map { "/usr/lib/postgresql/\($0)/bin" }
        return (versions + ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"]).first {
            unsafe access("\($0)/initdb", X_OK) == 0
        }
    }()

    private static let one = Mutex<Result<PostgresServer, Failure>?>(nil)
    /// The server of this test process; started by the first call.
    public static func shared() throws -> PostgresServer {
        try one.withLock { one in
            if let one { return try one.get() }
            do {
                let server = try PostgresServer()
                one = .success(server)
                return server
            } catch {
                one = .failure(Failure(description: "\(error)"))
                throw error
            }
        }
    }

    /// A URL for libpq.
    public func url(database: String = "postgres") -> String {
        "postgresql://postgres@127.0.0.1:\(port)/\(database)"
    }
    /// A URL as JDBC connectors have it; `connection.user` is `postgres`.
    public func jdbcURL(database: String = "postgres") -> String {
        "jdbc:postgresql://127.0.0.1:\(port)/\(database)"
    }
    /// libpq's keywords for the socket, which is faster than TCP.
    public func socketURL(database: String = "postgres") -> String {
        "host=\(directory) port=\(port) user=postgres dbname=\(database)"
    }

    /// Makes an empty database and gives its name.
    public func makeDatabase() throws -> String {
        let name = state.withLock { state in
            state.databases += 1
            return "test\(state.databases)"
        }
        try psql("CREATE DATABASE \(name)")
        return name
    }

    /// Runs SQL through `psql` and gives its output, unaligned, without headers.
    @discardableResult
    public func psql(_ sql: String, database: String = "postgres") throws -> String {
        guard let bin = Self.binaries else { throw Failure(description: "no PostgreSQL is installed") }
        let output = "\(directory)/psql-\(UInt64.random(in: 0 ..< .max)).out"
        defer { removeTree(output) }
        let process = try ChildProcess(
            ["\(bin)/psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(database: database), "-c", sql],
            output: output
        )
        let status = process.wait()
        let text = readFile(output)
        guard status == 0 else { throw Failure(description: "psql: \(text)") }
        return String(text.dropLast(text.hasSuffix("\n") ? 1 : 0))
    }

    /// Whether the server's first process lives.
    public var isRunning: Bool { state.withLock { $0.process?.isRunning == true } }

    /// Starts a stopped or killed server and waits until it takes connections.
    public func start() throws {
        guard let bin = Self.binaries else { throw Failure(description: "no PostgreSQL server is installed") }
        var command = [
            "\(bin)/postgres", "-D", "\(directory)/data", "-p", "\(port)", "-k", directory,
            "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60", "-c", "log_min_messages=error",
        ]
        if durability == .processOnly { command += ["-c", "fsync=off", "-c", "full_page_writes=off"] }
        let process = try ChildProcess(Self.asPostgres(command), output: "\(directory)/server.log")
        state.withLock { $0.process = process }
        try waitUntilReady(process, bin)
    }

    /// Ends all sessions and stops the server, or kills it like a power cut (`SIGKILL` to all its processes).
    public func stop(killing: Bool = false) {
        let process = state.withLock { state in
            defer { state.process = nil }
            return state.process
        }
        guard let process else { return }
        if killing {
            // SIGQUIT makes the postmaster end its children at once and without a checkpoint: recovery follows at start.
            process.signal(SIGQUIT)
        } else {
            process.signal(SIGINT)
        }
        _ = process.wait()
    }

    private func waitUntilReady(_ process: ChildProcess, _ bin: String) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            let probe = try ChildProcess(
                ["\(bin)/pg_isready", "-q", "-h", "127.0.0.1", "-p", "\(port)"],
                output: "/dev/null"
            )
            if probe.wait() == 0 { return }
            guard process.isRunning else { break }
        }
        throw Failure(description: "the server does not come up: \(readFile("\(directory)/server.log"))")
    }

    /// The server refuses to run as root.
    ///
    /// `setpriv` becomes the program, so its pid is the server's; should this process die, the kernel stops the server.
    private static func asPostgres(_ command: [String]) -> [String] {
        let death = ["setpriv", "--pdeathsig", "INT"]
        guard getuid() == 0 else { return death + command }
        return death + ["--reuid", "postgres", "--regid", "postgres", "--init-groups"] + command
    }
}
