import ConnectModel
import JSONReading
import Testing

@Suite struct JSONParserTests {
    let parser = JSONParser()

    private func parse(_ text: String) throws -> Value { try parser.parse(Array(text.utf8)) }

    @Test func `documents become values`() throws {
        #expect(try parse("null") == .null)
        #expect(try parse(" true ") == .boolean(true))
        #expect(try parse("-9223372036854775808") == .int64(.min))
        #expect(try parse("9223372036854775808") == .number(JSONNumber(text: "9223372036854775808")))
        #expect(try parse("19.90") == .number(JSONNumber(text: "19.90")))
        #expect(try parse(#""a\n\u00e9\ud83d\ude00\/\"""#) == .string("a\né😀/\""))
        #expect(try parse(#""\ud83d x""#) == .string("\u{FFFD} x"))
        #expect(try parse("[]") == .array([]))
        #expect(try parse("{}") == .map(MapValue()))
        #expect(
            try parse(#"{"id":1,"tags":["a",{"b":null}],"more":{"x":[[],1e3]}}"#)
                == .object([
                    "id": .int64(1), "tags": .array([.string("a"), .object(["b": .null])]),
                    "more": .object(["x": .array([.array([]), .number(JSONNumber(text: "1e3"))])]),
                ])
        )
    }

    @Test func `the last of equal names counts`() throws {
        #expect(try parse(#"{"a":1,"b":2,"a":3}"#) == .object(["a": .int64(3), "b": .int64(2)]))
        let many = (0..<40).map { "\"k\($0 % 30)\":\($0)" }.joined(separator: ",")
        guard case .map(let map) = try parse("{\(many)}") else { return #expect(Bool(false), "not an object") }
        #expect(map.count == 30)
        #expect(map["k5"] == .int64(35))
    }

    @Test(
        arguments: [
            ("", .empty, 0), ("  ", .empty, 0), ("{\"a\":}", .invalidValue, 5), ("[1,]", .invalidValue, 3),
            ("{\"a\" 1}", .expectedColon, 5), ("{\"a\":1,}", .expectedKey, 7), ("{a:1}", .expectedKey, 1),
            ("[1 2]", .expectedComma, 3), ("[1", .unexpectedEnd, 2), ("1 2", .trailingText, 2),
            ("01", .invalidNumber, 0),
            ("-", .invalidNumber, 0), ("1.", .invalidNumber, 0), ("1e", .invalidNumber, 0), ("tru", .invalidValue, 0),
            ("truex", .invalidValue, 0), ("\"a\\x\"", .invalidEscape, 2), ("\"\\u12g4\"", .invalidEscape, 1),
            ("[\"abc", .unclosedString, 1), ("\"a\nb\"", .controlCharacter, 2), ("NaN", .invalidValue, 0),
            ("}", .invalidValue, 0), ("[}", .invalidValue, 1), ("{]", .expectedKey, 1), ("[1}", .expectedComma, 2),
        ] as [(String, JSONError.Reason, Int)]
    )
    func `errors say what and where`(text: String, reason: JSONError.Reason, offset: Int) {
        #expect(throws: JSONError(reason, at: offset)) { try parse(text) }
    }

    @Test(
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] as [[UInt8]]
    )
    func `bytes that are not UTF-8 are refused`(bytes: [UInt8]) {
        #expect(throws: JSONError(.invalidUTF8, at: 2)) {
            try parser.parse([UInt8(ascii: "["), UInt8(ascii: "\"")] + bytes + Array("\"]".utf8))
        }
    }

    @Test func `depth is limited`() throws {
        let deep = String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)
        _ = try parse(deep)
        #expect(throws: JSONError(.tooDeep, at: 1000)) { try parse("[\(deep)]") }
    }

    @Test func `a long document works after a short one`() throws {
        let text = String(repeating: "x\\n", count: 10_000)
        #expect(try parse("1") == .int64(1))
        #expect(try parse("[\"\(text)\",2]") == .array([.string(String(repeating: "x\n", count: 10_000)), .int64(2)]))
        #expect(JSONError(.expectedKey, at: 8).position(in: Array("{\n \"a\":1,}".utf8)).line == 2)
    }

    @Test func `what is written is read back`() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<500 {
            let value = generator.value(depth: 3)
            var json: [UInt8] = []
            try JSONWriter().append(value, to: &json)
            #expect(try parser.parse(json) == value)
        }
    }
}

