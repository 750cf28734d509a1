import ConnectConfig
import ConnectModel
import ConnectSDK
import ConnectTestKit
import Lifecycle
import Metrics
import PostgresClient
import Synchronization
import Testing

@testable import PostgresSink

/// Records in arrays.
final class ArrayMemory: RecordMemory {
    let records: [(key: [UInt8]?, value: [UInt8]?)]
    init(_ records: [(key: [UInt8]?, value: [UInt8]?)]) { self.records = records }
    func forEach(
        in range: Range<Int>,
        _ body: (_ index: Int, _ key: RawSpan?, _ value: RawSpan?) throws -> Void
    ) rethrows {
        for index in range {
            let key = records[index].key ?? [], value = records[index].value ?? []
            let keySpan = unsafe key.span.bytes, valueSpan = unsafe value.span.bytes
            try body(
                index,
                records[index].key == nil ? nil : keySpan,
                records[index].value == nil ? nil : valueSpan
            )
        }
    }
    func headers(at index: Int) -> [RecordBuffer.Header] { [] }
}

struct FakeContext: SinkTaskContext {
    var id = TaskID("orders-pg", 0)
    let stop = Latch()
    let metrics = MetricsRegistry()
    var epoch: Int64 = 1
    func requestCommit() {}
}

/// A batch of JSON texts of one topic partition; nil is a tombstone.
func jsonBatch(
    _ values: [String?],
    keys: [String?]? = nil,
    topic: String = "orders",
    partition: Int32 = 0,
    from offset: Int64 = 0,
    keyFormat: RawFormat = .json
) -> SinkBatch {
    let records = values.enumerated().map { index, value in
        (key: keys?[index].map { Array($0.utf8) }, value: value.map { Array($0.utf8) })
    }
    return SinkBatch(
        .raw(ArrayMemory(records), key: keyFormat, value: .json),
        partitions: [TopicPartition(topic, partition)],
        origins: values.indices.map {
            RecordOrigin(partition: 0, offset: offset + Int64($0), timestamp: 1_700_000_000_123)
        }
    )
}

/// A schema of its own in the server of this process, with tasks that write to it.
struct Fixture {
    let server: PostgresServer
    let schema: String
    let session: PostgresSession
    private static let count = Mutex(0)

    init(_ script: String = "") throws {
        server = try PostgresServer.shared()
        let number = Self.count.withLock { count in
            count += 1
            return count
        }
        schema = "s\(number)"
        session = try PostgresSession(PostgresSettings(url: server.socketURL()))
        try session.run("CREATE SCHEMA \(schema); SET search_path = \(schema); \(script)")
    }

    func config(_ more: [String: String]) -> [String: String] {
        let url = "\(server.jdbcURL())?currentSchema=\(schema)&ApplicationName=\(schema)"
        return ["connection.url": url, "connection.user": "postgres"].merging(more) { $1 }
    }

    /// Ends the sessions of all tasks, as a restart of the server does.
    func endSessions() throws {
        let kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1"
        try session.execute(kill, [schema])
    }

    /// A started task that owns partition 0 of its topic.
    func task(
        _ more: [String: String] = [:],
        _ context: FakeContext = FakeContext(),
        opening partitions: [TopicPartition] = [TopicPartition("orders", 0)]
    ) async throws -> any SinkTask {
        let task = try PostgresSink.descriptor.makeTask(config(more), context)
        try await task.start()
        _ = try await task.open(partitions)
        return task
    }

    func rows(_ sql: String) throws -> [[String?]] { try session.execute(sql).rows }
    func text(_ sql: String) throws -> String {
        try rows(sql).map { $0.map { $0 ?? "NULL" }.joined(separator: "|") }.joined(separator: "\n")
    }
}

/// The failure that `body` throws.
func failure(_ body: () async throws -> Void) async throws -> TaskFailure {
    do { try await body() } catch let error as TaskFailure { return error }
    struct NoFailure: Error {}
    throw NoFailure()
}
