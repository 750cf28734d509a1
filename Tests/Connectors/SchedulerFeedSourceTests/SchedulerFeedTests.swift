import ConnectConfig
import ConnectModel
import ConnectSDK
import ConnectTestKit
import FileAccess
import Glibc
import JSONReading
import Synchronization
import Testing

@testable import SchedulerFeedSource

/// Derived feeds beside the repository; tests with them are skipped by name without them.
private let feeds: String? = {
    var root = #filePath[...]
    for _ in 0..<4 { root = root[..<(root.lastIndex(of: "/") ?? root.startIndex)] }
    let folder = "\(root)/../shared/data/derived_feeds"
    return (try? FileTree.names(in: folder)) == nil ? nil : folder
}()

@Suite final class SchedulerFeedTests {
    private let path = "/tmp/sluice-feed-\(getpid())-\(UInt64.random(in: 0 ... .max)).jsonl"
    private let time = Time()
    deinit { unsafe _ = unlink(path) }

    private func advance(_ milliseconds: Int64) { time.now += milliseconds }
    private func task(_ context: TestSourceContext, _ raw: [String: String]) async throws -> SchedulerFeedTask {
        let task = SchedulerFeedTask(try SchedulerFeedConfig(raw), context) { [time] in time.now }
        try await task.start()
        return task
    }
    private struct Message: Equatable {
        var topic: String
        var key: String
        var value: Value
        var text: String
    }
    /// Polls until the task waits, storing positions as the runtime does.
    private func drain(
        _ task: SchedulerFeedTask,
        _ context: TestSourceContext,
        most: Int = .max
    ) async throws -> [Message] {
        var messages: [Message] = [], batches = 0
        while batches < most, case .batch(let batch) = try await task.poll() {
            guard case .raw(let buffer, .json) = batch.content else { return [] }
            messages += try buffer.entries.map { entry in
                let value = Array(buffer.bytes[entry.value ?? 0..<0])
                return Message(
                    topic: buffer.topics[entry.topic],
                    key: String(decoding: buffer.bytes[entry.key ?? 0..<0], as: UTF8.self),
                    value: try JSONParser().parse(value),
                    text: String(decoding: value, as: UTF8.self)
                )
            }
            context.store(batch.positions)
            batches += 1
        }
        return messages
    }
    private func append(_ text: String) throws { try OpenFile(path, .append).write(Array(text.utf8)[...]) }

    @Test(.enabled(if: feeds != nil, "needs ../shared/data/derived_feeds"))
    func `the real feeds come out as they are, across restarts, and once`() async throws {
        let folder = try #require(feeds)
        let prices = "\(folder)/price-updates_B0D8W1YVBX_new.jsonl", deals = "\(folder)/deal-updates_keyboards.jsonl"
        let raw = ["prices.file": prices, "deals.file": deals, "batch.size": "50", "run.once": "true"]
        let context = TestSourceContext()
        var messages: [Message] = []
        for _ in 0..<9 { messages += try await drain(task(context, raw), context, most: 1) }  // restarts
        messages += try await drain(task(context, raw), context)
        for (file, topic, count, keys) in [(prices, "price-updates", 129, 1), (deals, "deal-updates", 208, 93)] {
            let mine = messages.filter { $0.topic == topic }
            #expect(mine.count == count)
            #expect(Set(mine.map(\.key)).count == keys)
            let lines = try FileTree.read(file).split(separator: UInt8(ascii: "\n")).map {
                try JSONParser().parse(Array($0))
            }
            #expect(mine.map(\.value) == lines)
            #expect(mine.allSatisfy { $0.text.hasPrefix(#"{"asin":"\#($0.key)","product_title":"#) })
        }
    }

    @Test(.enabled(if: feeds != nil, "needs ../shared/data/derived_feeds"))
    func `what the feed leaves out is computed as it was`() async throws {
        let lines = try FileTree.read("\(try #require(feeds))/price-updates_B0D8W1YVBX_new.jsonl")
            .split(separator: UInt8(ascii: "\n"))
        for line in lines {
            guard case .map(var item) = try JSONParser().parse(Array(line)) else { continue }
            let expected = item
            item["price_change"] = nil
            item["event_type"] = nil
            var json: [UInt8] = []
            FeedMessage(config: try SchedulerFeedConfig(["prices.file": "x"]), now: 0).appendPrice(
                item,
                last: nil,
                to: &json
            )
            guard case .map(let made) = try JSONParser().parse(json) else { continue }
            #expect(FeedMessage.number(made["price_change"]) == FeedMessage.number(expected["price_change"]))
            #expect(made["event_type"] == .string("price_update"))
        }
    }

