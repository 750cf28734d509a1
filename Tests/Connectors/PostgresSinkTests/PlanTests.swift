import ConnectModel
import ConnectTestKit
import JSONReading
import PostgresClient
import Testing

@testable import PostgresSink

private let orders = PostgresTable(
    name: PostgresName(schema: "shop", "Orders"),
    columns: [
        PostgresColumn(name: "id", sqlType: "bigint", typeName: "int8", isNullable: false),
        PostgresColumn(name: "total", sqlType: "numeric(10,2)", typeName: "numeric"),
        PostgresColumn(name: "at", sqlType: "timestamp without time zone", typeName: "timestamp", hasDefault: true),
        PostgresColumn(name: "region", sqlType: "text", typeName: "text", isNullable: false),
        PostgresColumn(name: "twice", sqlType: "numeric", typeName: "numeric", isGenerated: true),
    ],
    primaryKey: ["region", "id"],
    uniqueKeys: [["region", "id"]]
)

@Suite struct PlanTests {
    private func statements(_ plan: TablePlan) -> String {
        let all = Array(plan.columns.indices), key = Array(0..<plan.keyCount)
        return [plan.isStaged ? plan.createStage : "-- not staged", plan.copy(all), plan.merge(all) ?? "-- no merge"]
            .joined(separator: "\n") + (key.isEmpty ? "\n" : "\n" + plan.copy(key) + "\n" + plan.delete + "\n")
    }

    @Test func `the SQL of each mode`() throws {
        let insert = try TablePlan(orders, keys: [], mode: .insert, zoneIsUTC: true)
        let zoned = try TablePlan(orders, keys: [], mode: .insert, zoneIsUTC: false)
        let upsert = try TablePlan(orders, keys: ["id", "region"], mode: .upsert, zoneIsUTC: true)
        let skipping = try TablePlan(
            orders,
            keys: ["id", "region"],
            mode: .upsert,
            zoneIsUTC: false,
            skipsUnchanged: true,
            stageNumber: 7
        )
        let update = try TablePlan(orders, keys: ["id"], mode: .update, zoneIsUTC: true)
        let text = [insert, zoned, upsert, skipping, update].map(statements).joined(separator: "\n")
        expectGolden(text, "statements.sql")
    }

    @Test func `a table that does not fit is told apart`() {
        #expect(throws: PlanProblem.notUnique(["id"])) {
            try TablePlan(orders, keys: ["id"], mode: .upsert, zoneIsUTC: true)
        }
        #expect(throws: PlanProblem.noKey) { try TablePlan(orders, keys: [], mode: .upsert, zoneIsUTC: true) }
        #expect(throws: PlanProblem.noColumn("x")) {
            try TablePlan(orders, keys: ["x"], mode: .insert, zoneIsUTC: true)
        }
    }

    @Test func `types grow only as far as needed`() throws {
        let records = [
            #"{"a":1,"b":1,"c":"x","d":null,"e":true,"f":{"x":1},"g":[1],"h":"2026-01-02T03:04:05Z"}"#,
            #"{"a":2,"b":1.5,"c":"y","d":null,"e":false,"f":1,"g":[],"h":"2026-01-02 03:04:05.5+02:00","i":99999999999999999999}"#,
            #"{"e":"maybe"}"#,
        ]
        var inference = TypeInference(infersTimestamps: true)
        let reader = JSONObjectReader()
        for record in records {
            try reader.read(Array(record.utf8))
            for field in 0..<reader.count {
                reader.withContent(field) { content in
                    inference.see(reader.key(field), as: reader.key(field), reader.kind(field), content: content)
                }
            }
        }
        #expect(
            inference.columns.map { "\($0.name) \($0.sqlType ?? "-")" } == [
                "a bigint", "b numeric", "c text", "d -", "e text", "f jsonb", "g jsonb", "h timestamptz", "i numeric",
            ]
        )
        let ddl = TableDDL.create(orders.name, inference.columns, keys: ["a"])
        let known =
            inference.columns + [
                .init(name: "total", inferred: .text), .init(name: "id", inferred: .text, number: .numeric),
            ]
        let alter = TableDDL.alter(orders, known, narrow: ["id", "total"]) ?? ""
        expectGolden("\(ddl);\n\(alter);\n", "ddl.sql")
        #expect(TableDDL.alter(orders, [.init(name: "id", number: .numeric)]) == nil)
    }
}

