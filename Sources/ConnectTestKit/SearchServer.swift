import FoundationEssentials
import Glibc
import Synchronization

/// A real Elasticsearch or OpenSearch for tests.
///
/// Found as `ELASTICSEARCH_URL` (a server that runs already), else started out of `../shared/search` beside the repository,
/// which needs Java 17; ``available`` is empty without both, and tests with it as argument are skipped by name.
/// ``shared(_:)`` is one per kind and test process, stopped and removed when the process ends.
public final class SearchServer: Sendable {
    /// Which server.
    public enum Kind: String, Sendable, CaseIterable {
        case elasticsearch, opensearch
    }
    /// What went wrong while starting.
    public struct Failure: Error, CustomStringConvertible {
        /// In words.
        public let description: String
    }

    /// `http://127.0.0.1:port`.
    public let url: String
    /// The directory of data and log; empty for a server that is not ours.
    public let directory: String
    private let program: String
    private let command: [String]

    /// What can be had here.
    public static var available: [Kind] {
        if externalURL != nil { return [.elasticsearch] }
        guard let home else { return [] }
        return Kind.allCases.filter { unsafe access("\(home)/\($0.rawValue)/lib", R_OK) == 0 }
    }
    private static let externalURL: String? = unsafe getenv("ELASTICSEARCH_URL").map { unsafe String(cString: $0) }
    /// `../shared/search` beside the repository's root, or beside a work tree's.
    private static let home: String? = {
        var root = #filePath[...]
        for _ in 0..<3 { root = root[..<(root.lastIndex(of: "/") ?? root.startIndex)] }
        let home = "\(root)/../shared/search"
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        let javaHome = unsafe getenv("JAVA_HOME").map { unsafe String(cString: $0) + "/bin" } ?? ""
        let hasJava = "\(path):\(javaHome)".split(separator: ":").contains { isProgram("\($0)/java") }
        return hasJava && isProgram("\(home)/search") ? home : nil
    }()

    private static func isProgram(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    /// Starts a server of its own with further node settings, in three to ten seconds.
    public init(_ kind: Kind, settings: [String] = []) throws {
        if kind == .elasticsearch, settings.isEmpty, let url = Self.externalURL {
            (self.url, directory, program, command) = (url, "", "", [])
            return
        }
        guard let home = Self.home else { throw Failure(description: "no search server: see ../shared/search") }
        Self.stopLeftovers(home)
        program = "\(home)/search"
        directory = try temporaryDirectory(named: "search")
        let port = try freePort()
        url = "http://127.0.0.1:\(port)"
        command =
            [program, "start", kind.rawValue, "--dir", "\(directory)/node", "--port", "\(port)", "--heap", "384m"]
            + settings.flatMap { ["--set", $0] }
        let (program, directory) = (program, directory)
        ExitHooks.shared.add { Self.remove(program, directory) }
        try start()
    }
    deinit { if !directory.isEmpty { Self.remove(program, directory) } }

    private static let shared = Mutex<[Kind: SearchServer]>([:])
    /// The server of this test process; started by the first call.
    public static func shared(_ kind: Kind) throws -> SearchServer {
        try shared.withLock { shared in
            if let server = shared[kind] { return server }
            let server = try SearchServer(kind)
            shared[kind] = server
            return server
        }
    }

    /// Starts a stopped or killed server; its documents are there again.
    public func start() throws {
        let status = try ChildProcess(command, output: "\(directory)/start.log").wait()
        guard status == 0 else { throw Failure(description: readFile("\(directory)/start.log")) }
    }
    /// Stops the server, or kills it like a power cut.
    public func stop(killing: Bool = false) throws {
        let command = [program, "stop", "--dir", "\(directory)/node"] + (killing ? ["--kill"] : [])
        _ = try ChildProcess(command, output: "\(directory)/stop.log").wait()
    }

    private static func remove(_ program: String, _ directory: String) {
        let command = [program, "stop", "--dir", "\(directory)/node", "--kill"]
        _ = try? ChildProcess(command, output: "/dev/null").wait()
        removeTree(directory)
    }
    /// Ends servers of test processes that were killed.
    private static func stopLeftovers(_ home: String) {
        for file in (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? [] {
            guard file.hasPrefix("sluice-search-"), let pid = pid_t(file.split(separator: "-")[2]) else { continue }
            if kill(pid, 0) != 0, errno == ESRCH { remove("\(home)/search", "/tmp/\(file)") }
        }
    }
}
