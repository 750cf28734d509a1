import ConnectModel
import Testing

@Suite struct NumberTests {
    @Test(arguments: [
        (0.0, "0.0"), (-0.0, "-0.0"), (3.0, "3.0"), (19.99, "19.99"), (1e7, "1.0E7"), (9_999_999, "9999999.0"),
        (1e10, "1.0E10"), (1.5e-4, "1.5E-4"), (0.001, "0.001"), (1e300, "1.0E300"), (123_456_789.5, "1.234567895E8"),
        (.leastNonzeroMagnitude, "4.9E-324"), (1.7976931348623157e308, "1.7976931348623157E308"),
    ])
    func `doubles read as Java prints them`(number: Double, text: String) {
        #expect(JavaNumber.text(number) == text)
    }

    @Test func `floats read as Java prints them`() {
        #expect(JavaNumber.text(Float(19.9)) == "19.9")
        #expect(JavaNumber.text(Float(1e10)) == "1.0E10")
        #expect(JavaNumber.text(Float.nan) == "NaN")
        #expect(JavaNumber.text(-Float.infinity) == "-Infinity")
    }

    @Test(
        arguments: [
            ("0", [0]), ("1", [1]), ("-1", [0xFF]), ("127", [0x7F]), ("128", [0, 0x80]), ("-128", [0x80]),
            ("-129", [0xFF, 0x7F]), ("9223372036854775808", [0, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            ("-9223372036854775808", [0x80, 0, 0, 0, 0, 0, 0, 0]),
            ("18446744073709551616", [1, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("-18446744073709551616", [0xFF, 0, 0, 0, 0, 0, 0, 0, 0]),
        ] as [(String, [UInt8])]
    )
    func `two's complement goes both ways`(text: String, bytes: [UInt8]) throws {
        let number = try #require(BigInteger(text))
        #expect(number.twosComplement == bytes)
        #expect(BigInteger(twosComplement: bytes) == number)
        #expect(number.description == text)
    }

    @Test func `big integers calculate`() throws {
        let a = try #require(BigInteger("123456789012345678901234567890"))
        let b = try #require(BigInteger("-987654321098765432109876543210"))
        #expect((a + b).description == "-864197532086419753208641975320")
        #expect((a - b).description == "1111111110111111111011111111100")
        #expect((a * b).description == "-121932631137021795226185032733622923332237463801111263526900")
        #expect((a - a) == BigInteger(0))
        #expect(a > b)
        #expect(try #require(BigInteger("9223372036854775808")).wrapped == Int64.min)
        #expect(BigInteger.small(.min) - BigInteger(1) == BigInteger("-9223372036854775809"))
    }

    @Test(arguments: [
        "0", "0.00", "1", "-1.50", "19.99", "1E-12", "1.23E+7", "0.000001", "1E-7", "123456789.123456789123456789",
    ])
    func `decimals print as they were read`(text: String) throws {
        #expect(try #require(Decimal(text)).description == text)
    }

    @Test func `decimals calculate exactly`() throws {
        let price = try #require(Decimal("19.90"))
        #expect((price + Decimal(1)).description == "20.90")
        #expect((price - Decimal(20)).description == "-0.10")
        #expect((price * price).description == "396.0100")
        #expect(try #require(price.rescaled(1)).description == "19.9")
        #expect(price.rescaled(0) == nil)
        #expect(try #require(Decimal("1E+3")).plainText == "1000")
        #expect(try #require(Decimal("-1E-9")).plainText == "-0.000000001")
        #expect(price.compare(to: try #require(Decimal("19.9"))) == 0)
        #expect(price.integerPart == BigInteger(19))
        #expect(Decimal("1.2.3") == nil && Decimal("") == nil && Decimal("1e") == nil && Decimal(" 1") == nil)
    }

    @Test func `a kept number behaves as Connect's class`() {
        #expect(JSONNumber(text: "19.90").asConnect == .float64(19.9))
        #expect(JSONNumber(text: "9223372036854775808").asConnect == .int64(.min))
        #expect(JSONNumber(text: "1e400").asConnect == .float64(.infinity))
    }
}

@Suite struct SchemaTests {
    @Test func `a struct checks what is put into it`() throws {
        var builder = SchemaBuilder(.structure, name: "shop.Order", version: 2)
        try builder.add("id", .required(.int64))
        try builder.add("total", .decimal(scale: 2, optional: true))
        #expect(throws: ConnectError(.schemaBuilder, "Cannot create field because of field name duplication id")) {
            try builder.add("id", .string)
        }
        let schema = builder.build()
        var order = try StructValue(schema)
        try order.set("id", .int64(7))
        #expect(throws: ConnectError.data("x is not a valid field name")) { try order.set("x", .null) }
        #expect(
            throws: ConnectError.data(
                "Invalid Java object for schema \"org.apache.kafka.connect.data.Decimal\" with type BYTES: "
                    + "class java.lang.Double for field: \"total\""
            )
        ) { try order.set("total", .float64(1)) }
        try order.set("total", .decimal(Decimal(unscaled: BigInteger(1999), scale: 2)))
        try order.validate()
        #expect(order.javaText == "Struct{id=7,total=19.99}")
        var json: [UInt8] = []
        try JSONWriter(decimals: .numeric).append(.structure(order), schema: schema, to: &json)
        #expect(String(decoding: json, as: UTF8.self) == #"{"id":7,"total":19.99}"#)
    }

    @Test func `equality is by content`() throws {
        #expect(Schema.optional(.string) == SchemaBuilder(.string, optional: true).build())
        #expect(Schema.optional(.string) != Schema.string)
        #expect(Schema.decimal(scale: 2) != Schema.decimal(scale: 3))
    }
}

@Suite struct JSONWriterTests {
    private func json(_ value: Value, _ writer: JSONWriter = JSONWriter()) throws -> String {
        var bytes: [UInt8] = []
        try writer.append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `values without schema`() throws {
        #expect(try json(.null) == "null")
        #expect(try json(.float64(1e10)) == "1.0E10")
        #expect(try json(.float64(.nan)) == #""NaN""#)
        #expect(try json(.int64(.min)) == "-9223372036854775808")
        #expect(try json(.bytes([0, 1, 255])) == #""AAH/""#)
        #expect(try json(.number(JSONNumber(text: "19.90"))) == "19.90")
        #expect(try json(.string("a\"\\\n\u{1}é/😀")) == #""a\"\\\n\u0001é/\uD83D\uDE00""#)
        #expect(
            try json(.object(["a": .array([.int8(1), .boolean(true)]), "b": .null])) == #"{"a":[1,true],"b":null}"#
        )
        #expect(try json(.map(MapValue([.init(key: .int32(1), value: .string("x"))]))) == #"[[1,"x"]]"#)
        #expect(throws: ConnectError.self) { try json(.date(0)) }
        #expect(try json(.date(5), JSONWriter(lenient: true)) == "5")
    }

    @Test func `base64 goes both ways`() {
        for count in 0..<20 {
            let bytes = (0..<count).map { UInt8($0 * 37 & 255) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
        }
        #expect(Base64.decode("AAH".utf8) == nil)
        #expect(Base64.decode("A=H/".utf8) == nil)
    }
}

@Suite struct CivilTimeTests {
    @Test func `dates follow Java's calendar`() {
        #expect(Value.date(1_641_600_000_000).javaText == "Sat Jan 08 00:00:00 UTC 2022")
        #expect(Value.date(-1).javaText == "Wed Dec 31 23:59:59 UTC 1969")
        let before = CivilTime(milliseconds: -12_219_292_800_001)
        #expect((before.year, before.month, before.day) == (1582, 10, 4))
        let after = CivilTime(milliseconds: -12_219_292_800_000)
        #expect((after.year, after.month, after.day) == (1582, 10, 15))
        for day in stride(from: Int64(-1_000_000), to: 3_000_000, by: 997) {
            let date = CivilTime.date(ofDay: day)
            #expect(CivilTime.day(year: date.year, month: Int64(date.month), day: Int64(date.day)) == day)
        }
        #expect(CivilTime.day(year: 2023, month: 13, day: 1) == CivilTime.day(year: 2024, month: 1, day: 1))
    }
}

@Suite struct JavaDateFormatTests {
    @Test(
        arguments: [
            ("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2023-11-14T22:13:20.123Z", 1_700_000_000_123),
            ("EEE, d MMM yyyy HH:mm:ss Z", "Tue, 14 Nov 2023 22:13:20 +0000", 1_700_000_000_000),
            ("h:mm a", "10:13 PM", 79_980_000), ("YYYY-'W'ww-u", "2023-W46-2", 1_699_920_000_000),
            ("yyyy-DDD", "2023-318", 1_699_920_000_000), ("dd/MM/yy", "14/11/23", 1_699_920_000_000),
            ("yyyyMMddHHmmssSSS", "20231114221320123", 1_700_000_000_123),
        ] as [(String, String, Int64)]
    )
    func `moments go both ways`(pattern: String, text: String, milliseconds: Int64) throws {
        let format = try JavaDateFormat(pattern)
        #expect(format.text(milliseconds) == text)
        #expect(format.milliseconds(text) == milliseconds)
    }

    @Test(
        arguments: [
            ("yyyy-MM-dd", "2023-02-31", 1_677_801_600_000), ("yyyy-MM-dd", "2023-13-01", 1_704_067_200_000),
            ("yyyy-MM-dd", " 2023-11-14 and more", 1_699_920_000_000), ("yyyyMMdd", "19471 224", -706_579_200_000),
            ("yyyy-MM-dd'T'HH:mm:ssXXX", "2023-11-14T22:13:20+02:00", 1_699_992_800_000),
            ("yyyy-MM-dd", "yesterday", nil), ("yyyy-MM-dd", "2023-11", nil), ("h:mm a", "1:05  PM", nil),
        ] as [(String, String, Int64?)]
    )
    func `reading is as lenient as Java's`(pattern: String, text: String, milliseconds: Int64?) throws {
        #expect(try JavaDateFormat(pattern).milliseconds(text) == milliseconds)
    }

    @Test func `broken patterns are refused`() {
        #expect(throws: ConnectError(.illegalArgument, "Illegal pattern character 'b'")) {
            try JavaDateFormat("yyyy-bb")
        }
        #expect(throws: ConnectError(.illegalArgument, "Unterminated quote")) { try JavaDateFormat("yyyy 'at") }
    }
}
