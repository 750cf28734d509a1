import ConnectAPI
import ConnectTestKit
import Dispatch
import FoundationEssentials
import Glibc
import Testing
import TransferClient

/// The built `sluice` as a process of its own: a worker, or embedded Kafka.
///
/// It dies with the test process; ``kill()`` is a power cut, ``stop()`` a Ctrl-C.
final class WorkerProcess: Sendable {
    struct Failure: Error, CustomStringConvertible { let description: String }

    let folder: String
    let url: String
    private let process: ChildProcess
    private let client: TransferClient

    /// The executable that was built beside this test bundle.
    static let program: String = {
        let me = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return me[..<(me.lastIndex(of: "/") ?? me.startIndex)] + "/sluice"
    }()

    /// Starts a worker on `folder/config`; `arguments` and `environment` come on top.
    ///
    /// Without a port the properties say where REST listens.
    init(
        folder: String,
        port: Int?,
        arguments: [String],
        environment: [String: String] = [:]
    ) throws {
        self.folder = folder
        url = "http://127.0.0.1:\(port ?? 0)"
        client = try TransferClient(label: "test.worker")
        try FileManager.default.createDirectory(atPath: folder + "/config", withIntermediateDirectories: true)
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        process = try ChildProcess(
            ["env"] + variables + [
                Self.program, "worker", "--config-dir", folder + "/config", "--properties",
                folder + "/worker.properties",
            ] + (port == nil ? [] : ["--listeners", url]) + arguments,
            output: folder + "/worker.log"
        )
    }
    deinit { if process.isRunning { process.signal(SIGKILL) } }

    /// A temporary folder with worker properties that suit tests.
    static func makeFolder(_ properties: [String: String] = [:]) throws -> String {
        let folder = "\(FileManager.default.temporaryDirectory.path)/sluice-it-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder + "/config", withIntermediateDirectories: true)
        let group = folder.split(separator: "-").last.map(String.init) ?? "it"
        let all = [
            "group.id": group, "config.storage.topic": "\(group)-configs", "offset.storage.topic": "\(group)-offsets",
            "status.storage.topic": "\(group)-status", "offset.flush.interval.ms": "500",
        ].merging(properties) { $1 }
        let text = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined()
        try Data(text.utf8).write(to: URL(filePath: folder + "/worker.properties"))
        return folder
    }

