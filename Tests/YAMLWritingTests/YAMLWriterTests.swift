import Testing
import YAMLWriting

@Suite struct YAMLWriterTests {
    @Test func `maps keep their order, lists and maps nest`() throws {
        let value = YAMLValue.map([
            .init("name", .text("orders")), .init("tasks", .list([.map([.init("id", .number("0"))]), .null])),
            .init("on", .boolean(true)), .init("none", .list([])),
        ])
        let text = try value.yamlText()
        #expect(text == "name: orders\ntasks:\n- id: 0\n- null\n\"on\": true\nnone: []\n")
    }

    @Test(arguments: [
        "1", "-1.5", "1e3", "0x1F", "true", "No", "null", "~", "", "2026-08-24", "12:30:00", "1_000", ".5",
    ]) func `a text that would read as something else is quoted`(text: String) throws {
        #expect(try YAMLValue.text(text).yamlText() == "\"\(text)\"\n")
    }

    @Test func `other texts stay bare, odd ones are quoted, lines stand in a block`() throws {
        #expect(try YAMLValue.text("localhost:9092").yamlText() == "localhost:9092\n")
        #expect(try YAMLValue.text("a: b").yamlText() == "'a: b'\n")
        #expect(try YAMLValue.text("חלב").yamlText() == "חלב\n")
        #expect(try YAMLValue.text("one\ntwo").yamlText() == "|-\n  one\n  two\n")
        #expect(try YAMLValue.text("tab\tand \u{7}").yamlText() == "\"tab\\tand \\a\"\n")
    }
}
