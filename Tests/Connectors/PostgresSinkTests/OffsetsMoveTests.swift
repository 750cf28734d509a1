import ConnectModel
import ConnectSDK
import Testing

@testable import PostgresSink

/// Offsets of a stopped sink moved through REST.
@Suite struct OffsetsMoveTests {
    private static let orders = TopicPartition("orders", 0), later = TopicPartition("orders", 7)

    private func move(_ change: SinkOffsetsChange, _ fixture: Fixture) async throws(OffsetsError) {
        try await PostgresSink.descriptor.move(offsets: change, of: "orders-pg", fixture.config([:]))
    }
    private func opened(_ fixture: Fixture, epoch: Int64) async throws -> [TopicPartition: Int64] {
        let task = try PostgresSink.descriptor.makeTask(fixture.config([:]), FakeContext(epoch: epoch))
        try await task.start()
        let next = try await task.open([Self.orders, Self.later])
        await task.stop()
        return next
    }

    @Test func `the next task goes on where it was moved to`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int)")
        let task = try await fixture.task()
        try await task.put(jsonBatch([#"{"id":1}"#, #"{"id":2}"#]))
        try await move(.set([Self.orders: 1, Self.later: 40]), fixture)
        #expect(try await opened(fixture, epoch: 2) == [Self.orders: 1, Self.later: 40])
        try await move(.set([Self.orders: nil]), fixture)
        #expect(try await opened(fixture, epoch: 3) == [Self.later: 40])
        try await move(.reset, fixture)
        #expect(try await opened(fixture, epoch: 4) == [:])
    }
    @Test func `a task that is still out there is fenced`() async throws {
        let fixture = try Fixture("CREATE TABLE orders (id int)")
        let task = try await fixture.task()
        try await task.put(jsonBatch([#"{"id":1}"#]))
        try await move(.reset, fixture)
        let failure = try await failure { try await task.put(jsonBatch([#"{"id":2}"#], from: 1)) }
        #expect(failure.verdict == .fatal)
        #expect(try fixture.text("SELECT id FROM orders") == "1")
    }
    @Test func `a connector that has never run has nothing to move`() async throws {
        let fixture = try Fixture()
        try await move(.reset, fixture)
        try await move(.set([Self.orders: 3]), fixture)
        #expect(try fixture.text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()") == "0")
    }
    @Test func `a server that is away is named, without the password`() async throws {
        let error = await #expect(throws: OffsetsError.self) {
            try await PostgresSink.descriptor.move(
                offsets: .reset,
                of: "orders-pg",
                ["connection.url": "postgresql://u:geheim@127.0.0.1:1/db", "connection.password": "geheim"]
            )
        }
        #expect(error?.isRefusal == false && error?.description.contains("127.0.0.1") == true)
        #expect(error?.description.contains("geheim") == false)
    }
}
