import ConnectModel
import Glibc
import KafkaClient

/// Produces and consumes records through the public API, beside `kcat` on the same broker in the same run.
///
///     swift run -c release --package-path Benchmarks kafka-bench localhost:9092 [records] [rounds] [client.key=value …]
///
/// Each measurement is a process of its own, so that its peak memory is its own.
@main struct KafkaBench {
    static func main() async {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let only = arguments.firstIndex(of: "--only").map { (arguments[$0 + 1], arguments[$0 + 2]) }
        guard let servers = arguments.first else {
            print("usage: kafka-bench BOOTSTRAP [RECORDS] [ROUNDS] [KEY=VALUE ...]")
            exit(64)
        }
        arguments.removeFirst()
        let numbers = arguments.compactMap { Int($0) }
        let records = numbers.first ?? 1_000_000
        let rounds = numbers.dropFirst().first ?? 3
        var overrides: [String: String] = [:]
        for argument in arguments where argument.contains("=") {
            let parts = argument.split(separator: "=", maxSplits: 1).map { String($0) }
            overrides[parts[0]] = parts[1]
        }
        do {
            let bench = Bench(servers: servers, records: records, overrides: overrides)
            switch only {
            case ("produce", let topic)?: bench.report("produce, this client ", try await bench.produce(topic))
            case ("consume", let topic)?: bench.report("consume, this client ", try await bench.consume(topic))
            default: for round in 1...rounds { try await bench.round(round) }
            }
        } catch {
            print("kafka-bench: \(error)")
            exit(1)
        }
    }
}

struct Bench {
    let servers: String
    let records: Int
    let overrides: [String: String]

    func round(_ round: Int) async throws {
        let admin = try Admin(KafkaSettings(bootstrapServers: servers))
        let topic = "bench-\(getpid())-\(round)"
        let peerTopic = "\(topic)-kcat"
        let made = try await admin.createTopics([NewTopic(topic), NewTopic(peerTopic)])
        for case let (_, error?) in made { throw error }
        let lines = "/tmp/\(topic).lines"
        try writeLines(to: lines)
        defer { unlink(lines) }

        again("produce", topic)
        report("produce, kcat -P     ", shell("kcat -P -b \(servers) -t \(peerTopic) -l \(lines)"))
        again("consume", topic)
        report("consume, kcat -C -e", shell("kcat -C -q -e -b \(servers) -t \(peerTopic) -o beginning > /dev/null"))
        for case let (_, error?) in try await admin.deleteTopics([topic, peerTopic]) { throw error }
    }

    /// A JSON record of 200 bytes.
    private func record(_ index: Int) -> [UInt8] {
        let number = String(index)
        let head = #"{"id":\#(number),"name":"item \#(number)","price":12.50,"currency":"EUR","note":""#
        return Array((head + String(repeating: "x", count: 198 - head.utf8.count) + "\"}").utf8)
    }

    func produce(_ topic: String) async throws -> Duration {
        // The records are made before, so that only the client is measured.
        var buffers: [RecordBuffer] = []
        var index = 0
        while index < min(records, 50_000) {
            var buffer = RecordBuffer(reservingBytes: 1_000_000, records: 5_000)
            let number = buffer.index(ofTopic: topic)
            for _ in 0..<5_000 {
                buffer.append(topic: number, key: nil as [UInt8]?, value: record(index))
                index += 1
            }
            buffers.append(buffer)
        }
        let producer = try Producer(KafkaSettings(bootstrapServers: servers, overrides))
        _ = try await producer.send(ProducerRecord(topic: topic, value: "warm-up"))
        let (start, before) = (ContinuousClock.now, cpuMilliseconds())
        var deliveries: [Delivery] = []
        for number in 0..<(records / 5_000) {
            deliveries.append(try await producer.send(buffers[number % buffers.count]))
            if deliveries.count > 64 { try await deliveries.removeFirst().wait() }
        }
        for delivery in deliveries { try await delivery.wait() }
        let time = ContinuousClock.now - start
        print("CPU while producing: \(cpuMilliseconds() - before) ms")
        await producer.close()
        return time
    }

    func consume(_ topic: String) async throws -> Duration {
        let consumer = try Consumer(KafkaSettings(bootstrapServers: servers, overrides))
        let start = ContinuousClock.now
        try await consumer.assign([TopicPartition(topic, 0): .beginning])
        var count = 0
        var bytes = 0
        while count < records {
            guard case .batch(let batch) = try await consumer.poll(maxRecords: 2_000, timeout: .seconds(10)) else {
                break
            }
            batch.forEach { _, _, value in bytes += value?.byteCount ?? 0 }
            count += batch.count
        }
        let time = ContinuousClock.now - start
        precondition(count >= records, "only \(count) of \(records) records came")
        await consumer.close()
        return time
    }

    /// This program once more, for one measurement.
    private func again(_ what: String, _ topic: String) {
        let further = overrides.map { " '\($0.key)=\($0.value)'" }.joined()
        _ = shell("'\(CommandLine.arguments[0])' \(servers) \(records)\(further) --only \(what) \(topic)")
    }

    private func writeLines(to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        var chunk: [UInt8] = []
        for index in 0..<records {
            chunk += record(index)
            chunk.append(10)
            if chunk.count > 1 << 20 || index == records - 1 {
                precondition(write(descriptor, chunk, chunk.count) == chunk.count, "short write")
                chunk.removeAll(keepingCapacity: true)
            }
        }
    }

    private func shell(_ command: String) -> Duration {
        let start = ContinuousClock.now
        guard system(command) == 0 else {
            print("failed: \(command)")
            return .zero
        }
        return ContinuousClock.now - start
    }

    func report(_ what: String, _ time: Duration) {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        let rate = seconds > 0 ? Int(Double(records) / seconds) : 0
        let peak = what.contains("kcat") ? "" : ", peak RSS \(peakMegabytes()) MB, CPU \(cpuMilliseconds()) ms"
        print("\(what) \(rate) records/s\(peak)")
        fflush(nil)
    }

    private func usage() -> rusage {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        return usage
    }
    private func peakMegabytes() -> Int { usage().ru_maxrss / 1_024 }
    private func cpuMilliseconds() -> Int {
        let usage = usage()
        return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000
            + Int(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000
    }
}