/// One field of a JSON object as COPY text, or the reason why not.
private func encoded(_ json: String, _ kind: ColumnKind) throws -> String {
    let reader = JSONObjectReader()
    try reader.read(Array("{\"f\":\(json)}".utf8))
    var out: [UInt8] = []
    let outcome = reader.withContent(0) { content in
        reader.withRaw(0) { encodeField(reader.kind(0), content: content, raw: $0, as: kind, into: &out) }
    }
    return outcome == .written ? String(decoding: out, as: UTF8.self) : "! \(outcome)"
}

@Suite struct EncodingTests {
    @Test func `values as COPY text`() throws {
        let long = ColumnKind(typeName: "int8"), small = ColumnKind(typeName: "int2")
        let cases: [(String, ColumnKind, String)] = [
            ("null", .text, #"\N"#), ("\"a\\tb\\\\c\\n\\r\\u0008\"", .text, #"a\tb\\c\n\r\b"#),
            ("\"שלום\"", .text, "שלום"), ("\"\\u05e9\"", .text, "ש"), ("\"a\\u0000b\"", .text, "! hasNUL"),
            ("{\"a\": \"x\\ny\"}", .text, #"{"a": "x\\ny"}"#), ("12.50", .text, "12.50"), ("true", .text, "true"),
            ("19.90", .number, "19.90"), ("1e-7", .number, "1e-7"), ("\"1.5\"", .number, "1.5"),
            ("12345678901234567890.123456789", .number, "12345678901234567890.123456789"),
            ("9223372036854775807", long, "9223372036854775807"), ("9223372036854775808", long, "! tooNarrow"),
            ("1.0", long, "1"), ("1e3", long, "1000"), ("1.5", long, "! tooNarrow"), ("\"7\"", long, "7"),
            ("32767", small, "32767"), ("32768", small, "! tooNarrow"), ("-9", small, "-9"),
            ("true", .boolean, "true"), ("1", .boolean, "1"),
            ("{\"a\":[1,\"\\n\"]}", .json, #"{"a":[1,"\\n"]}"#), ("\"x\"", .json, "\"x\""), ("1.10", .json, "1.10"),
            ("1700000000123", .timestamp, "2023-11-14 22:13:20.123"),
            ("-1", .timestampWithZone, "1969-12-31 23:59:59.999+00"), ("19000", .date, "2022-01-08"),
            ("3723004", .time, "01:02:03.004"), ("\"2026-02-20T12:30:00Z\"", .timestamp, "2026-02-20T12:30:00Z"),
            ("\"2026-02-20T00:30:00.123456+02:00\"", .timestamp, "2026-02-19 22:30:00.123456"),
            ("\"2026-02-20T12:30+02\"", .timestamp, "2026-02-20 10:30"),
            ("\"2026-02-20T12:30:00\"", .timestamp, "2026-02-20T12:30:00"),
            ("\"2026-12-31T23:30:00-0130\"", .timestamp, "2027-01-01 01:00:00"),
            ("\"2026-02-20T12:30:00+02:00\"", .timestampWithZone, "2026-02-20T12:30:00+02:00"),
            ("99999999999999999", .timestamp, "! notATime"), ("\"AP8=\"", .bytes, #"\\x00ff"#),
            ("\"???\"", .bytes, "! notBase64"), ("1", .bytes, "! notBase64"),
            ("[1,null,\"a\\\"b\\\\\"]", .array(of: .text), #"{"1",NULL,"a\\"b\\\\"}"#),
            ("[[1,2],[3]]", .array(of: .integer(min: 0, max: 9)), #"{{"1","2"},{"3"}}"#),
            ("[{\"a\":1.50}]", .array(of: .json), #"{"{\\"a\\":1.50}"}"#), ("\"{1}\"", .array(of: .text), "{1}"),
            ("[1.5]", .array(of: .integer(min: 0, max: 9)), "! notAnArray"),
        ]
        for (json, kind, wanted) in cases { #expect(try encoded(json, kind) == wanted, "\(json) as \(kind)") }
    }

    @Test func `escapes are taken away again`() {
        let text = "a\tb\\c\n\r\u{8}\u{b}\u{c}"
        var out: [UInt8] = []
        #expect(appendEscaped(text, to: &out))
        #expect(String(decoding: unescaped(out), as: UTF8.self) == text)
    }

    @Test(arguments: (0 as UInt64)..<50) func `any text survives the server`(seed: UInt64) throws {
        var rng = SplitMix64(state: seed)
        let scalars = (0..<40).map { _ in Unicode.Scalar(UInt32.random(in: 1...0x2FF, using: &rng)) ?? "x" }
        let text = String(String.UnicodeScalarView(scalars))
        var json: [UInt8] = []
        JSONWriter.append(string: text, to: &json)
        let reader = JSONObjectReader()
        try reader.read(Array("{\"f\":".utf8) + json + Array("}".utf8))
        var row: [UInt8] = []
        let outcome = reader.withContent(0) { content in
            reader.withRaw(0) { encodeField(.string, content: content, raw: $0, as: .text, into: &row) }
        }
        #expect(outcome == .written && !row.contains(tab) && !row.contains(lineFeed))
        #expect(String(decoding: unescaped(row), as: UTF8.self) == text)
    }
}

@Suite struct FastRowTests {
    private static let values = [
        "null", "true", "false", "0", "-17", "123456789", "1234567890", "1.50", "1e3", "\"\"", "\"plain\"", "\"a\\tb\"",
        "\"2026-02-20T12:30:00\"", "\"2026-02-20T12:30+02\"", "\"2026-02-20T12:30:00Z\"",
        "\"2026-02-20T12:30:00+02:00\"", "\"2026-02-20\"", "{\"a\":1}", "[1,\"x\"]",
        "\"AP8=\"",
    ]
    private static let types = [
        "int2", "int4", "int8", "numeric", "text", "bool", "timestamp", "timestamptz", "date", "jsonb", "bytea", "uuid",
    ]

    /// The first record of a kind takes the careful path, the same record again the fast one if it may.
    @Test(arguments: (0 as UInt64)..<300) func `the fast path writes what the careful one does`(seed: UInt64) throws {
        var rng = SplitMix64(state: seed)
        let columns = (0..<Int.random(in: 1...5, using: &rng)).map { index in
            let type = Self.types.randomElement(using: &rng) ?? "text"
            return PostgresColumn(name: "c\(index)", sqlType: type, typeName: type)
        }
        let table = PostgresTable(name: PostgresName("t"), columns: columns, primaryKey: ["c0"], uniqueKeys: [["c0"]])
        let isKeyed = Bool.random(using: &rng)
        let config = try PostgresSinkConfig(["connection.url": "host=h"])
        let keys = isKeyed ? ["c0"] : []
        let plan = try TablePlan(table, keys: keys, mode: isKeyed ? .upsert : .insert, zoneIsUTC: true)
        let writer = TableWriter(plan, table, keys: keys, config)
        let fields = columns.shuffled(using: &rng).map { column in
            "\"\(column.name)\":\(Self.values.randomElement(using: &rng) ?? "null")"
        }
        let reader = JSONObjectReader(), batch = jsonBatch(["{}"])
        for round in 0..<2 {
            try reader.read(Array("{\(fields.joined(separator: ","))}".utf8))
            switch writer.add(reader, key: RecordKey(), batch, 0) {
            case .written, .refused: break
            case let other: Issue.record("\(other) in round \(round)")
            }
        }
        let rows = writer.groups.flatMap(\.bytes).split(separator: lineFeed)
        #expect(rows.isEmpty || rows.count == 2 && rows[0] == rows[1])
        // NULL is no key to merge by.
        let isNull = rows.first?.starts(with: [backslash, UInt8(ascii: "N")]) == true
        if isKeyed, !rows.isEmpty { #expect(writer.rows.map(\.isAlive) == [isNull, true]) }
    }
}

struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
