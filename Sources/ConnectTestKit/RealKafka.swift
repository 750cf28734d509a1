import Dispatch
import Glibc
import Synchronization

/// A real Kafka broker for tests: own directory, a free port on 127.0.0.1, and gone, with its files, with this process.
///
/// Found in this order: `KAFKA_HOME`, an ordinary Kafka download; `../shared/kafka` beside the repository. ``shared()``
/// is one per test process; a test that stops or kills its broker makes one of its own.
/// ```swift
/// @Suite(.enabled(if: RealKafka.isAvailable, "\(RealKafka.skipReason)")) struct CompactionTests { … }
/// ```
public final class RealKafka: Sendable {
    /// What went wrong while starting.
    public struct Failure: Error, CustomStringConvertible {
        /// In words.
        public let description: String
    }
    private enum Installation: Sendable { case download(String), folder(String) }
    private struct State {
        var broker: ChildProcess?
        var guardian: ChildProcess?
    }

    /// `host:port` of the broker.
    public let bootstrapServers: String
    /// The directory of data and log.
    public let directory: String
    private let installation: Installation
    private let state = Mutex(State())

    /// Whether a Kafka was found.
    public static var isAvailable: Bool { found != nil }
    /// Why a suite that needs a real Kafka is skipped, for `.enabled(if:)`.
    public static let skipReason = "needs a real Kafka: set KAFKA_HOME, or have ../shared/kafka"

    /// Makes and starts a broker, in about five seconds; `settings` are further broker settings.
    public init(settings: [String: String] = [:]) throws {
        guard let found = Self.found else { throw Failure(description: Self.skipReason) }
        installation = found
        directory = try temporaryDirectory(named: "kafka")
        let directory = directory
        // Two ports are needed, the second for the controller, so a collision is possible and tried again.
        var failure = Failure(description: "no port")
        for attempt in 1...4 {
            let port = Int.random(in: 20_000..<32_000)
            let data = "\(directory)/run\(attempt)"
            let attempt = Result { () throws in try Self.start(found, port: port, in: data, settings) }
            switch attempt {
            case .success(let started):
                bootstrapServers = "127.0.0.1:\(port)"
                state.withLock { $0 = started }
                return
            case .failure(let error): failure = Failure(description: "\(error)")
            }
        }
        removeTree(directory)
        throw failure
    }

    deinit {
        stop()
        removeTree(directory)
    }

    private static let one = Mutex<Result<RealKafka, Failure>?>(nil)

    /// The broker of this test process; started by the first call, without blocking the caller's thread.
    public static func shared() async throws -> RealKafka {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<RealKafka, Failure>, Never>) in
            starter.async {
                let result = one.withLock { one in
                    if let one { return one }
                    let made = Result { try RealKafka() }.mapError { Failure(description: "\($0)") }
                    one = made
                    return made
                }
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }
    private static let starter = DispatchQueue(label: "test.kafka.starter")

    /// A name that no other test uses, for topics and groups.
    public static func uniqueName(_ prefix: String) -> String { "\(prefix)-\(UInt32.random(in: 0 ... .max))" }

    /// Ends the broker like a power cut.
    public func stop() {
        let last = state.withLock { state in
            defer { state = State() }
            return state
        }
        // The guardian of a started-by-script broker kills it on SIGTERM; a broker of ours is killed directly.
        last.guardian?.signal(SIGTERM)
        last.broker?.signal(SIGKILL)
        _ = last.guardian?.wait()
        _ = last.broker?.wait()
    }

    // --- finding

    private static let found: Installation? = {
        if let home = unsafe getenv("KAFKA_HOME") {
            let path = unsafe String(cString: home)
            if unsafe access("\(path)/bin/kafka-server-start.sh", X_OK) == 0 { return .download(path) }
        }
        var folder = Substring(#filePath)
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            let script = "\(folder)/shared/kafka/kafka"
            if unsafe access(script, X_OK) == 0 { return .folder(script) }
        }
        return nil
    }()

    // --- starting

    private static func start(
        _ installation: Installation,
        port: Int,
        in data: String,
        _ settings: [String: String]
    ) throws -> State {
        switch installation {
        case .folder(let script): try start(script: script, port: port, in: data, settings)
        case .download(let home): try start(home: home, port: port, in: data, settings)
        }
    }

    private static func start(
        script: String,
        port: Int,
        in data: String,
        _ settings: [String: String]
    ) throws -> State {
        let log = "\(data).log"
        var command = ["bash", script, "start", "--dir", data, "--port", "\(port)", "--heap", "320m"]
        for (key, value) in settings { command += ["--set", "\(key)=\(value)"] }
        guard try ChildProcess(command, output: log).wait() == 0,
            let pid = Int32(readFile("\(data)/broker-1.pid").filter { !$0.isWhitespace })
        else { throw Failure(description: "Kafka does not start: \(readFile(log))") }
        // The script's broker outlives everybody; this shell ends it when it is told to or this process dies.
        let watch = "trap 'kill -KILL \(pid); exit' TERM; while kill -0 \(pid) 2>/dev/null; do sleep 1 & wait $!; done"
        let guardian = try ChildProcess(
            ["setpriv", "--pdeathsig", "TERM", "sh", "-c", watch],
            output: "/dev/null"
        )
        return State(broker: nil, guardian: guardian)
    }

    private static func start(home: String, port: Int, in data: String, _ settings: [String: String]) throws -> State {
        guard unsafe mkdir(data, 0o755) == 0 else { throw Failure(description: "\(data): errno \(errno)") }
        var properties: [String: String] = [
            "process.roles": "broker,controller", "node.id": "1",
            "listeners": "PLAINTEXT://127.0.0.1:\(port),CONTROLLER://127.0.0.1:\(port + 1)",
            "advertised.listeners": "PLAINTEXT://127.0.0.1:\(port)",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": "1@127.0.0.1:\(port + 1)",
            "log.dirs": "\(data)/data",
            "offsets.topic.replication.factor": "1", "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1", "offsets.topic.num.partitions": "3",
            "transaction.state.log.num.partitions": "3", "group.initial.rebalance.delay.ms": "0",
        ]
        properties.merge(settings) { $1 }
        let file = "\(data)/broker.properties"
        try write(properties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined(), to: file)
        let (format, log) = ("\(data)/format.log", "\(data)/broker.log")
        let formatted = try ChildProcess(
            ["\(home)/bin/kafka-storage.sh", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", file],
            output: format
        )
        guard formatted.wait() == 0 else { throw Failure(description: "Kafka does not format: \(readFile(format))") }
        let broker = try ChildProcess(
            ["setpriv", "--pdeathsig", "KILL", "\(home)/bin/kafka-server-start.sh", file],
            output: log
        )
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline, broker.isRunning {
            if readFile(log).contains("Kafka Server started") { return State(broker: broker, guardian: nil) }
            _ = try ChildProcess(["sleep", "0.1"], output: "/dev/null").wait()
        }
        broker.signal(SIGKILL)
        throw Failure(description: "Kafka does not start: \(readFile(log))")
    }

    private static func write(_ text: String, to path: String) throws {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw Failure(description: "\(path): errno \(errno)") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw Failure(description: "\(path): errno \(errno)")
        }
    }
}
