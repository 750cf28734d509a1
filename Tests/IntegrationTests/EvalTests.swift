import ConnectModel
import ConnectTestKit
import FoundationEssentials
import Glibc
import JSONReading
import Testing

@testable import Transforms

/// Replays through `sluice eval` what Kafka Connect 4.3.1 itself answered: transforms, converters and config checks.
@Suite(.timeLimit(.minutes(2))) struct EvalTests {
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

    @Test(.enabled(if: directory != nil, "the shared golden cases are not here"))
    func `one process answers every recorded case as Kafka Connect did`() throws {
        let directory = try #require(Self.directory)
        var questions: [(file: String, line: ArraySlice<UInt8>)] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        where file.hasSuffix(".jsonl") && file != "plugin-definitions.jsonl" {
            let bytes = Array(try Data(contentsOf: URL(filePath: "\(directory)/\(file)")))
            questions += bytes.split(separator: UInt8(ascii: "\n")).map { (file, $0) }
        }
        #expect(questions.count == 1_615)
        let answers = try Self.answers(to: questions.map(\.line).joined(separator: [UInt8(ascii: "\n")]))
        try #require(answers.count == questions.count)
        let parser = JSONParser()
        var wrong: [String] = []
        for (question, answer) in zip(questions, answers) {
            let wanted = try #require(Self.object(try parser.parse(Array(question.line))))
            let given = try #require(Self.object(try parser.parse(Array(answer))))
            if let difference = try Comparison.difference(wanted, given) {
                wrong.append(
                    "\(question.file) \(wanted["id"]?.javaText ?? "?"): \(difference)\n"
                        + "    \(String(decoding: answer, as: UTF8.self))"
                )
            }
        }
        #expect(wrong.isEmpty, "\(wrong.count) of \(questions.count):\n\(wrong.joined(separator: "\n"))")
    }

    @Test func `a line that is no question is answered with an error, and the next is answered`() throws {
        let lines = [
            "", "[]", "{", #"{"config":{},"input":1}"#, #"{"plugin":"TimestampRouter","config":{}}"#, "\u{0}\u{1}",
            #"{"converter":"StringConverter","config":{},"direction":"to_connect","bytes":"x"}"#,
        ]
        let answers = try Self.answers(to: lines.joined(separator: "\n").utf8).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(answers.count == lines.count)
        #expect(answers[0..<4].allSatisfy { $0.hasPrefix(#"{"error":"#) })
        #expect(answers[4] == #"{"errors":{}}"#)
        #expect(answers.last == #"{"result":{"schema":{"type":"string","optional":true},"payload":"x"}}"#)
    }

    @Test func `an answer comes before the next question`() throws {
        let folder = try WorkerProcess.makeFolder()
        let (questions, answers) = (folder + "/questions", folder + "/answers")
        try #require(unsafe mkfifo(questions, 0o600) == 0 && mkfifo(answers, 0o600) == 0)
        let process = try ChildProcess(
            ["sh", "-c", "exec \(WorkerProcess.program) eval < \(questions) > \(answers)"],
            output: folder + "/log"
        )
        let input = try Pipe(questions, O_WRONLY), output = try Pipe(answers, O_RDONLY)
        for _ in 1...3 {
            input.write(#"{"plugin":"Filter","config":{}}"# + "\n")
            #expect(output.read() == #"{"errors":{}}"# + "\n")
        }
        input.close()
        #expect(process.wait() == 0)
        output.close()
    }

    private static func object(_ json: Value) -> MapValue? {
        if case .map(let map) = json { return map }
        return nil
    }
    private static func answers(to text: some Sequence<UInt8>) throws -> [ArraySlice<UInt8>] {
        let folder = try WorkerProcess.makeFolder()
        try Data(text).write(to: URL(filePath: folder + "/questions"))
        let process = try ChildProcess(
            ["sh", "-c", "exec \(WorkerProcess.program) eval < \(folder)/questions"],
            output: folder + "/answers"
        )
        #expect(process.wait() == 0)
        let bytes = Array(try Data(contentsOf: URL(filePath: folder + "/answers")))
        return bytes.split(separator: UInt8(ascii: "\n"))
    }
}

/// One end of a pipe with a name; opening it waits for the other end.
private struct Pipe {
    private let descriptor: Int32

    init(_ path: String, _ mode: Int32) throws {
        descriptor = unsafe Glibc.open(path, mode)
        try #require(descriptor >= 0)
    }
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
    /// What is there, as soon as something is.
    func read() -> String {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
    func close() { _ = Glibc.close(descriptor) }
}

/// Says how an answer differs from the expected one.
enum Comparison {
    static func difference(_ expected: MapValue, _ answer: MapValue) throws -> String? {
        if expected["plugin"] != nil, expected["exception"] == nil { return problems(expected, answer) }
        for kind in ["error", "config_error", "exception"] {
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

    /// Keys without order; a message counts by its start where the case says so.
    private static func problems(_ expected: MapValue, _ answer: MapValue) -> String? {
        guard case .map(let wanted)? = expected["errors"], case .map(let given)? = answer["errors"] else {
            return "expected errors"
        }
        guard wanted.count == given.count else { return "expected \(Value.map(wanted).javaText)" }
        var prefixes = MapValue()
        if case .map(let found)? = expected["prefixes"] { prefixes = found }
        for entry in wanted.entries {
            guard case .array(let messages) = entry.value, case .array(let found)? = given[entry.key],
                messages.count == found.count
            else { return "\(entry.key.javaText): expected \(entry.value.javaText)" }
            var starts: [Value] = []
            if case .array(let list)? = prefixes[entry.key] { starts = list }
            for (index, message) in messages.enumerated() {
                let isSame =
                    if index < starts.count, case .string(let start) = starts[index] {
                        found[index].javaText.hasPrefix(start)
                    } else { found[index] == message }
                if !isSame { return "\(entry.key.javaText): expected \(message.javaText)" }
            }
        }
        return nil
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
