import ConnectTestKit
import FoundationEssentials
import Testing
import TransferClient

/// `/metrics` as Prometheus reads it, from a worker with work.
@Suite(.timeLimit(.minutes(2))) struct ScrapeTests {
    @Test func `the exposition parses, tells what there is, and forgets what is gone`() async throws {
        let folder = try WorkerProcess.makeFolder(), odd = #"in "quoted" \ ok"#
        try write((0..<500).map { "line \($0)\n" }.joined(), folder + "/in.txt")
        let worker = try WorkerProcess(folder: folder, port: try freePort(), arguments: ["--embedded-kafka"])
        try await worker.untilReady()
        let path = "in%20%22quoted%22%20%5C%20ok"
        try await worker.put(
            path,
            ["connector.class": "FileStreamSource", "file": folder + "/in.txt", "topic": "lines"]
        )
        try await worker.put(
            "out",
            [
                "connector.class": "FileSink", "directory": folder + "/out", "topics": "lines",
                "rotate.interval.ms": "100",
            ]
        )
        try await worker.untilDelivered([odd, "out"])
        let page = try await worker.eventually("all that was read has been told") { () -> Page? in
            let page = try await scrape(worker)
            return page.value("kafka_connect_sink_task_metrics_sink_record_send_total", ["connector": "out"]) == 500
                && page.value("connect_sink_lag_records", ["connector": "out", "topic": "lines"]) == 0 ? page : nil
        }
        #expect(page.problems.isEmpty, "\(page.problems.joined(separator: "\n"))")
        for name in Self.expected where page.types[name] == nil { Issue.record("\(name) is missing") }
        #expect(page.value("kafka_connect_source_task_metrics_source_record_write_total", ["connector": odd]) == 500)
        #expect(page.value("kafka_connect_connect_worker_metrics_connector_count", [:]) == 2)
        #expect(page.value("connect_source_bytes_written_total", ["connector": odd]) ?? 0 > 4_000)
        #expect(page.value("connect_sink_bytes_read_total", ["connector": "out"]) ?? 0 > 4_000)
        #expect(page.value("connect_sink_freshness_seconds", ["connector": "out"]) == 0)
        #expect(page.value("connect_sink_latency_seconds_count", ["connector": "out"]) ?? 0 > 0)
        #expect(page.value("process_resident_memory_bytes", [:]) ?? 0 > 1_000_000)

        #expect(try await worker.send("DELETE", "/connectors/\(path)").status == 204)
        try await worker.eventually("the series are gone") {
            try await scrape(worker).samples.contains { $0.labels["connector"] == odd } ? nil : true
        }
        #expect(try await scrape(worker).samples.contains { $0.labels["connector"] == "out" })
        #expect(await worker.stop() == 0)
    }

    private static let expected = [
        "kafka_connect_connect_worker_metrics_task_count",
        "kafka_connect_connect_worker_metrics_connector_running_task_count",
        "kafka_connect_connect_worker_metrics_connector_startup_success_total",
        "kafka_connect_connect_worker_metrics_task_startup_failure_percentage",
        "kafka_connect_connect_worker_rebalance_metrics_epoch", "kafka_connect_connector_metrics_status",
        "kafka_connect_connector_task_metrics_status",
        "kafka_connect_connector_task_metrics_offset_commit_success_percentage",
        "kafka_connect_connector_task_metrics_running_ratio",
        "kafka_connect_source_task_metrics_poll_batch_avg_time_ms",
        "kafka_connect_source_task_metrics_source_record_active_count_max",
        "kafka_connect_sink_task_metrics_partition_count",
        "kafka_connect_sink_task_metrics_offset_commit_completion_total",
        "kafka_connect_sink_task_metrics_put_batch_max_time_ms",
        "kafka_connect_task_error_metrics_total_record_failures",
        "kafka_connect_task_error_metrics_deadletterqueue_produce_requests", "connect_sink_put_seconds",
        "connect_sink_batch_records", "connect_source_poll_seconds", "connect_task_stalled",
        "process_cpu_seconds_total",
    ]

    private func scrape(_ worker: WorkerProcess) async throws -> Page {
        let answer = try await worker.send("GET", "/metrics")
        #expect(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        return Page(answer.text)
    }
}

/// A strict reader of the text format 0.0.4.
private struct Page {
    struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }
    private(set) var types: [String: String] = [:]
    private(set) var samples: [Sample] = []
    private(set) var problems: [String] = []
    private var helped: Set<String> = []

    init(_ text: String) {
        if !text.hasSuffix("\n") { problems.append("the last line does not end") }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP "), words.count == 4 {
                if !helped.insert(words[2]).inserted { problems.append("two HELP lines: \(line)") }
            } else if line.hasPrefix("# TYPE "), words.count == 4 {
                if types.updateValue(words[3], forKey: words[2]) != nil { problems.append("two TYPE lines: \(line)") }
                if !["counter", "gauge", "histogram"].contains(words[3]) { problems.append("type: \(line)") }
            } else if let sample = Self.sample(line) {
                take(sample, line)
            } else {
                problems.append("not understood: \(line)")
            }
        }
        for (name, type) in types where type == "histogram" { checkHistogram(name) }
    }
    func value(_ name: String, _ labels: [String: String]) -> Double? {
        samples.first { sample in sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value } }?
            .value
    }

    private mutating func take(_ sample: Sample, _ line: Substring) {
        let base = ["_bucket", "_sum", "_count"].first {
            sample.name.hasSuffix($0) && types[String(sample.name.dropLast($0.count))] == "histogram"
        }
        let family = base.map { String(sample.name.dropLast($0.count)) } ?? sample.name
        guard let type = types[family], helped.contains(family) else {
            return problems.append("a sample before its HELP and TYPE: \(line)")
        }
        if type == "counter", !family.hasSuffix("_total") { problems.append("a counter without _total: \(line)") }
        if samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) {
            problems.append("twice: \(line)")
        }
        samples.append(sample)
    }
    private mutating func checkHistogram(_ name: String) {
        for count in samples where count.name == name + "_count" {
            let buckets = samples.filter { sample in
                sample.name == name + "_bucket" && count.labels.allSatisfy { sample.labels[$0.key] == $0.value }
            }.map(\.value)
            if buckets.last != count.value || zip(buckets, buckets.dropFirst()).contains(where: { $0 > $1 }) {
                problems.append("buckets of \(name) \(count.labels) do not add up")
            }
        }
    }

    private static func sample(_ line: Substring) -> Sample? {
        let name = line.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
        guard let first = name.first, !first.isNumber else { return nil }
        var rest = line[name.endIndex...], labels: [String: String] = [:]
        if rest.first == "{" {
            rest.removeFirst()
            while rest.first != "}" {
                guard let equals = rest.firstIndex(of: "="), rest[equals...].hasPrefix("=\"") else { return nil }
                let label = String(rest[..<equals])
                rest = rest[equals...].dropFirst(2)
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    guard character == "\\" else {
                        value.append(character)
                        continue
                    }
                    switch rest.popFirst() {
                    case "n": value.append("\n")
                    case "\\": value.append("\\")
                    case "\"": value.append("\"")
                    default: return nil
                    }
                }
                guard labels.updateValue(value, forKey: label) == nil else { return nil }
                if rest.first == "," { rest.removeFirst() }
            }
            rest.removeFirst()
        }
        guard rest.first == " " else { return nil }
        let text = rest.dropFirst()
        let number = ["+Inf": Double.infinity, "-Inf": -.infinity, "NaN": .nan][String(text)] ?? Double(text)
        return number.map { Sample(name: String(name), labels: labels, value: $0) }
    }
}
