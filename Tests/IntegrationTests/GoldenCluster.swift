import ConnectModel
import FoundationEssentials
import KafkaClient
import Testing

/// What a real Kafka Connect cluster wrote, as far as it lies beside the repository, moved to names and a folder of a test.
struct GoldenCluster {
    struct Record: Decodable, Sendable {
        var action: String
        var topic: String
        var partition: Int32
        var offset: Int64
        var key: String?
        var value: String?
        var headers: [[String?]]
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

    /// `names` are replaced where they stand alone in JSON texts and keys; `/data/` becomes `folder`.
    init(_ name: String, folder: String, names: [String: String]) throws {
        let golden = try #require(Self.folder)
        let text = try String(contentsOf: URL(filePath: "\(golden)/\(name).jsonl"), encoding: .utf8)
        records = try text.split(separator: "\n").map { line in
            var record = try JSONDecoder().decode(Record.self, from: Data(line.utf8))
            for (old, new) in names {
                func moved(_ text: String?) -> String? {
                    text?.replacing("\"\(old)\"", with: "\"\(new)\"").replacing("-\(old):", with: "-\(new):")
                }
                (record.key, record.value) = (moved(record.key), moved(record.value))
                record.headers = record.headers.map { $0.map { $0 == old ? new : $0 } }
                if record.topic == old { record.topic = new }
            }
            record.key = record.key?.replacing("/data/", with: folder + "/")
            record.value = record.value?.replacing("/data/", with: folder + "/")
            return record
        }
    }

    /// The records of an internal topic (`configs`, `offsets`, `status`) before an action, without Java's session keys.
    func records(of topic: String, before action: String? = nil) -> [Record] {
        let end = action.flatMap { action in records.firstIndex { $0.action.hasPrefix(action) } } ?? records.count
        return records[..<end].filter { $0.topic == "connect-\(topic)" && $0.key != "session-key" }
    }

    /// Writes what the cluster had before an action into the worker's topics; a key's partition is murmur2's, as recorded.
    func load(before action: String, as group: String, into kafka: TopicReader) async throws {
        for (topic, partitions) in [("configs", 1), ("offsets", 5), ("status", 3)] {
            try await kafka.make("\(group)-\(topic)", partitions: partitions, configs: ["cleanup.policy": "compact"])
            try await kafka.write(
                records(of: topic, before: action).map { record in
                    ProducerRecord(
                        topic: "\(group)-\(topic)",
                        key: record.key.map { Array($0.utf8) },
                        value: record.value.map { Array($0.utf8) }
                    )
                }
            )
        }
    }

    /// Which entity a key is about, without its name: what decides how the value looks.
    static func kind(ofKey key: String) -> String {
        let kinds = [
            "target-state-", "restart-connector-", "tasks-fencing-", "logger-cluster-", "status-connector-",
            "status-task-", "status-topic-", "connector-", "task-", "commit-",
        ]
        return kinds.first { key.hasPrefix($0) } ?? (key.hasPrefix("[\"") ? "offset" : key)
    }
    /// The keys of a JSON object in their order, inner objects too; maps that users fill count as one.
    static func shape(of value: String?) throws -> String {
        guard let value else { return "null" }
        var shape = "", depth = 0, isKey = true, text = "", isInText = false, isEscaped = false
        for character in value {
            if isInText {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    isInText = false
                    if isKey { shape += text + "," }
                    text = ""
                } else {
                    text.append(character)
                }
                continue
            }
            switch character {
            case "\"": isInText = true
            case "{":
                if shape.hasSuffix("properties,") { return shape }
                (depth, isKey) = (depth + 1, true)
                shape += "{"
            case "}":
                depth -= 1
                shape += "}"
            case ":": isKey = false
            case ",": isKey = true
            default: break
            }
        }
        return shape
    }
}
