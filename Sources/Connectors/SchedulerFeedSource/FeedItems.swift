import ConnectModel
import JSONReading

/// Reads the items out of an answer: a list at a JSON pointer, a list, one object, or JSON lines.
enum FeedItems {
    /// The items, and how many pieces were none (a line that is not JSON, a list's element that is no object).
    static func read(_ body: [UInt8], pointer: [String]) throws(JSONError) -> (items: [MapValue], bad: Int) {
        let first = body.first { $0 > 0x20 }
        if pointer.isEmpty, first == UInt8(ascii: "{"), body.contains(UInt8(ascii: "\n")) {
            return lines(body[...])
        }
        guard first != nil else { return ([], 0) }
        var found = try JSONParser().parse(body)
        for name in pointer {
            switch found {
            case .map(let map): found = map[name] ?? .null
            case .array(let list): found = Int(name).flatMap { list.indices.contains($0) ? list[$0] : nil } ?? .null
            default: found = .null
            }
        }
        switch found {
        case .array(let list): return objects(list)
        case .map: return objects([found])
        default: return ([], 1)
        }
    }

    /// JSON lines; also one object over several lines, when the lines by themselves are no JSON.
    private static func lines(_ body: ArraySlice<UInt8>) -> (items: [MapValue], bad: Int) {
        let parser = JSONParser()
        var items: [MapValue] = [], bad = 0
        for line in body.split(separator: UInt8(ascii: "\n")) where line.contains(where: { $0 > 0x20 }) {
            if case .map(let item)? = try? parser.parse(Array(line)) { items.append(item) } else { bad += 1 }
        }
        if items.isEmpty, case .map(let item)? = try? parser.parse(Array(body)) { return ([item], 0) }
        return (items, bad)
    }

    private static func objects(_ list: [Value]) -> (items: [MapValue], bad: Int) {
        let items = list.compactMap { if case .map(let item) = $0 { item } else { nil } }
        return (items, list.count - items.count)
    }

    /// 64-bit FNV-1a: whether an answer without ETag is the one of the last run.
    static func fingerprint(_ body: [UInt8]) -> Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int64(bitPattern: hash)
    }
}
