import ConnectConfig
import ConnectModel
import ConnectSDK
import FoundationEssentials
import SupermarketSource
import Testing

/// A price file of so many rows.
private func prices(_ count: Int, store: String = "066") -> String {
    let items = (0..<count).map { "<Item><ItemCode>\($0)</ItemCode><ItemPrice>1.\($0)</ItemPrice></Item>" }.joined()
    return "<Root><ChainId>7290875100001</ChainId><StoreId>\(store)</StoreId><Items>\(items)</Items></Root>"
}

@Suite struct TaskTests {
    static let name = "Price7290875100001-066-202601051222.xml"

    @Test func `a file becomes records with topic, key and provenance`() async throws {
        let inbox = try Inbox()
        try inbox.put("dumps/Bareket/\(Self.name)", prices(2))
        let records = try await run(inbox.config(["finished.directory": inbox.finished]))
        #expect(records.map(\.topic) == ["price-bareket", "price-bareket"])
        #expect(records.map(\.key) == ["bareket", "bareket"])
        #expect(
            records.last?.headers == [
                "supermarket.file": "dumps/Bareket/\(Self.name)", "supermarket.row": "1", "supermarket.type": "price",
                "supermarket.chain": "bareket", "supermarket.store": "066",
                "supermarket.file.timestamp": "202601051222",
            ]
        )
        #expect(inbox.exists("finished/dumps/Bareket/\(Self.name)"))
        #expect(!inbox.exists("in/dumps/Bareket/\(Self.name)"))
    }

    @Test func `styles, templates and control messages`() async throws {
        let inbox = try Inbox()
        try inbox.put(Self.name, prices(1))
        let records = try await run(
            inbox.config([
                "value.style": "row", "topic.template": "{filetype}_{chain}",
                "key.template": "{chain}-{store}-{itemcode}",
                "control.messages": "true", "provenance.headers": "false",
            ])
        )
        let folder = inbox.path.split(separator: "/").joined(separator: "/")
        #expect(records.map(\.topic) == Array(repeating: "price_file_bareket", count: 3))
        #expect(records.map(\.key) == ["bareket-066-0", Self.name, Self.name])
        #expect(
            records.map(\.value) == [
                "{\"row_index\":0,\"found_folder\":\"/\(folder)\",\"file_name\":\"\(Self.name)\",\"content\":"
                    + #"{"chainid":"7290875100001","storeid":"066","itemcode":"0","itemprice":"1.0"}}"#,
                #"{"flush":"true"}"#,
                "{\"file_complete\":\"true\",\"file_name\":\"\(Self.name)\",\"total_expected_records\":1}",
            ]
        )
        #expect(records[0].headers.isEmpty)
    }

    @Test func `a restart goes on at the next row`() async throws {
        let inbox = try Inbox()
        try inbox.put(Self.name, prices(25))
        let context = FakeContext()
        let config = inbox.config(["batch.max.rows": "10", "finished.directory": inbox.finished])
        let first = try await run(config, context: context, most: 2)
        #expect(first.count == 20)
        #expect(inbox.exists("in/\(Self.name)"))
        let rest = try await run(config, context: context)
        #expect((first + rest).map { $0.field("itemcode") } == (0..<25).map { "\($0)" })
        #expect(rest.first?.headers["supermarket.row"] == "20")
        #expect(inbox.exists("finished/\(Self.name)"))
        #expect(context.positions.map(\.offset) == [["row": .int(25), "done": .boolean(true)]])
    }

    @Test func `what is not committed is not moved, and comes again`() async throws {
        let inbox = try Inbox()
        try inbox.put(Self.name, prices(3))
        let config = inbox.config(["cleanup.policy": "delete"])
        #expect(try await run(config, commits: false).count == 3)
        #expect(inbox.exists("in/\(Self.name)"))
        #expect(try await run(config).count == 3)
        #expect(!inbox.exists("in/\(Self.name)"))
    }

    @Test func `a file stopped between commit and cleanup is only tidied`() async throws {
        let inbox = try Inbox()
        try inbox.put(Self.name, prices(3))
        let context = FakeContext()
        #expect(try await run(inbox.config(), context: context).count == 3)
        #expect(try await run(inbox.config(), context: context).isEmpty)
        #expect(try await run(inbox.config(["finished.directory": inbox.finished]), context: context).isEmpty)
        #expect(inbox.exists("finished/\(Self.name)"))
        try inbox.put(Self.name, prices(4))
        #expect(try await run(inbox.config(), context: context).count == 4)
    }

    @Test func `broken files are set aside with a reason, and the others go on`() async throws {
        let inbox = try Inbox()
        let whole = prices(50)
        try inbox.put("Price7290875100001-001-202601051222.xml", String(whole.prefix(whole.count / 2)))
        try inbox.put("Price7290875100001-002-202601051222.xml", "<html><body>link expired<br></body></html>")
        try inbox.put("Price7290875100001-003-202601051222.xml", "<Root><Other><A>1</A></Other></Root>")
        try inbox.put("Price7290875100001-004-202601051222.xml", whole.replacing("</Items>", with: "</Item>"))
        try inbox.put("Price7290875100001-005-202601051222.gz", Array("PK\u{5}\u{6}".utf8) + [0, 0])
        try inbox.put(Self.name, prices(2))
        let context = FakeContext()
        let records = try await run(inbox.config(["errors.directory": inbox.errors]), context: context)
        #expect(records.count == 2)
        #expect(context.sum("connect_source_files_failed_total") == 5)
        let reasons = try (1...5).map { number in
            let file = "Price7290875100001-00\(number)-202601051222.\(number == 5 ? "gz" : "xml").reason"
            return try String(contentsOfFile: "\(inbox.errors)/\(file)", encoding: .utf8)
        }
        for (reason, words) in zip(reasons, ["ends too early", "HTML page", "Other", "mismatch", "no file"]) {
            #expect(reason.contains(words), "\(reason)")
        }
        #expect(reasons[3].contains("line 1, column"))
    }

    @Test func `without an error directory a broken file stays and is tried once`() async throws {
        let inbox = try Inbox()
        try inbox.put(Self.name, "<Root><Items><Item>")
        let context = FakeContext()
        #expect(try await run(inbox.config(), context: context).isEmpty)
        #expect(inbox.exists("in/\(Self.name)"))
        #expect(context.sum("connect_source_files_failed_total", "truncated") == 1)
    }

    @Test func `files are read in the order of their times, wanted kinds only`() async throws {
        let inbox = try Inbox()
        try inbox.put("b/Price7290875100001-066-202601051300.xml", prices(1, store: "3"))
        try inbox.put("a/Price7290875100001-066-202601051200.xml", prices(1, store: "2"))
        try inbox.put("PriceFull7290875100001-066-202601050100.xml", prices(1, store: "1"))
        try inbox.put("Promo7290875100001-066-202601050100.xml", "<broken")
        try inbox.put("notes.txt", "x")
        try inbox.put(".hidden.xml", "x")
        try inbox.put("Price7290875100001-066-202601051400.xml.part", "x")
        let records = try await run(inbox.config(["file.types": "price, PRICE_FULL_FILE"]))
        #expect(records.map { $0.field("storeid") } == ["1", "2", "3"])
    }

    @Test func `empty files are done with no record`() async throws {
        let inbox = try Inbox()
        try inbox.put("Price7290875100001-001-202601051222.xml", "")
        let names = [
            "NULLPromo7290700100008-001-202411021400.xml", "Price7290725900003-9032-202410021600",
            "PromoFull7290172900007-350-202410030634.xml",
        ]
        for name in names { try inbox.put(name, try sample(name)) }
        let context = FakeContext()
        let records = try await run(inbox.config(["finished.directory": inbox.finished]), context: context)
        #expect(records.isEmpty)
        #expect(context.sum("connect_source_files_empty_total") == 4)
        for name in names { #expect(inbox.exists("finished/\(name)")) }
    }

    @Test func `tasks share the files out`() async throws {
        let inbox = try Inbox()
        for store in 0..<30 {
            try inbox.put("Price7290875100001-\(store)-202601051222.xml", prices(1, store: "\(store)"))
        }
        var all: [String] = []
        for config in SupermarketSource.descriptor.taskConfigs(inbox.config(), most: 3) {
            let records = try await run(config)
            #expect(!records.isEmpty)
            all += records.compactMap { $0.field("storeid") }
        }
        #expect(all.sorted() == (0..<30).map { "\($0)" }.sorted())
    }

    @Test func `a young file waits until it stays the same`() async throws {
        let inbox = try Inbox()
        try inbox.put(Self.name, prices(1))
        let config = inbox.config(["file.stable.ms": "3600000"])
        let task = try SupermarketSource.descriptor.makeTask(config, FakeContext())
        try await task.start()
        guard case .idle(let wait) = try await task.poll() else {
            Issue.record("a file that may still be written was read")
            return
        }
        #expect(wait > .zero)
        await task.stop()
    }

    @Test func `large rows go through a temporary file`() async throws {
        let inbox = try Inbox()
        let filler = String(repeating: "x", count: 500)
        let items = (0..<20_000).map { "<Item><ItemCode>\($0)</ItemCode><F>\(filler)</F></Item>" }.joined()
        try inbox.put(Self.name, "<Root><Items>\(items)</Items><Late>l</Late></Root>")
        let records = try await run(inbox.config())
        #expect(records.count == 20_000)
        #expect(records.map { $0.field("itemcode") } == (0..<20_000).map { "\($0)" })
        #expect(records.allSatisfy { $0.value.hasSuffix("\",\"late\":\"l\"}") })
    }
}