    @Test func `previous price and change survive restarts, unusable items are skipped`() async throws {
        let raw = ["prices.file": path, "prices.interval.ms": "30000"]
        let context = TestSourceContext()
        try append(#"{"asin":"B0","price":59.99,"title":"é"}"# + "\n" + #"{"asin":"B1","price":0}"# + "\nno json\n")
        let first = try await drain(task(context, raw), context)
        #expect(
            first.map(\.text) == [
                #"{"asin":"B0","product_title":"é","current_price":59.99,"target_price":null,"previous_price":null,"#
                    + #""price_change":0,"domain":"de","currency":"EUR","timestamp":"2026-02-20T12:30:00.000000","#
                    + #""event_type":"price_update"}"#
            ]
        )
        try append(#"{"asin":"B0","price":49.99}"# + "\n")
        advance(29_999)
        #expect(try await drain(task(context, raw), context) == [])
        advance(1)
        let second = try await drain(task(context, raw), context)
        #expect(second.first?.text.contains(#""previous_price":59.99,"price_change":16.67,"#) == true)
        advance(30_000)
        try append(#"{"asin":"B0","price":49.99}"# + "\n")
        let quiet = raw.merging(["emit.unchanged": "false"]) { $1 }
        #expect(try await drain(task(context, quiet), context) == [])
    }

    @Test func `deals get what they lack`() throws {
        var json: [UInt8] = []
        let config = try SchedulerFeedConfig(["deals.file": "x", "timestamp.zone": "Z"])
        let text = #"{"asin":"B0","price":30,"original_price":45,"other":1}"#
        guard case .map(let item) = try JSONParser().parse(Array(text.utf8)) else { return }
        FeedMessage(config: config, now: 1_771_590_600_250).appendDeal(item, to: &json)
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"asin":"B0","product_title":"","current_price":30,"original_price":45,"discount_percent":33.3,"#
                + #""rating":null,"review_count":null,"sales_rank":null,"domain":"de","#
                + #""timestamp":"2026-02-20T12:30:00.250000Z","event_type":"deal_update"}"#
        )
    }

    @Test func `the server is asked for changes only, also after a restart`() async throws {
        let body = #"[{"asin":"B0","price":1},{"asin":"B1","price":2}]"#
        let server = try ScriptedHTTPServer { request in
            request.headers["if-none-match"] == "\"v1\""
                ? .answer(304) : .answer(200, headers: ["ETag": "\"v1\""], body: body)
        }
        let raw = ["prices.url": server.url + "/p", "prices.interval.ms": "60000"]
        let context = TestSourceContext()
        #expect(try await drain(task(context, raw), context).map(\.key) == ["B0", "B1"])
        #expect(try await drain(task(context, raw), context) == [])
        #expect(server.requests.count == 1)
        advance(60_000)
        let again = try await task(context, raw)
        #expect(try await drain(again, context) == [])
        #expect(server.requests.count == 2)
        guard case .idle(.milliseconds(60_000)) = try await again.poll() else { return #expect(Bool(false)) }
        #expect(server.requests.count == 2)
    }

    @Test func `the same content without marks costs no message, a new one does`() async throws {
        let shared = Shared(#"{"asin":"B0","price":1}"# + "\n")
        let server = try ScriptedHTTPServer { _ in .answer(200, body: shared.text) }
        let raw = ["deals.url": server.url, "deals.interval.ms": "30000"]
        let context = TestSourceContext()
        #expect(try await drain(task(context, raw), context).count == 1)
        advance(30_000)
        #expect(try await drain(task(context, raw), context).count == 0)
        advance(30_000)
        shared.text = #"{"data":{"items":[{"asin":"B0","price":3}]}}"#
        let pointed = raw.merging(["items.pointer": "/data/items"]) { $1 }
        #expect(try await drain(task(context, pointed), context).map(\.topic) == ["deal-updates"])
    }

    @Test func `a restart within a run goes on at the next item`() async throws {
        let items = (0..<10).map { #"{"asin":"B\#($0)","price":1}"# }.joined(separator: "\n")
        let server = try ScriptedHTTPServer { _ in .answer(200, headers: ["ETag": "\"1\""], body: items) }
        let raw = ["prices.url": server.url, "batch.size": "3"]
        let context = TestSourceContext()
        var keys: [String] = []
        for _ in 0..<4 { keys += try await drain(task(context, raw), context, most: 1).map(\.key) }
        #expect(keys == (0..<10).map { "B\($0)" })
        #expect(try await drain(task(context, raw), context) == [])
    }

    @Test func `an outage is visible and waits as long as the server says, the other job goes on`() async throws {
        let isDown = Shared("yes")
        let server = try ScriptedHTTPServer { request in
            if request.target == "/p", isDown.text == "yes" { return .answer(503, headers: ["Retry-After": "120"]) }
            return .answer(200, body: #"[{"asin":"B0","price":1}]"#)
        }
        let raw = ["prices.url": server.url + "/p", "deals.url": server.url + "/d"]
        let context = TestSourceContext()
        let task = try await task(context, raw)
        guard case .batch(let batch) = try await task.poll() else { return #expect(Bool(false), "no deals") }
        #expect(batch.count == 1)
        let failure = await #expect(throws: TaskFailure.self) { _ = try await task.poll() }
        #expect(failure?.verdict == .retry(after: .seconds(120)))
        #expect(failure?.because == "HTTP 503")
        isDown.text = "no"
        advance(120_000)
        #expect(try await drain(task, context).map(\.topic) == ["price-updates"])
        let gone = try ScriptedHTTPServer { _ in .answer(404) }
        let wrong = try await self.task(TestSourceContext(), ["prices.url": gone.url])
        let refused = await #expect(throws: TaskFailure.self) { _ = try await wrong.poll() }
        #expect(refused?.verdict == .config(key: "prices.url"))
    }

    @Test func `config problems name their keys`() {
        func keys(_ raw: [String: String]) -> [String] { SchedulerFeedSource.descriptor.issues(in: raw).map(\.key) }
        #expect(keys([:]) == ["prices.url"])
        #expect(keys(["prices.url": "http://h", "prices.file": "f"]) == ["prices.file"])
        #expect(keys(["deals.url": "gopher://h"]) == ["deals.url"])
        #expect(keys(["deals.file": "f", "deals.interval.ms": "29999"]) == ["deals.interval.ms"])
        #expect(keys(["deals.file": "f", "items.pointer": "a"]) == ["items.pointer"])
    }
}

/// A text that a server's closure and the test share.
private final class Shared: Sendable {
    private let value: Mutex<String>
    init(_ text: String) { value = Mutex(text) }
    var text: String {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}

/// Time that stands still until a test moves it; starts at 2026-02-20T12:30:00Z.
private final class Time: Sendable {
    private let value = Mutex<Int64>(1_771_590_600_000)
    var now: Int64 {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
