import FoundationEssentials
import Testing

/// What one real file gives.
struct Expectation: Sendable, CustomTestStringConvertible {
    var path: String
    var folder: String
    var topic: String
    var rows: Int
    var items: Int?
    var testDescription: String { path }
}

@Suite struct CommittedSampleTests {
    static let files = [
        Expectation(path: "goodpharm_pricefull.xml", folder: "", topic: "pricefull-good_pharm", rows: 3),
        Expectation(path: "goodpharm_promofull.xml", folder: "", topic: "promofull-good_pharm", rows: 2, items: 5),
        Expectation(path: "goodpharm_stores.xml", folder: "", topic: "stores-good_pharm", rows: 2),
        Expectation(path: "ramilevy_pricefull.xml", folder: "", topic: "pricefull-rami_levy", rows: 3),
        Expectation(path: "ramilevy_promofull.xml", folder: "", topic: "promofull-rami_levy", rows: 2, items: 11),
        Expectation(path: "shufersal_pricefull.xml", folder: "", topic: "pricefull-shufersal", rows: 3),
        Expectation(path: "shufersal_promofull.xml", folder: "", topic: "promofull-shufersal", rows: 1, items: 36),
        Expectation(path: "shufersal_stores.xml", folder: "", topic: "stores-shufersal", rows: 4),
        Expectation(path: "superpharm_pricefull.xml", folder: "", topic: "pricefull-super_pharm", rows: 3),
        Expectation(path: "superpharm_promofull.xml", folder: "", topic: "promofull-super_pharm", rows: 2, items: 2),
        Expectation(path: "superpharm_stores.xml", folder: "", topic: "stores-super_pharm", rows: 2),
        Expectation(path: "item.xml", folder: "", topic: "price-shufersal", rows: 2),
        Expectation(path: "product.xml.gz", folder: "", topic: "price-rami_levy", rows: 1),
        Expectation(path: "promo.xml.gz", folder: "", topic: "promo-shufersal", rows: 2, items: 8),
        Expectation(path: "Stores7290027600007-000-202410020201", folder: "", topic: "stores-shufersal", rows: 416),
    ]

    @Test(arguments: files)
    func `a sample gives its rows`(file: Expectation) async throws {
        let inbox = try Inbox()
        try inbox.put("\(file.folder)/\(file.path)", try sample(file.path))
        try await check(file, inbox)
    }

    @Test func `the SAP store file has its late header in every row`() async throws {
        let inbox = try Inbox()
        let name = "Stores7290027600007-000-202410020201"
        try inbox.put(name, try sample(name))
        let records = try await run(inbox.config())
        #expect(records.allSatisfy { $0.field("lastupdatedate") == "2024-10-02" })
        #expect(records.allSatisfy { $0.field("chainid") == "7290027600007" })
        #expect(records.filter { $0.field("zipcode") == "" }.count == 237)
    }

    @Test func `hebrew of windows-1255 arrives`() async throws {
        let inbox = try Inbox()
        try inbox.put("product.xml.gz", try sample("product.xml.gz"))
        #expect(try await run(inbox.config()).first?.field("itemname") == "לחם אחיד פרוס")
    }
}

/// Checks topic, rows, items and that every row is told apart.
func check(_ file: Expectation, _ inbox: Inbox) async throws {
    let records = try await run(inbox.config())
    #expect(records.count == file.rows)
    #expect(records.allSatisfy { $0.topic == file.topic }, "\(Set(records.map(\.topic)))")
    if let items = file.items {
        #expect(count("{\"itemcode\":", in: records) == items)
    }
    #expect(records.allSatisfy { $0.value.hasPrefix("{\"") && $0.value.hasSuffix("}") })
}

@Suite(.enabled(if: SharedData.isThere, "the sample data are not beside the repository"))
struct SharedSampleTests {
    static let prices = "PriceFull7290172900007-083-202409270311.xml"

    @Test func `super pharm gives 5,119 rows, also from the original bytes`() async throws {
        var values: [[String]] = []
        for path in ["super_pharm/\(Self.prices)", "super_pharm/original_iso8859_8/\(Self.prices)"] {
            let inbox = try Inbox()
            try inbox.put("super_pharm/\(Self.prices)", try SharedData.file(path))
            let records = try await run(inbox.config())
            #expect(records.count == 5_119)
            #expect(Set(records.map(\.topic)) == ["pricefull-super_pharm"])
            values.append(records.map(\.value))
        }
        // The repaired copy was decoded as ISO-8859-8: U+FFFD and control characters stand where windows-1255 has
        // quotes, dashes and points. Everywhere else the two are the same text.
        let different = zip(values[0], values[1]).filter { $0 != $1 }
        #expect(different.count == 8)
        #expect(
            different.allSatisfy { pair in
                pair.0.unicodeScalars.contains { $0.value == 0xFFFD || (0x80...0x9F).contains($0.value) }
            }
        )
        #expect(values[1].allSatisfy { !$0.contains("\u{FFFD}") })
    }

    @Test func `keshet gives 2,353 promotions with 7,529 items`() async throws {
        let name = "PromoFull7290785400000-002-202602170010"
        let inbox = try Inbox()
        try inbox.put("keshet/\(name)", try SharedData.file("keshet/\(name)"))
        let file = Expectation(path: name, folder: "keshet", topic: "promofull-keshet", rows: 2_353, items: 7_529)
        try await check(file, inbox)
    }

    @Test func `the truncated gzip is reported and gives nothing`() async throws {
        let name = "PriceFull7290876100000-003-202410070010.gz"
        let inbox = try Inbox()
        try inbox.put("fresh_market/\(name)", try SharedData.file("fresh_market/\(name)"))
        let context = FakeContext()
        let records = try await run(inbox.config(["errors.directory": inbox.errors]), context: context)
        #expect(records.isEmpty)
        #expect(context.positions.isEmpty)
        #expect(context.sum("connect_source_files_failed_total", "truncated") == 1)
        let reason = try String(contentsOfFile: "\(inbox.errors)/fresh_market/\(name).reason", encoding: .utf8)
        #expect(reason.contains("truncated (at byte 205360)"))
    }

    @Test func `a whole tree goes through at once`() async throws {
        let inbox = try Inbox()
        let folders = ["hazi_hinam", "keshet", "shufersal", "yaynot_bitan", "rxradar_trimmed", "segalil_samples"]
        for folder in folders {
            let path = SharedData.folder.appending(path: folder).path
            for name in try FileManager.default.contentsOfDirectory(atPath: path) {
                try inbox.put("\(folder)/\(name)", try SharedData.file("\(folder)/\(name)"))
            }
        }
        let context = FakeContext()
        let records = try await run(inbox.config(["finished.directory": inbox.finished]), context: context)
        let expected = CommittedSampleTests.files.reduce(0) { $0 + $1.rows } + 2_353
        #expect(records.count == expected)
        #expect(context.sum("connect_source_files_failed_total") == 0)
        #expect(context.sum("connect_source_files_empty_total") == 3)
    }
}
