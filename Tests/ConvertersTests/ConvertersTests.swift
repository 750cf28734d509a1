import ConnectModel
import ConnectSDK
import Converters
import Testing

@Suite struct ConverterTests {
    private func make(_ name: String, _ config: [String: String] = [:]) throws -> any Converter {
        try #require(Converters.all.first { $0.aliases.contains(name) }).make(config, false)
    }

    private func read(_ converter: any Converter, _ text: String) throws -> SchemaAndValue {
        try converter.toConnect(topic: "t", bytes: unsafe Array(text.utf8).span.bytes)
    }

    @Test func `prices stay exact through plain JSON`() throws {
        let json = try make("JsonConverter", ["schemas.enable": "false"])
        let text = #"{"price":19.90,"big":123456789012345678901234567890,"tiny":1e-30}"#
        let data = try read(json, text)
        #expect(data.schema == nil)
        let bytes = try #require(try json.fromConnect(topic: "t", data))
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test func `an envelope's schema is made once`() throws {
        let json = try make("Json")
        let schema = #"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"a"}],"optional":false}"#
        let first = try read(json, #"{"schema":\#(schema),"payload":{"a":1}}"#)
        let second = try read(json, #"{"schema":\#(schema),"payload":{"a":2}}"#)
        #expect(first.schema === second.schema)
        guard case .structure(let structure) = second.value else { return #expect(Bool(false), "no struct") }
        #expect(try structure.value("a") == .int32(2))
        let written = try #require(try json.fromConnect(topic: "t", second))
        #expect(String(decoding: written, as: UTF8.self) == #"{"schema":\#(schema),"payload":{"a":2}}"#)
        #expect(throws: DataError("Structs should be encoded as JSON objects, but found NUMBER")) {
            try read(json, #"{"schema":\#(schema),"payload":7}"#)
        }
    }

    @Test func `who says that bytes may pass`() throws {
        #expect(try make("Json", ["schemas.enable": "false"]).rawFormat == .json)
        #expect(try make("Json").rawFormat == nil)
        #expect(try make("String").rawFormat == .utf8)
        #expect(try make("String", ["converter.encoding": "UTF-16"]).rawFormat == nil)
        #expect(try make("ByteArray").rawFormat == .bytes)
        #expect(try make("Long").rawFormat == nil)
    }

    @Test func `numbers go both ways`() throws {
        let value = SchemaAndValue(nil, .int64(-2))
        let long = try make("LongConverter")
        let bytes = try #require(try long.fromConnect(topic: "t", value))
        #expect(bytes == [255, 255, 255, 255, 255, 255, 255, 254])
        #expect(try long.toConnect(topic: "t", bytes: unsafe bytes.span.bytes).value == .int64(-2))
        #expect(try long.toConnect(topic: "t", bytes: nil).value == .null)
    }

    @Test func `headers guess their types`() throws {
        let simple = try #require(Converters.headers.first { $0.aliases.contains("SimpleHeaderConverter") })
            .make([:], false)
        let data = try simple.toConnectHeader(topic: "t", name: "h", bytes: Array(#"{"a":[1,300]}"#.utf8))
        #expect(data.value == .object(["a": .array([.int16(1), .int16(300)])]))
        let bytes = try #require(try simple.fromConnectHeader(topic: "t", name: "h", data))
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"a":[1,300]}"#)
    }
}
