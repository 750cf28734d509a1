import FoundationEssentials
import Testing

@testable import ConnectRuntime

/// Records of a real Kafka Connect cluster, if they are beside the repository.
struct GoldenTopics: Sendable {
    struct Record: Decodable, Sendable {
        var action: String
        var topic: String
        var partition: Int32
        var offset: Int64
        var key: String?
        var value: String?
    }
    static let folder: String? = {
        var root = URL(filePath: #filePath)
        while root.path.count > 1 {
            root = root.deletingLastPathComponent()
            let folder = root.appending(path: "shared/specs/golden-topics").path
            if FileManager.default.fileExists(atPath: folder) { return folder }
        }
        return nil
    }()
    static var isHere: Bool { folder != nil }
    let records: [Record]

    init(_ name: String) throws {
        let folder = try #require(Self.folder)
        let text = try String(contentsOf: URL(filePath: "\(folder)/\(name).jsonl"), encoding: .utf8)
        records = try text.split(separator: "\n").map { try JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
    }
    func records(of topic: String, during action: String? = nil) -> [Record] {
        records.filter { record in record.topic == topic && (action.map { record.action.hasPrefix($0) } ?? true) }
    }
}

extension GoldenTopics.Record {
    var asLog: LogRecord {
        LogRecord(
            partition: partition,
            offset: offset,
            key: key.map { Array($0.utf8) },
            value: value.map { Array($0.utf8) }
        )
    }
}
