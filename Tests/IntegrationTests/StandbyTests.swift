import ConnectAPI
import ConnectTestKit
import FoundationEssentials
import Glibc
import Testing
import TransferClient

/// Two workers of one group on a real Kafka: one works, the other stands by and takes over.
@Suite(
    .enabled(if: RealKafka.isAvailable, Comment(rawValue: RealKafka.skipReason)),
    .timeLimit(.minutes(4)),
    .serialized
)
struct StandbyTests {
    private static let session = Duration.seconds(6)

    /// Two worker processes with the same properties, in folders of their own; the first one leads.
    private struct Pair {
        let folder: String
        let topic = RealKafka.uniqueName("standby")
        let kafka: String
        let leader: WorkerProcess
        let standby: WorkerProcess

        init(_ properties: [String: String] = [:]) async throws {
            kafka = try await RealKafka.shared().bootstrapServers
            let quick = ["session.timeout.ms": "6000", "offset.flush.interval.ms": "300"]
            folder = try WorkerProcess.makeFolder(quick.merging(properties) { $1 })
            leader = try await Self.worker("one", folder, kafka)
            try await leader.untilRole("leader")
            standby = try await Self.worker("two", folder, kafka)
            try await standby.untilRole("standby")
        }
        static func worker(_ name: String, _ folder: String, _ kafka: String) async throws -> WorkerProcess {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)",
                withIntermediateDirectories: true
            )
            try? FileManager.default.copyItem(
                atPath: folder + "/worker.properties",
                toPath: "\(folder)/\(name)/worker.properties"
            )
            let worker = try WorkerProcess(
                folder: "\(folder)/\(name)",
                port: try freePort(),
                arguments: ["--bootstrap-servers", kafka]
            )
            try await worker.untilReady()
            return worker
        }
        /// Lines of a file into a topic, and the topic into files.
        func startPipeline(through worker: WorkerProcess) async throws {
            try write("", folder + "/in.txt")
            let text = "org.apache.kafka.connect.storage.StringConverter"
            try await worker.put(
                "in-\(topic)",
                [
                    "connector.class": "FileStreamSource", "file": folder + "/in.txt", "topic": topic,
                    "batch.size": "20", "value.converter": text,
                ]
            )
            try await worker.put(
                "out-\(topic)",
                [
                    "connector.class": "FileSink", "topics": topic, "directory": folder + "/out",
                    "rotate.interval.ms": "200", "value.converter": text, "errors.retry.delay.max.ms": "500",
                ]
            )
        }
        func append(_ numbers: Range<Int>) throws {
            try IntegrationTests.append(numbers.map { "\($0)\n" }.joined(), to: folder + "/in.txt")
        }
        /// How often each number is in the sink's files.
        func counts() throws -> [Int: Int] {
            let out = folder + "/out"
            let names = (try? FileManager.default.subpathsOfDirectory(atPath: out)) ?? []
            var counts: [Int: Int] = [:]
            for name in names where name.hasSuffix(".jsonl") {
                let text = String(
                    decoding: FileManager.default.contents(atPath: "\(out)/\(name)") ?? Data(),
                    as: UTF8.self
                )
                for line in text.split(separator: "\n") {
                    if let number = Int(line.filter(\.isNumber)) { counts[number, default: 0] += 1 }
                }
            }
            return counts
        }
        func untilArrived(_ numbers: Range<Int>, seenBy worker: WorkerProcess) async throws {
            try await worker.eventually("\(numbers) are in the files") {
                let there = try counts()
                return numbers.allSatisfy { there[$0] != nil } ? true : nil
            }
        }
    }

    @Test func `reads and writes go through the standby`() async throws {
        let pair = try await Pair()
        try await pair.startPipeline(through: pair.standby)
        try pair.append(0..<100)
        try await pair.untilArrived(0..<100, seenBy: pair.standby)
        let name = "in-\(pair.topic)"
        let status = try await pair.standby.get("/connectors/\(name)/status", as: ConnectorStatusBody.self)
        let leader = pair.leader.url.dropFirst("http://".count)
        #expect(status.connector.workerID == leader)
        #expect(status.tasks.map(\.workerID) == [String(leader)])
        try await pair.standby.eventually("the offset is read") {
            try await pair.standby.send("GET", "/connectors/\(name)/offsets").text.contains("position") ? true : nil
        }
        #expect(try await pair.standby.get("/admin/tasks", as: [TaskSnapshotBody].self).count == 2)
        let workers = try await pair.standby.get("/admin/workers", as: [WorkerMemberBody].self)
        #expect(Set(workers.map(\.role)) == ["leader", "standby"] && workers.count == 2)
        let health = try await pair.standby.send("GET", "/health")
        #expect(health.status == 200 && health.text.contains("stands by: \(pair.leader.url) leads"))
        #expect(try await pair.standby.send("PUT", "/connectors/\(name)/pause").status == 202)
        try await pair.standby.eventually("it is paused") {
            let status = try await pair.standby.get("/connectors/\(name)/status", as: ConnectorStatusBody.self)
            return status.tasks.map(\.state) == ["PAUSED"] ? true : nil
        }
        #expect(try await pair.standby.send("GET", "/connectors/nope").status == 404)
        #expect(try await pair.standby.send("DELETE", "/connectors/nope").status == 404)
        #expect(try await pair.standby.send("DELETE", "/connectors/\(name)").status == 204)
        try await pair.standby.eventually("it is gone") {
            try await pair.standby.send("GET", "/connectors/\(name)").status == 404 ? true : nil
        }
        // Without its leader the standby says so; while the session lasts nobody else leads.
        pair.leader.kill()
        let refused = try await pair.standby.send("PUT", "/connectors/out-\(pair.topic)/pause")
        #expect(refused.status == 409 && refused.text.contains(pair.leader.url), "\(refused.text)")
        #expect(await pair.standby.stop() == 0)
    }

    @Test func `a killed leader's work is taken over within the session time-out, and nothing is missing`() async throws
    {
        let pair = try await Pair(["exactly.once.source.support": "enabled"])
        try await pair.startPipeline(through: pair.leader)
        try pair.append(0..<500)
        try await pair.untilArrived(0..<200, seenBy: pair.leader)
        let clock = ContinuousClock(), killed = clock.now
        pair.leader.kill()
        try pair.append(500..<1_000)
        try await pair.standby.untilRole("leader")
        let took = clock.now - killed
        try await pair.untilArrived(0..<1_000, seenBy: pair.standby)
        #expect(took < Self.session + .seconds(3), "took \(took)")
        print("takeover after SIGKILL: lead \(took), last record \(clock.now - killed)")
        let counts = try pair.counts()
        #expect(counts.allSatisfy { $0.value == 1 }, "\(counts.filter { $0.value != 1 })")
        #expect(await pair.standby.stop() == 0)
    }

    @Test func `a leader that leaves is followed at once`() async throws {
        let pair = try await Pair()
        try await pair.startPipeline(through: pair.leader)
        try pair.append(0..<200)
        try await pair.untilArrived(0..<200, seenBy: pair.leader)
        let clock = ContinuousClock()
        #expect(await pair.leader.stop() == 0)
        let left = clock.now
        try await pair.standby.untilRole("leader")
        let took = clock.now - left
        print("takeover after a clean stop: \(took)")
        #expect(took < Self.session / 2, "took \(took)")
        try pair.append(200..<300)
        try await pair.untilArrived(0..<300, seenBy: pair.standby)
        let counts = try pair.counts()
        #expect(counts.allSatisfy { $0.value == 1 }, "\(counts.filter { $0.value != 1 })")
        #expect(await pair.standby.stop() == 0)
    }

    @Test func `a leader that was stopped and goes on writes nothing more`() async throws {
        let pair = try await Pair(["exactly.once.source.support": "enabled"])
        try await pair.startPipeline(through: pair.leader)
        try pair.append(0..<200)
        try await pair.untilArrived(0..<200, seenBy: pair.leader)
        _ = Glibc.kill(pair.leader.pid, SIGSTOP)
        try pair.append(200..<400)
        try await pair.standby.untilRole("leader")
        _ = Glibc.kill(pair.leader.pid, SIGCONT)
        try await pair.leader.untilRole("standby")
        #expect(pair.leader.log.contains("Stopped all work of this worker"))
        try pair.append(400..<600)
        try await pair.untilArrived(0..<600, seenBy: pair.standby)
        let counts = try pair.counts()
        #expect(counts.allSatisfy { $0.value == 1 }, "\(counts.filter { $0.value != 1 })")
        let status = try await pair.leader.get("/connectors/in-\(pair.topic)/status", as: ConnectorStatusBody.self)
        #expect(status.tasks.map(\.workerID) == [String(pair.standby.url.dropFirst("http://".count))])
        #expect(status.tasks.map(\.state) == ["RUNNING"])
        // And back again.
        #expect(await pair.standby.stop() == 0)
        try await pair.leader.untilRole("leader")
        try pair.append(600..<700)
        try await pair.untilArrived(0..<700, seenBy: pair.leader)
        #expect(await pair.leader.stop() == 0)
    }

    @Test func `beside a member of Kafka Connect's protocol the worker answers reads, says why, and waits`()
        async throws
    {
        let kafka = try await RealKafka.shared().bootstrapServers
        let folder = try WorkerProcess.makeFolder(["session.timeout.ms": "6000"])
        let properties = String(
            decoding: FileManager.default.contents(atPath: folder + "/worker.properties") ?? Data(),
            as: UTF8.self
        )
        let line = try #require(properties.split(separator: "\n").first { $0.hasPrefix("group.id=") })
        // A member that joins as Kafka Connect does, and then is silent until its session is over.
        let port = try #require(kafka.split(separator: ":").last.flatMap { Int($0) })
        let stranger = RawClient(port: port)
        stranger.send(joinGroup(String(line.dropFirst("group.id=".count))))
        let answer = await stranger.read(count: 14)
        #expect(answer.unicodeScalars.suffix(2).map(\.value) == [0, 0], "the stranger was refused")

        let worker = try await Pair.worker("one", folder, kafka)
        try await worker.eventually("the refusal is told") {
            let health = try await worker.send("GET", "/health")
            return health.status == 200 && health.text.contains("Stop the Kafka Connect workers") ? true : nil
        }
        #expect(try await worker.send("GET", "/connectors").text == "[]")
        let refused = try await worker.send("PUT", "/connectors/a/config", "{}")
        #expect(refused.status == 409 && refused.text.contains("Kafka Connect workers"))
        #expect(worker.log.contains("WARN Cannot join the group of workers"))
        stranger.hangUp(abruptly: true)
        try await worker.untilRole("leader")
        #expect(await worker.stop() == 0)
    }
    /// A JoinGroup request, version 2: protocol type `connect`, session and rebalance time-outs of six seconds.
    private func joinGroup(_ group: String) -> [UInt8] {
        func int(_ number: Int, _ bytes: Int) -> [UInt8] {
            (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
        }
        func text(_ text: String) -> [UInt8] { int(text.utf8.count, 2) + Array(text.utf8) }
        let head = int(11, 2) + int(2, 2) + int(1, 4) + text("connect-stranger")
        let body =
            text(group) + int(6_000, 4) + int(6_000, 4) + text("") + text("connect")
            + int(1, 4) + text("sessioned") + int(0, 4)
        return int(head.count + body.count, 4) + head + body
    }

    @Test func `two workers that start together agree on one`() async throws {
        let kafka = try await RealKafka.shared().bootstrapServers
        let folder = try WorkerProcess.makeFolder(["session.timeout.ms": "6000"])
        async let first = Pair.worker("one", folder, kafka)
        async let second = Pair.worker("two", folder, kafka)
        let workers = [try await first, try await second]
        let roles = try await workers[0].eventually("one leads, one stands by") { () -> [String?]? in
            var roles: [String?] = []
            for worker in workers { roles.append(try await worker.get("/", as: WorkerInfoBody.self).role) }
            return Set(roles) == ["leader", "standby"] ? roles : nil
        }
        // The role is told a moment before the log has its line.
        func leads() -> Int {
            workers.reduce(0) { $0 + $1.log.split(separator: "\n").count { $0.contains("Leads the cluster") } }
        }
        try await workers[0].eventually("the log tells who leads") { leads() > 0 ? true : nil }
        #expect(leads() == 1, "\(roles)")
        // A standby that dies, and another that joins before its session is over, do not disturb the leader.
        let (leader, standby) = roles[0] == "leader" ? (workers[0], workers[1]) : (workers[1], workers[0])
        standby.kill()
        let third = try await Pair.worker("three", folder, kafka)
        try await third.untilRole("standby")
        try await third.eventually("the dead one is forgotten, the new one is listed") {
            let found = try await third.get("/admin/workers", as: [WorkerMemberBody].self)
            return Set(found.map(\.url)) == [leader.url, third.url] ? true : nil
        }
        #expect(!leader.log.contains("Stopped all work"))
        #expect(await third.stop() == 0)
        #expect(await leader.stop() == 0)
    }

    @Test func `a killed worker that starts again on the same machine does not wait for its own session`() async throws
    {
        let kafka = try await RealKafka.shared().bootstrapServers
        let folder = try WorkerProcess.makeFolder(["session.timeout.ms": "30000"])
        let first = try await Pair.worker("one", folder, kafka)
        try await first.untilRole("leader")
        first.kill()
        let second = try await Pair.worker("two", folder, kafka)
        let clock = ContinuousClock(), ready = clock.now
        try await second.untilRole("leader")
        let took = clock.now - ready
        print("lead after a restart: \(took)")
        #expect(took < .seconds(8), "took \(took)")
        #expect(await second.stop() == 0)
    }
}

extension WorkerProcess {
    func untilRole(_ role: String) async throws {
        try await eventually("the worker is \(role)") {
            try await get("/", as: WorkerInfoBody.self).role == role ? true : nil
        }
    }
}

private func append(_ text: String, to path: String) throws {
    let file = unsafe open(path, O_WRONLY | O_APPEND)
    guard file >= 0 else { throw WorkerProcess.Failure(description: "\(path): errno \(errno)") }
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else {
        throw WorkerProcess.Failure(description: "\(path): errno \(errno)")
    }
}