@Suite struct ConfigTests {
    @Test(
        arguments: [
            ([:], "directory"), (["directory": ""], "directory"), (["file.types": "prices"], "file.types"),
            (["topic.template": "{"], "topic.template"), (["topic.template": "{itemcode}"], "topic.template"),
            (["key.template": ""], "key.template"), (["value.style": "wide"], "value.style"),
            (["batch.max.rows": "0"], "batch.max.rows"), (["file.stable.ms": "-1"], "file.stable.ms"),
            (["rescan.interval.ms": "1"], "rescan.interval.ms"), (["cleanup.policy": "burn"], "cleanup.policy"),
            (["cleanup.policy": "move"], "finished.directory"), (["provenance.headers": "maybe"], "provenance.headers"),
            (["cleanup.policy": "delete", "finished.directory": "/x"], "finished.directory"),
            (["control.messages": "1"], "control.messages"), (["run.once": "1"], "run.once"),
            (["spool.directory": ""], "spool.directory"),
        ] as [([String: String], String)]
    )
    func `bad values name their key`(extra: [String: String], key: String) {
        var raw = extra
        if key != "directory" { raw["directory"] = "/tmp" }
        #expect(SupermarketSource.descriptor.issues(in: raw).map(\.key) == [key])
    }

    @Test func `the shortest config is a directory`() {
        #expect(SupermarketSource.descriptor.issues(in: ["directory": "/data"]).isEmpty)
    }

    @Test func `a missing directory is waited for`() async throws {
        let task = try SupermarketSource.descriptor.makeTask(["directory": "/nonexistent/prices"], FakeContext())
        let failure = await #expect(throws: TaskFailure.self) { try await task.start() }
        guard case .retry = failure?.verdict else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }
}