@Suite struct JSONObjectReaderTests {
    @Test func `fields of a record`() throws {
        let reader = JSONObjectReader()
        let text = #" {"id":42,"näme":"a\tb","p":19.90,"ok":true,"no":false,"nil":null,"o":{"x":[1,"]"]},"l":[{}]} "#
        try reader.read(Array(text.utf8))
        #expect(reader.count == 8)
        #expect((0..<8).map(reader.key) == ["id", "näme", "p", "ok", "no", "nil", "o", "l"])
        #expect(
            (0..<8).map(reader.kind) == [.integer, .string, .number, .true, .false, .null, .object, .array]
        )
        #expect(
            (0..<8).map(reader.text) == ["42", "a\tb", "19.90", "true", "false", "null", #"{"x":[1,"]"]}"#, "[{}]"]
        )
        #expect(reader.int64(0) == 42 && reader.int64(2) == nil)
        #expect(reader.field(Array("p".utf8)) == 2)
        #expect(reader.field(Array("p".utf8), hint: 2) == 2)
        #expect(reader.field(Array("p".utf8), hint: 7) == 2)
        #expect(reader.field(Array("zz".utf8)) == nil)
        let raw = reader.rawRange(1)
        #expect(Array(text.utf8)[raw].elementsEqual(#""a\tb""#.utf8))
    }

    @Test func `what is nested is checked too`() {
        let reader = JSONObjectReader()
        #expect(throws: JSONError(.invalidNumber, at: 6)) { try reader.read(Array(#"{"a":[01]}"#.utf8)) }
        #expect(throws: JSONError(.invalidEscape, at: 7)) { try reader.read(Array(#"{"a":["\x"]}"#.utf8)) }
        #expect(throws: JSONError(.notAnObject, at: 0)) { try reader.read(Array("[1]".utf8)) }
        #expect(throws: JSONError(.empty, at: 0)) { try reader.read([UInt8]()) }
        #expect(reader.count == 0)
    }

    @Test func `the last of equal names is found`() throws {
        let reader = JSONObjectReader()
        try reader.read(Array(#"{"a":1,"b":2,"a":3}"#.utf8))
        #expect(reader.field(Array("a".utf8), hint: 0) == 2)
        try reader.read(Array("{}".utf8))
        #expect(reader.count == 0)
    }
}

/// Small random documents.
private struct SplitMix {
    var state: UInt64

    mutating func next(_ bound: UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return (z ^ (z >> 31)) % bound
    }

    mutating func text() -> String {
        let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "\n", "\u{1}", "é", "😀", "/", "{", "]", ",", ":", "\u{2028}"]
        var text = ""
        for _ in 0..<next(40) { text.unicodeScalars.append(scalars[Int(next(UInt64(scalars.count)))]) }
        return text
    }

    mutating func value(depth: Int) -> Value {
        switch next(depth > 0 ? 8 : 6) {
        case 0: return .null
        case 1: return .boolean(next(2) == 0)
        case 2: return .int64(Int64(bitPattern: next(.max)))
        case 3: return .number(JSONNumber(text: "\(next(1000)).\(next(1000))"))
        case 4, 5: return .string(text())
        case 6: return .array((0..<next(5)).map { _ in value(depth: depth - 1) })
        default:
            return .map(
                MapValue((0..<next(5)).map { .init(key: .string("\($0)" + text()), value: value(depth: depth - 1)) })
            )
        }
    }
}
