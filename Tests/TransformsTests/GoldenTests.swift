import ConnectModel
import ConnectSDK
import Converters
import FoundationEssentials
import JSONReading
import Testing

@testable import Transforms

/// Replays what Kafka Connect 4.3.1 itself answered.
@Suite struct GoldenTests {
    static let files = [
        "cast", "chains", "converter-bytes-numbers-boolean", "converter-json", "converter-simple-header",
        "converter-string", "drop-headers", "extract-field", "filter-and-predicates", "flatten", "header-from",
        "hoist-field", "insert-field", "insert-header", "mask-field", "regex-router", "replace-field",
        "set-schema-metadata", "timestamp-converter", "timestamp-router", "value-to-key",
    ]
    /// The shared cases lie beside the checkout, or beside the folder of a checkout among others.
    static let directory: String? = {
        var root = #filePath.split(separator: "/").dropLast(3).map(String.init)
        for _ in 0..<2 {
            root.removeLast()
            let path = "/" + root.joined(separator: "/") + "/shared/specs/golden-transforms"
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        return nil
    }()
    static let evaluation = Evaluation(
        plugins: Plugins(
            connectors: [],
            converters: Converters.all,
            headerConverters: Converters.headers,
            transforms: Transforms.all,
            predicates: Transforms.predicates
        )
    )

    @Test(.enabled(if: directory != nil, "the shared golden cases are not here"), arguments: files)
    func `answers as Kafka Connect does`(file: String) throws {
        let path = try #require(Self.directory) + "/\(file).jsonl"
        let bytes = try Data(contentsOf: URL(filePath: path))
        let parser = JSONParser()
        var wrong: [String] = []
        var count = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            count += 1
            guard case .map(let question) = try parser.parse(Array(line)) else { continue }
            let text = Self.evaluation.answer(line: String(decoding: line, as: UTF8.self))
            guard case .map(let answer) = try parser.parse(Array(text.utf8)) else { continue }
            if let difference = try Comparison.difference(question, answer) {
                wrong.append("\(question["id"]?.javaText ?? "?"): \(difference)\n    \(text)")
            }
        }
        #expect(wrong.isEmpty, "\(file): \(count - wrong.count) of \(count)\n\(wrong.joined(separator: "\n"))")
        print("\(file): \(count - wrong.count) of \(count)")
    }
}

/// Says how an answer differs from the expected one.
enum Comparison {
    static func difference(_ expected: MapValue, _ answer: MapValue) throws -> String? {
        for kind in ["error", "config_error"] {
            guard case .map(let fault)? = expected[kind] else { continue }
            guard case .map(let given)? = answer[kind] else { return "expected \(kind) \(fault["message"] ?? .null)" }
            let (message, wanted) = (given["message"]?.javaText ?? "", fault["message"]?.javaText ?? "")
            switch fault["match"]?.javaText {
            case "any": return nil
            case "prefix": return message.hasPrefix(fault["prefix"]?.javaText ?? "?") ? nil : "expected \(wanted)"
            default: return given["class"] == fault["class"] && message == wanted ? nil : "expected \(wanted)"
            }
        }
        if let output = expected["output"] {
            guard let given = answer["output"] else { return "expected a record" }
            if output.isNull || given.isNull { return output == given ? nil : "expected \(output)" }
            return same(try RecordReading.record(output), try RecordReading.record(given)) ? nil : "other record"
        }
        if let result = expected["result"] {
            guard let given = answer["result"] else { return "expected a result" }
            return same(try EvaluationReading.data(result), try EvaluationReading.data(given)) ? nil : "other value"
        }
        guard let wanted = bytes(expected), let given = bytes(answer) else {
            return (expected["bytes"] ?? .string("?")).isNull && (answer["bytes"] ?? .string("?")).isNull
                ? nil : "expected bytes"
        }
        if wanted == given { return nil }
        // Entries of maps may come in another order.
        let parser = JSONParser()
        if let a = try? parser.parse(wanted), let b = try? parser.parse(given), a == b { return nil }
        return "expected \(String(decoding: wanted, as: UTF8.self))"
    }

    private static func bytes(_ map: MapValue) -> [UInt8]? {
        if case .string(let text)? = map["bytes_base64"] { return Base64.decode(text.utf8) }
        if case .string(let text)? = map["bytes"] { return Array(text.utf8) }
        return nil
    }

    private static func same(_ a: ConnectRecord, _ b: ConnectRecord) -> Bool {
        a.topic == b.topic && a.partition == b.partition && a.timestamp == b.timestamp && a.offset == b.offset
            && a.timestampType == b.timestampType && same(a.key, b.key) && same(a.value, b.value)
            && a.headers.map(\.name) == b.headers.map(\.name)
            && zip(a.headers, b.headers).allSatisfy { same($0.value, $1.value) }
    }

    private static func same(_ a: SchemaAndValue, _ b: SchemaAndValue) -> Bool {
        a.schema == b.schema && same(a.value, b.value)
    }

    private static func same(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.float32(let x), .float32(let y)): x == y || (x.isNaN && y.isNaN)
        case (.float64(let x), .float64(let y)): x == y || (x.isNaN && y.isNaN)
        case (.array(let x), .array(let y)): x.count == y.count && zip(x, y).allSatisfy { same($0, $1) }
        case (.structure(let x), .structure(let y)):
            x.schema == y.schema && zip(x.values, y.values).allSatisfy { same($0, $1) }
        case (.map(let x), .map(let y)):
            x.count == y.count && x.entries.allSatisfy { entry in y[entry.key].map { same(entry.value, $0) } ?? false }
        default: a == b
        }
    }
}
