import ConnectRuntime
import FoundationEssentials

/// One request of a recording and what Kafka Connect answered.
struct Exchange: Sendable, CustomStringConvertible {
    var method: String
    var path: String
    var body: String?
    var status: Int
    var headers: [String: String]
    var answer: String
    /// `PUT /connectors/fs/pause`, with the body when there is one.
    var description: String { "\(method) \(path)" + (body.map { " \($0)" } ?? "") }

    /// All exchanges of a recording in `Golden`.
    static func recorded(_ name: String) throws -> [Exchange] {
        let folder = #filePath.prefix { _ in true }.dropLast("Transcript.swift".count)
        let data = try Data(contentsOf: URL(filePath: "\(folder)Golden/\(name)"))
        let text = "\n" + String(decoding: data, as: UTF8.self)
        return text.split(separator: "\n### ").compactMap(Exchange.init)
    }

    private init?(_ text: Substring) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, lines.count > 1, let status = Int(lines[1].split(separator: " ")[1]) else { return nil }
        (method, path, self.status) = (String(words[0]), String(words[1]), status)
        body = words.count > 2 && words[2].hasPrefix("body=") ? String(words[2].dropFirst("body=".count)) : nil
        let head = lines.dropFirst(2).prefix { !$0.isEmpty }
        headers = Dictionary(
            head.map { line in
                let sides = line.split(separator: ":", maxSplits: 1)
                return (sides[0].lowercased(), sides.count > 1 ? String(sides[1].drop { $0 == " " }) : "")
            }
        ) { $1 }
        answer = lines.dropFirst(2 + head.count).joined(separator: "\n")
            .split(separator: "\n", omittingEmptySubsequences: true).joined(separator: "\n")
    }
}

/// A recorded body as far as it was recorded: what the cut took is closed, a value that was cut is left out.
func parseRecorded(_ text: String) -> (value: JSON, isCut: Bool)? {
    if let whole = try? JSON.parse(Array(text.utf8)) { return (whole, false) }
    var closers: [Character] = [], isInText = false, isEscaped = false
    // Where a text without what follows would be whole, and what closes it there.
    var safe: (end: String.Index, closers: [Character])?
    for index in text.indices {
        let character = text[index]
        if isEscaped {
            isEscaped = false
        } else if isInText {
            if character == "\\" { isEscaped = true }
            if character == "\"" { isInText = false }
        } else {
            switch character {
            case "\"": isInText = true
            case "{": closers.append("}")
            case "[": closers.append("]")
            case "}", "]":
                _ = closers.popLast()
                safe = (text.index(after: index), closers)
            case ",": safe = (index, closers)
            default: break
            }
        }
    }
    guard let safe else { return nil }
    let closed = text[..<safe.end] + String(safe.closers.reversed())
    return (try? JSON.parse(Array(closed.utf8))).map { ($0, true) }
}

/// Where two bodies differ: `$.tasks[0].state`, with both values.
struct Difference: Hashable, CustomStringConvertible {
    var place: String
    var recorded: String
    var ours: String
    var description: String { "\(place): recorded \(recorded), ours \(ours)" }
}

/// Compares bodies as clients read them: objects without order, values that no two workers share by their type only.
struct BodyComparison {
    /// Keys whose values belong to one installation.
    private static let own: Set = ["version", "commit", "kafka_cluster_id", "last_modified", "documentation"]
    /// What ours may have beyond the recording where the recording was cut.
    var isCut: Bool
    private(set) var differences: [Difference] = []

    init(isCut: Bool) { self.isCut = isCut }

    mutating func compare(_ recorded: JSON, _ ours: JSON, at place: String = "$", isEnd: Bool = true) {
        if let old = recorded.members, let new = ours.members {
            for (index, member) in old.enumerated() {
                let place = "\(place).\(member.key)"
                guard let value = ours[member.key] else {
                    note(place, Self.text(member.value), "nothing")
                    continue
                }
                if Self.own.contains(member.key), member.value.string != nil, value.string != nil { continue }
                if Self.own.contains(member.key), recorded["level"] != nil, (value == .null) == (member.value == .null)
                {
                    continue
                }
                compare(member.value, value, at: place, isEnd: isEnd && index == old.count - 1)
            }
            guard !(isCut && isEnd) else { return }
            for member in new where recorded[member.key] == nil {
                note("\(place).\(member.key)", "nothing", Self.text(member.value))
            }
        } else if case .array(let old) = recorded, case .array(let new) = ours {
            if old.count != new.count, !(isCut && isEnd && old.count < new.count) {
                return note(place, Self.text(recorded), Self.text(ours))
            }
            for (index, (a, b)) in zip(old, new).enumerated() {
                compare(a, b, at: "\(place)[\(index)]", isEnd: isEnd && index == old.count - 1)
            }
        } else if recorded != ours {
            note(place, Self.text(recorded), Self.text(ours))
        }
    }
    private mutating func note(_ place: String, _ recorded: String, _ ours: String) {
        differences.append(Difference(place: place, recorded: recorded, ours: ours))
    }
    private static func text(_ value: JSON) -> String {
        let text = String(decoding: value.bytes, as: UTF8.self)
        return text.count > 200 ? text.prefix(200) + "…" : text
    }
}
