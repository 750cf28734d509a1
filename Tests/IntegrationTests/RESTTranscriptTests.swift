import ConnectRuntime
import ConnectTestKit
import FoundationEssentials
import Testing
import TransferClient

/// What Kafka Connect answered, asked of Sluice request by request.
@Suite(
    .timeLimit(.minutes(3)),
    .serialized,
    .enabled(if: RealKafka.isAvailable, Comment(rawValue: RealKafka.skipReason))
) struct RESTTranscriptTests {
    @Test func `answers as Kafka Connect 4_3 does`() async throws {
        try await replay("connect-4.3.0.txt", partitions: 4, Tolerated.connect43)
    }
    @Test func `answers as Kafka Connect 3_9 does, where 4_3 does`() async throws {
        try await replay("connect-3.9.0.txt", partitions: 2, Tolerated.connect39)
    }

    private func replay(_ recording: String, partitions: Int, _ tolerated: [Tolerated]) async throws {
        let kafka = try RealKafka(settings: ["num.partitions": "\(partitions)"])
        defer { kafka.stop() }
        let folder = try WorkerProcess.makeFolder()
        try write((1...200).map { "line \($0)\n" }.joined(), folder + "/in.txt")  // 1692 bytes, as in the recording
        let worker = try WorkerProcess(
            folder: folder,
            port: try freePort(),
            arguments: ["--bootstrap-servers", kafka.bootstrapServers]
        )
        try await worker.untilReady()
        let documented = try documentation()
        var problems: [String] = [], used: Set<String> = []
        for exchange in try Exchange.recorded(recording) {
            for difference in try await differences(exchange, worker, tolerated, &used) {
                problems.append("\(exchange): \(difference)")
            }
        }
        for difference in tolerated where !difference.isTiming && !used.contains("\(difference)") {
            problems.append("no longer occurs: \(difference)")
        }
        for difference in tolerated where !documented.contains(difference.reason) {
            problems.append("Docs/compatibility.md does not say: \(difference.reason)")
        }
        #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
        #expect(await worker.stop() == 0)
    }

    /// What nobody has allowed; a GET is asked again for a while, since much of what it tells happens in its own time.
    private func differences(
        _ exchange: Exchange,
        _ worker: WorkerProcess,
        _ tolerated: [Tolerated],
        _ used: inout Set<String>
    ) async throws -> [Difference] {
        let clock = ContinuousClock(), deadline = clock.now + .seconds(15)
        while true {
            var left: [Difference] = [], covered: Set<String> = []
            for difference in try await compare(exchange, worker) {
                if let cover = tolerated.first(where: { $0.covers(exchange, difference) }) {
                    covered.insert("\(cover)")
                } else {
                    left.append(difference)
                }
            }
            if left.isEmpty || exchange.method != "GET" || clock.now > deadline {
                used.formUnion(covered)
                return left
            }
            try await clock.sleep(for: .milliseconds(100))
        }
    }

    private func compare(_ exchange: Exchange, _ worker: WorkerProcess) async throws -> [Difference] {
        let response = try await worker.send(
            exchange.method,
            exchange.path,
            exchange.body?.replacing("/data/", with: worker.folder + "/")
        )
        var found: [Difference] = []
        func same(_ place: String, _ recorded: String?, _ ours: String?) {
            guard recorded != ours else { return }
            found.append(Difference(place: place, recorded: recorded ?? "none", ours: ours ?? "none"))
        }
        same("status", "\(exchange.status)", "\(response.status)")
        same("content-type", exchange.headers["content-type"], response.header("Content-Type"))
        let address = /127\.0\.0\.1:\d+/
        same(
            "location",
            exchange.headers["location"]?.replacing(address, with: "WORKER"),
            response.header("Location")?.replacing(address, with: "WORKER")
        )
        let recorded = exchange.answer.replacing(address, with: "WORKER")
        let ours = response.text.replacing(worker.folder + "/", with: "/data/").replacing(address, with: "WORKER")
        guard let (wanted, isCut) = parseRecorded(recorded), let got = try? JSON.parse(Array(ours.utf8)) else {
            same("body", recorded, ours)
            return found
        }
        var comparison = BodyComparison(isCut: isCut)
        comparison.compare(wanted, got)
        return found + comparison.differences
    }

    private func documentation() throws -> String {
        let root = #filePath.prefix { _ in true }.dropLast("Tests/IntegrationTests/RESTTranscriptTests.swift".count)
        let data = try Data(contentsOf: URL(filePath: root + "Docs/compatibility.md"))
        return String(decoding: data, as: UTF8.self)
    }
}
