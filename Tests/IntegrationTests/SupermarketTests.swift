import ConnectTestKit
import FoundationEssentials
import Glibc
import KafkaClient
import Testing
import TransferClient

/// The real files of ../shared/data through Kafka into PostgreSQL, files and the index; every count is the manifest's.
@Suite(.timeLimit(.minutes(4)), .serialized) struct SupermarketTests {
    /// `../shared/data` beside the repository's root.
    static let data: String = {
        var root = #filePath[...]
        for _ in 0..<3 { root = root[..<(root.lastIndex(of: "/") ?? root.startIndex)] }
        return "\(root)/../shared/data"
    }()
    static var hasData: Bool { FileManager.default.fileExists(atPath: data + "/super_pharm") }

    /// Records per topic that the files below must give.
    private static let expected = [
        "pricefull-super_pharm": 5_119, "promofull-keshet": 2_353, "stores-shufersal": 416,
    ]

    private func fill(_ inbox: String) throws {
        let files = [
            ("super_pharm/PriceFull7290172900007-083-202409270311.xml", "SuperPharm"),
            ("super_pharm/PromoFull7290172900007-350-202410030634.xml", "SuperPharm"),
            ("keshet/PromoFull7290785400000-002-202602170010", "Keshet"),
            ("shufersal/Stores7290027600007-000-202410020201", "Shufersal"),
            ("fresh_market/PriceFull7290876100000-003-202410070010.gz", "FreshMarketAndSuperDosh"),
            ("hazi_hinam/NULLPromo7290700100008-001-202411021400.xml", "HaziHinam"),
            ("yaynot_bitan/Price7290725900003-9032-202410021600", "YaynotBitanAndCarrefour"),
        ]
        for (file, chain) in files {
            let folder = "\(inbox)/\(chain)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let name = file.split(separator: "/").last.map(String.init) ?? file
            try FileManager.default.copyItem(atPath: "\(Self.data)/\(file)", toPath: "\(folder)/\(name)")
        }
    }

    @Test(
        .enabled(if: RealKafka.isAvailable, Comment(rawValue: RealKafka.skipReason)),
        .enabled(if: hasData, "needs ../shared/data")
    )
    func `real files arrive in PostgreSQL, in files and in the index with their counts`() async throws {
        let kafka = try await RealKafka.shared()
        let postgres = try PostgresServer.shared(), database = try postgres.makeDatabase()
        let folder = try WorkerProcess.makeFolder()
        try fill(folder + "/inbox")
        let worker = try WorkerProcess(
            folder: folder,
            port: try freePort(),
            arguments: ["--bootstrap-servers", kafka.bootstrapServers]
        )
        try await worker.untilReady()
        let prefix = RealKafka.uniqueName("it")
        try await worker.put(
            "files",
            [
                "connector.class": "SupermarketSource", "directory": folder + "/inbox",
                "topic.template": prefix + "-{type}-{chain}",
            ]
        )
        let topics = "\(prefix)-(pricefull|promofull|stores)-[a-z_]+"
        try await worker.put(
            "rows",
            [
                "connector.class": "PostgresSink", "topics.regex": topics,
                "connection.url": postgres.url(database: database), "auto.create": "true", "auto.evolve": "true",
            ]
        )
        try await worker.put(
            "lines",
            [
                "connector.class": "FileSink", "topics.regex": topics, "directory": folder + "/out",
                "rotate.interval.ms": "1000",
            ]
        )
        var names: Set = ["files", "rows", "lines"]
        let search = SearchServer.available.contains(.elasticsearch) ? try SearchServer.shared(.elasticsearch) : nil
        if let search {
            names.insert("documents")
            try await worker.put(
                "documents",
                [
                    "connector.class": "ElasticsearchSink", "topics.regex": topics, "connection.url": search.url,
                    "key.ignore": "true", "schema.ignore": "true",
                ]
            )
        }
        try await worker.eventually("the broken file is reported") {
            worker.log.contains("PriceFull7290876100000-003-202410070010.gz") ? true : nil
        }
        try await worker.untilDelivered(names)

        for (topic, count) in Self.expected {
            #expect(try postgres.psql("select count(*) from \"\(prefix)-\(topic)\"", database: database) == "\(count)")
            #expect(try lines(of: "\(prefix)-\(topic)", in: folder + "/out") == count)
            if let search {
                let found = try await documents(of: "\(prefix)-\(topic)", search.url, worker)
                #expect(found.contains("\"count\":\(count)"), "\(topic): \(found)")
            }
        }
        let items = try postgres.psql(
            "select sum(jsonb_array_length(promotionitems->'item')) from \"\(prefix)-promofull-keshet\"",
            database: database
        )
        #expect(items == "7529")
        let admin = try Admin(KafkaSettings(bootstrapServers: kafka.bootstrapServers))
        let made = try await admin.listTopics().map(\.name).filter { $0.hasPrefix(prefix) }
        #expect(Set(made) == Set(Self.expected.keys.map { "\(prefix)-\($0)" }))  // nothing of broken and empty files
        #expect(await worker.stop() == 0)
    }

    private func lines(of topic: String, in folder: String) throws -> Int {
        var count = 0
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            guard path.contains(topic), path.hasSuffix(".jsonl") else { continue }
            count += FileManager.default.contents(atPath: "\(folder)/\(path)")?.count { $0 == UInt8(ascii: "\n") } ?? 0
        }
        return count
    }
    private func documents(of index: String, _ url: String, _ worker: WorkerProcess) async throws -> String {
        _ = try await worker.ask("POST", "\(url)/\(index)/_refresh")
        return try await worker.ask("GET", "\(url)/\(index)/_count").text
    }
}
