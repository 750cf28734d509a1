import ConnectTestKit
import FoundationEssentials
import Glibc
import Lifecycle
import Synchronization
import Testing

/// SIGKILL between any two steps of a transaction, then a restart: a committed reader sees every record once, in order.
@Suite(
    .enabled(if: RealKafka.isAvailable, Comment(rawValue: RealKafka.skipReason)),
    .timeLimit(.minutes(6)),
    .serialized
)
struct ExactlyOnceTests {
    /// Further seeds: `SLUICE_SEEDS=100-120`.
    private static var seeds: [UInt64] {
        let given = ProcessInfo.processInfo.environment["SLUICE_SEEDS"] ?? ""
        let bounds = given.split(separator: "-").compactMap { UInt64($0) }
        guard bounds.count == 2, bounds[0] <= bounds[1] else { return [1, 2] }
        return Array(bounds[0]...bounds[1])
    }
    /// A broker behind a gate, for all seeds.
    private final class Bench: Sendable {
        let gate: KafkaGate
        let kafka: RealKafka
        var servers: String { "127.0.0.1:\(gate.port)" }

        init() throws {
            gate = try KafkaGate()
            kafka = try RealKafka(settings: ["advertised.listeners": "PLAINTEXT://127.0.0.1:\(gate.port)"])
            gate.open(to: kafka.bootstrapServers.split(separator: ":").last.flatMap { Int($0) } ?? 0)
        }
        deinit { gate.close() }
    }
    private final class Victim: Sendable {
        private let worker = Mutex<WorkerProcess?>(nil)
        func be(_ next: WorkerProcess?) { worker.withLock { $0 = next } }
        /// From the gate's thread; the process may have only just been started.
        func die() {
            for _ in 0..<2_000 {
                if let worker = worker.withLock({ $0 }) { return worker.kill() }
                usleep(1_000)
            }
        }
    }

    @Test func `each line is seen once and in order, wherever the worker is killed`() async throws {
        let bench = try await Task.detached { try Bench() }.value
        for seed in Self.seeds { try await survives(bench, seed) }
    }

    private func survives(_ bench: Bench, _ seed: UInt64) async throws {
        var random = SplitMix64(seed)
        let reader = TopicReader(servers: bench.servers), topic = RealKafka.uniqueName("once-\(seed)")
        try await reader.make(topic, partitions: 3)
        let folder = try WorkerProcess.makeFolder(["exactly.once.source.support": "enabled"])
        var lines = 0
        var story: [String] = []
        var missed = 0
        func more(_ count: Int) throws {
            let text = (lines..<(lines + count)).map { "line \($0)\n" }.joined()
            try append(text, to: folder + "/in.txt")
            lines += count
        }
        func configure(_ round: Int, in directory: String) throws {
            // A new config is a new generation of tasks, with all its transactional writes to the config topic.
            let config = [
                "connector.class": "FileStreamSource", "file": folder + "/in.txt", "topic": topic,
                "batch.size": "\(40 + round)", "exactly.once.support": "required",
                "transaction.boundary": seed % 2 == 0 ? "interval" : "poll",
                "transaction.boundary.interval.ms": "100",
                "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            ]
            try write(String(decoding: try JSONEncoder().encode(config), as: UTF8.self), directory + "/in.json")
        }
        let arguments = ["--bootstrap-servers", bench.servers]
        for round in 0..<5 {
            let step = KafkaGate.Step.allCases.randomElement(using: &random) ?? .produce
            let most = step == .initProducerID ? 3 : step == .produce ? 24 : 12
            let trap = KafkaGate.Trap(
                step: step,
                count: Int.random(in: 1...most, using: &random),
                isAfter: Bool.random(using: &random)
            )
            try more(600)
            try configure(round, in: folder + "/config")
            let victim = Victim()
            bench.gate.set(trap) { victim.die() }
            let worker = try WorkerProcess(folder: folder, port: try freePort(), arguments: arguments)
            victim.be(worker)
            do { try await worker.untilDelivered(["in"], within: .seconds(20)) } catch {
                // Killed on the way, as intended; anything else shows in the last run.
            }
            if bench.gate.isSet { missed += 1 }
            story.append("\(trap)\(bench.gate.isSet ? " (not met)" : "")")
            bench.gate.set(nil)
            worker.kill()
        }
        let worker = try WorkerProcess(folder: folder, port: try freePort(), arguments: arguments)
        try await worker.untilReady()
        try await worker.untilDelivered(["in"])
        #expect(await worker.stop() == 0)
        let seen = try await reader.read(topic)
        let why: Comment = "seed \(seed), killed \(story.joined(separator: ", "))"
        #expect(missed < story.count / 2, why)
        let numbers = seen.map { Int($0.value?.split(separator: " ").last ?? "") ?? -1 }
        #expect(numbers.sorted() == Array(0..<lines), why)
        for partition in Set(seen.map(\.partition)) {
            let own = zip(seen, numbers).filter { $0.0.partition == partition }.map(\.1)
            #expect(own == own.sorted(), why)
        }
    }
    private func append(_ text: String, to path: String) throws {
        let before = FileManager.default.contents(atPath: path) ?? Data()
        guard !before.isEmpty else { return try write(text, path) }
        let descriptor = unsafe open(path, O_WRONLY | O_APPEND)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw WorkerProcess.Failure(description: "\(path): errno \(errno)")
        }
    }
}
