import CMalloc
import CommandGrammar
import ConnectConfig
import ConnectREST
import ConnectRuntime
import ConnectorRegistry
import FoundationEssentials
import Glibc
import HTTPServer
import KafkaClient
import Lifecycle
import Logs
import Metrics
import SluiceCLI

/// `sluice worker`: reads the settings, composes REST server and worker, and runs them until a signal comes.
struct WorkerCommand {
    let terminal: Terminal
    let environment: [String: String]

    private static let properties = Option(
        "properties",
        .path,
        "Worker properties; config/worker.properties when it is there."
    )
    private static let configDir = Option("config-dir", .path, "Directory whose *.json files are connectors.")
    private static let embedded = Option("embedded-kafka", "Run Kafka inside this process: for a first try and tests.")
    private static let bootstrap = Option(
        "bootstrap-servers",
        .string.named("host:port"),
        "Kafka brokers, comma-separated."
    )
    private static let listeners = Option(
        "listeners",
        .string.named("url"),
        "Where REST listens, http://127.0.0.1:8083 by default."
    )
    private static let format = Option(
        "log-format",
        Kind<LogFormat>.choice,
        default: .text,
        env: "SLUICE_LOG_FORMAT",
        "How log lines look."
    )
    private static let level = Option(
        "log-level",
        Kind<Level>.choice,
        default: .info,
        env: "SLUICE_LOG_LEVEL",
        "Least level that is logged."
    )
    private enum Level: String, CaseIterable { case trace, debug, info, warn, error }

    var command: Command {
        Command(
            "worker",
            "Run connectors.",
            details: """
                  Properties come from the file, CONNECT_* variables over it (CONNECT_GROUP_ID is group.id), flags over both.
                  KAFKA_BOOTSTRAP_SERVERS counts when nothing else names the brokers.
                """,
            options: [
                Self.properties, Self.configDir, Self.embedded, Self.bootstrap, Self.listeners, Self.format, Self.level,
            ],
            run: work
        )
    }

    private func work(_ values: Values) async throws -> Int32 {
        shareOneHeap()
        let signals = SignalStream()  // before anything can be asked to stop
        StandardError.shared.use(values[Self.format])
        LogLevels.shared.start(at: LogLevel(named: values[Self.level].rawValue) ?? .info)
        var sources = try settings(values)
        let embedded = values[Self.embedded] ? try startEmbeddedKafka() : nil
        if let embedded { use(embedded, &sources) }
        let config = try WorkerConfig(sources)
        let metrics = MetricsRegistry()
        registerProcessMetrics(metrics)
        let worker = try Worker(
            config,
            plugins: Registry.plugins,
            metrics: metrics,
            version: Version.connect,
            commit: "sluice-\(Version.sluice)",
            embedded: embedded.map(EmbeddedTopics.init)
        )
        let server = try RESTService(config, herder: worker.herder, metrics: metrics)
        worker.advertise(server.advertisedID, url: server.advertisedURL, port: server.port)
        Logger("sluice.worker").info(
            "REST API listens",
            ["url": "\(server.urls.joined(separator: ", "))", "kafka": "\(config.bootstrapServers)"]
        )
        let grace = config.shutdownTimeout + .seconds(10)
        try await ServiceGroup([server, worker], grace: grace, cancel: .seconds(10)).run(stopOn: signals)
        embedded?.close()
        return 0
    }

    private func use(_ embedded: EmbeddedCluster, _ sources: inout WorkerSources) {
        let origin = "--embedded-kafka"
        sources.set("bootstrap.servers", embedded.bootstrapServers, from: origin)
        // The mock coordinator lets every rebalance after the first wait for nearly a whole session.
        for (key, value) in [("session.timeout.ms", "3000"), ("heartbeat.interval.ms", "500")]
        where sources.values["consumer.\(key)"] == nil {
            sources.set("consumer.\(key)", value, from: origin)
        }
    }

    private func settings(_ values: Values) throws -> WorkerSources {
        var sources = WorkerSources()
        let usual = "config/worker.properties"
        if let file = values[Self.properties] ?? (FileManager.default.fileExists(atPath: usual) ? usual : nil) {
            try sources.add(file: file)
        }
        sources.add(environment: environment)
        if let directory = values[Self.configDir] { sources.set("config.directory", directory, from: "--config-dir") }
        if let servers = values[Self.bootstrap] {
            sources.set("bootstrap.servers", servers, from: "--bootstrap-servers")
        }
        if let listeners = values[Self.listeners] { sources.set("listeners", listeners, from: "--listeners") }
        return sources
    }
}

/// Keeps glibc from giving each of the many threads a heap of its own.
///
/// Records are made on one thread and freed on another, which leaves every such heap as large as it ever was: with one heap
/// the file and XML sources stay below 100 MB where they took 170 MB, at the same speed and CPU (threads keep small
/// pieces at hand without a lock). An operator's own `MALLOC_ARENA_MAX` counts more.
private func shareOneHeap() {
    if unsafe getenv("MALLOC_ARENA_MAX") == nil { mallopt(M_ARENA_MAX, 1) }
}

/// librdkafka's mock cluster as the worker's Kafka; says what it is not made for.
private func startEmbeddedKafka() throws(KafkaClientError) -> EmbeddedCluster {
    let cluster = try EmbeddedCluster()
    Logger("sluice.kafka").warn(
        "Kafka runs inside this process: in memory, about 5 MB per partition, without compaction",
        ["bootstrap.servers": "\(cluster.bootstrapServers)"]
    )
    return cluster
}

/// Gauges that Prometheus' process collectors have everywhere.
private func registerProcessMetrics(_ metrics: MetricsRegistry) {
    metrics.gauge("process_resident_memory_bytes", "Resident memory in bytes.") {
        guard let data = FileManager.default.contents(atPath: "/proc/self/statm") else { return 0 }
        let pages = String(decoding: data, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap { Double($0) }
        return (pages ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE)))
    }
    metrics.counter("process_cpu_seconds_total", "User and system CPU time in seconds.") {
        var usage = rusage()
        unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}
