import ConnectConfig
import ConnectModel
import ConnectSDK
import JSONReading
import Testing

@testable import Transforms

@Suite struct ComputeTests {
    private func transform(_ name: String, _ config: [String: String]) throws -> any RecordTransform {
        let plugin = try #require(Transforms.all.first { $0.name == name })
        return try plugin.make(config, false)
    }
    private func record(_ json: String) throws -> ConnectRecord {
        ConnectRecord(
            topic: "prices",
            partition: 3,
            key: SchemaAndValue(nil, .object(["id": .int64(7)])),
            value: SchemaAndValue(nil, try JSONParser().parse(Array(json.utf8))),
            timestamp: 1_700_000_000_000,
            headers: [ConnectHeader(name: "source", value: SchemaAndValue(nil, .string("feed")))]
        )
    }
    private func computed(_ expression: String, _ json: String, _ more: [String: String] = [:]) throws -> Value? {
        let config = ["field": "x", "expression": expression].merging(more) { $1 }
        guard case .map(let map)? = try transform("Compute", config).apply(try record(json))?.value.value else {
            return nil
        }
        return map["x"]
    }

    @Test func `numbers of documents stay exact`() throws {
        #expect(try computed("price * 1.01", #"{"price":10.10}"#) == .number(JSONNumber(text: "10.2010")))
        #expect(try computed("a + b", #"{"a":0.1,"b":0.2}"#) == .number(JSONNumber(text: "0.3")))
        #expect(
            try computed("a * 2", #"{"a":9223372036854775807}"#) == .number(JSONNumber(text: "18446744073709551614"))
        )
        #expect(try computed("a + 1", #"{"a":2}"#) == .int64(3))
        #expect(try computed("number(a) * 2", #"{"a":"12.90"}"#) == .number(JSONNumber(text: "25.80")))
    }
    @Test func `records are read beyond the value's fields`() throws {
        #expect(
            try computed("concat($topic, '-', $partition, '-', $key.id, '-', $headers.source)", "{}")
                == .string("prices-3-7-feed")
        )
        #expect(try computed("$timestamp - 1699999999999", "{}") == .int64(1))
        #expect(try computed("a.b[1].c", #"{"a":{"b":[0,{"c":"deep"}]}}"#) == .string("deep"))
        #expect(try computed("$value.a", #"{"a":true}"#) == .boolean(true))
        #expect(try computed("a.b.c", #"{"a":{"b":null}}"#) == .null)
        #expect(try computed("$headers.none", "{}") == .null)
    }
    @Test(arguments: [
        ("boolean", "a > 1", Value.boolean(true)), ("string", "a", .string("2.50")), ("int32", "a * 2", .int32(5)),
        ("int64", "a * 2", .int64(5)), ("float64", "a", .float64(2.5)),
        ("decimal", "a", .decimal(Decimal(unscaled: BigInteger(2500), scale: 3))),
    ])
    func `the type can be said`(type: String, expression: String, wanted: Value) throws {
        #expect(try computed(expression, #"{"a":2.50}"#, ["result.type": type, "scale": "3"]) == wanted)
    }
    @Test func `errors name expression, place and kind, or become null`() throws {
        let error = #expect(throws: DataError.self) { try computed("a + 1", #"{"a":"secret"}"#) }
        #expect(error?.message == "expression \"a + 1\", position 3: + needs two numbers, got text and number")
        #expect(try computed("a + 1", #"{"a":"secret"}"#, ["on.error": "null"]) == .null)
        #expect(throws: DataError.self) { try computed("a", #"{"b":1}"#, ["on.missing.field": "fail"]) }
        #expect(throws: DataError.self) { try computed("a.b", #"{"a":1}"#) }
        #expect(throws: DataError.self) { try computed("a", #"{"a":1.5}"#, ["result.type": "int64"]) }
        #expect(try computed("a", #"{"a":1.5}"#, ["result.type": "int64", "on.error": "null"]) == .null)
        #expect(throws: DataError.self) { try computed("a", #"{"a":[1]}"#) }
    }
    @Test(arguments: [
        (
            ["field": "x", "expression": "1 +"],
            "Invalid value 1 + for configuration expression: at position 4: expected a value, found the end"
        ),
        (
            ["field": "x", "expression": "$nope"],
            "Invalid value $nope for configuration expression: at position 1: there is no $nope; there are $headers, $key, $offset, $partition, $timestamp, $topic, $value"
        ),
        (["field": "", "expression": "1"], "Invalid value  for configuration field: String must be non-empty"),
        (
            ["field": "x", "expression": "1 < 2", "result.type": "int64"],
            "Invalid value int64 for configuration result.type: the expression \"1 < 2\" gives a boolean"
        ),
    ])
    func `mistakes are found with the config`(config: [String: String], message: String) {
        let error = #expect(throws: ConfigInvalid.self) { try transform("Compute", config) }
        #expect(error?.issues.first?.message == message)
    }
    @Test func `schemas get the field, in its place when it was there`() throws {
        var builder = SchemaBuilder(.structure)
        try builder.add("price", .decimal(scale: 2))
        try builder.add("x", .string)
        try builder.add("name", .optionalString)
        let schema = builder.build()
        var structure = try StructValue(schema)
        try structure.set("price", .decimal(Decimal(unscaled: BigInteger(1010), scale: 2)))
        try structure.set("x", .string("old"))
        var record = try record("null")
        record.value = SchemaAndValue(schema, .structure(structure))
        let config = ["field": "x", "expression": "round(price * 1.015, 3)", "scale": "3"]
        let changed = try #require(try transform("Compute", config).apply(record))
        guard case .structure(let result) = changed.value.value else {
            Issue.record("no struct")
            return
        }
        #expect(result.schema.fields.map(\.name) == ["price", "x", "name"])
        #expect(result.schema.field("x")?.schema == .decimal(scale: 3, optional: true))
        #expect(try result.value("x") == .decimal(Decimal(unscaled: BigInteger(10252), scale: 3)))
        #expect(throws: DataError.self) {
            try transform("Compute", ["field": "y", "expression": "name"]).apply(record)
        }
        let added = try transform("Compute", ["field": "y", "expression": "upper(x)"]).apply(record)
        guard case .structure(let more)? = added?.value.value else {
            Issue.record("no struct")
            return
        }
        #expect(try more.value("y") == .string("OLD"))
    }
    @Test func `tombstones have nothing to compute`() throws {
        var tombstone = try record("null")
        tombstone.value = .null
        #expect(try transform("Compute", ["field": "x", "expression": "1"]).apply(tombstone) == tombstone)
    }

    // FilterBy

    private func passes(_ condition: String, _ json: String, _ more: [String: String] = [:]) throws -> Bool {
        try transform("FilterBy", ["condition": condition].merging(more) { $1 }).apply(try record(json)) != nil
    }
    @Test func `a deal passes and a null does not`() throws {
        let condition = "current_price <= target_price * 1.01"
        #expect(try passes(condition, #"{"current_price":10.1,"target_price":10}"#))
        #expect(try !passes(condition, #"{"current_price":10.11,"target_price":10}"#))
        #expect(try !passes(condition, #"{"current_price":null,"target_price":10}"#))
        #expect(try passes(condition, #"{"target_price":10}"#, ["action": "drop"]))
        #expect(try !passes("true", "{}", ["action": "drop"]))
    }
    @Test func `tombstones pass unless they are to be tested`() throws {
        #expect(try passes("price > 1", "null"))
        #expect(try !passes("price > 1", "null", ["tombstones": "test"]))
        #expect(try passes("$value is null", "null", ["tombstones": "test"]))
    }
    @Test func `a condition is true or false`() throws {
        #expect(throws: ConfigInvalid.self) { try transform("FilterBy", ["condition": "1 + 1"]) }
        #expect(throws: DataError.self) { try passes("a", #"{"a":1}"#) }
        #expect(try !passes("a", #"{"a":1}"#, ["on.error": "null"]))
        #expect(try passes("a", #"{"a":true}"#))
        #expect(throws: DataError.self) { try passes("a < 1", #"{"a":"x"}"#) }
    }
}