    var log: String {
        FileManager.default.contents(atPath: folder + "/worker.log").map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    var isRunning: Bool { process.isRunning }
    var pid: Int32 { process.pid }

    /// SIGKILL, and waits for the end.
    func kill() {
        process.signal(SIGKILL)
        _ = process.wait()
    }
    /// SIGINT, and waits for the end; the exit status.
    @discardableResult
    func stop(_ signal: Int32 = SIGINT) async -> Int32 {
        process.signal(signal)
        return await untilEnded()
    }
    /// Waits for an end that comes by itself; the exit status.
    func untilEnded() async -> Int32 { await ended(process) }

    // MARK: REST

    func send(_ method: String, _ path: String, _ body: String? = nil) async throws -> TransferResponse {
        try await client.send(
            TransferRequest(
                method,
                url + path,
                headers: body == nil ? [] : [TransferHeader("Content-Type", "application/json")],
                body: body.map { Array($0.utf8) },
                timeout: .seconds(10)
            )
        )
    }
    /// Any other server, over the same client.
    func ask(_ method: String, _ url: String) async throws -> TransferResponse {
        try await client.send(TransferRequest(method, url, timeout: .seconds(30)))
    }
    func get<Body: Decodable>(_ path: String, as type: Body.Type = Body.self) async throws -> Body {
        let response = try await send("GET", path)
        guard response.isSuccess else { throw Failure(description: "GET \(path): \(response.status) \(response.text)") }
        return try JSONDecoder().decode(Body.self, from: Data(response.body))
    }
    /// Creates or changes a connector.
    func put(_ name: String, _ config: [String: String]) async throws {
        let body = String(decoding: try JSONEncoder().encode(config), as: UTF8.self)
        try await change("PUT", "/connectors/\(name)/config", body)
    }
    /// A change that must succeed; as clients do, it is sent again while no worker leads yet (409).
    func change(_ method: String, _ path: String, _ body: String? = nil) async throws {
        let response = try await eventually("\(method) \(path) is taken") { () -> TransferResponse? in
            let response = try await send(method, path, body)
            return response.status == 409 ? nil : response
        }
        guard response.isSuccess else {
            throw Failure(description: "\(method) \(path): \(response.status) \(response.text)")
        }
    }
    /// Asks until `body` gives a value; what a process of its own does can only be seen by asking.
    @discardableResult
    func eventually<R>(
        _ what: String,
        within limit: Duration = .seconds(60),
        _ body: () async throws -> R?
    ) async throws -> R {
        let clock = ContinuousClock(), deadline = clock.now + limit
        var last = "nothing yet"
        while clock.now < deadline {
            guard process.isRunning else {
                throw Failure(description: "\(what): the worker has ended:\n\(log.suffix(2_000))")
            }
            do { if let found = try await body() { return found } } catch { last = "\(error)" }
            try await clock.sleep(for: .milliseconds(50))
        }
        throw Failure(description: "\(what): not within \(limit): \(last)\n\(log.suffix(3_000))")
    }
    func untilReady() async throws {
        try await eventually("the worker is ready and leads its group") {
            let health = try await send("GET", "/health")
            return health.status == 200 && !health.text.contains("joining") ? true : nil
        }
    }
    /// Until the tasks of these connectors have nothing more to do, twice in a row.
    func untilDelivered(_ names: Set<String>, within limit: Duration = .seconds(120)) async throws {
        var before = -1
        var calmSince: ContinuousClock.Instant?
        _ = try await eventually("everything is delivered", within: limit) { () -> Bool? in
            let tasks = try await get("/admin/tasks", as: [TaskSnapshotBody].self).filter {
                names.contains($0.id.connector)
            }
            if let failed = tasks.first(where: { $0.state == "FAILED" }) {
                let status = try await send("GET", "/connectors/\(failed.id.connector)/status").text
                throw Failure(description: "\(failed.id.connector) failed: \(status)")
            }
            let moved = tasks.reduce(0) { $0 + $1.recordsRead + $1.recordsWritten }
            defer { before = moved }
            let working = tasks.filter { $0.type == "source" || $0.lag != nil }
            let calm = Set(working.map(\.id.connector)) == names && tasks.allSatisfy { $0.isIdle && ($0.lag ?? 0) == 0 }
            guard calm && moved == before else {
                calmSince = nil
                return nil
            }
            // Sinks with topics.regex have looked for topics since all was quiet.
            let now = ContinuousClock.now, since = calmSince ?? now
            calmSince = since
            return tasks.allSatisfy { $0.topicsAge.map { .milliseconds($0) <= now - since } ?? true } ? true : nil
        }
    }
}

/// The exit status of a process, without blocking a thread that others need.
func ended(_ process: ChildProcess) async -> Int32 {
    await withCheckedContinuation { continuation in
        waiter.async { continuation.resume(returning: process.wait()) }
    }
}
private let waiter = DispatchQueue(label: "test.worker.waiter", attributes: .concurrent)

/// Embedded Kafka as a process of its own.
final class KafkaProcess: Sendable {
    let bootstrapServers: String
    private let process: ChildProcess

    init(port: Int = 0) async throws {
        let output = "\(FileManager.default.temporaryDirectory.path)/sluice-it-kafka-\(UInt64.random(in: 0 ... .max))"
        process = try ChildProcess([WorkerProcess.program, "kafka", "--port", "\(port)"], output: output)
        let clock = ContinuousClock(), deadline = clock.now + .seconds(10)
        while true {
            let text = FileManager.default.contents(atPath: output).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if let line = text.split(separator: "\n").first(where: { $0.hasPrefix("127.0.0.1:") }) {
                bootstrapServers = String(line)
                break
            }
            guard clock.now < deadline, process.isRunning else {
                throw WorkerProcess.Failure(description: "sluice kafka: \(text)")
            }
            try await clock.sleep(for: .milliseconds(20))
        }
    }
    deinit { if process.isRunning { process.signal(SIGKILL) } }
}
