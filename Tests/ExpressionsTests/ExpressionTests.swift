import ConnectModel
import Testing

@testable import Expressions

@Suite struct ExpressionTests {
    private static let fields: [String: Operand] = [
        "current_price": .number(decimal("10.10")), "target_price": .number(decimal("10")), "name": .text("Milk 3%"),
        "shop.city": .text("Haifa"), "items[0].price": .number(decimal("1.5")), "flag": .boolean(true),
        "off": .boolean(false), "`odd name`": .number(decimal("7")), "list": .other("list"), "$topic": .text("prices"),
        "text_price": .text(" 12.90 "), "$key.id": .number(decimal("3")),
    ]
    private static func decimal(_ text: String) -> Decimal { Decimal(text) ?? Decimal(0) }
    private func value(_ text: String) throws -> String {
        let result = try Expression(text, roots: ["topic", "key"]).evaluate { Self.fields[$0.description] ?? .null }
        return switch result {
        case .null: "null"
        case .boolean(let flag): "\(flag)"
        case .number(let number): number.plainText
        case .text(let text): "'\(text)'"
        case .other(let kind): "<\(kind)>"
        }
    }

    @Test(arguments: [
        ("current_price <= target_price * 1.01", "true"), ("current_price <= target_price * 1.009", "false"),
        ("0.1 + 0.2", "0.3"), ("0.1 + 0.2 = 0.3", "true"), ("1.0 = 1.00", "true"), ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"), ("2 - 3 - 4", "-5"), ("-2 * -3", "6"), ("- 2 + 5", "3"), ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("7.5 % 2", "1.5"), ("10 / 4", "2.5"), ("1 / 3", "0.3333333333333333333333333333333333"),
        ("2 / 3", "0.6666666666666666666666666666666667"), ("-1 / 8", "-0.125"), ("6 / 2", "3"), ("1e3", "1000"),
        ("1.5e-2", "0.015"), (".5", "0.5"), ("0 / 5", "0"), ("1 / 1e30", "0.000000000000000000000000000001"),
        ("99999999999999999999 * 99999999999999999999", "9999999999999999999800000000000000000001"),
        ("99999999999999999998 / 2", "49999999999999999999"),
    ])
    func `arithmetic is exact`(text: String, wanted: String) throws { #expect(try value(text) == wanted) }

    @Test(arguments: [
        ("flag and off", "false"), ("flag or off", "true"), ("not flag", "false"), ("!off && flag", "true"),
        ("true or false and false", "true"), ("not false and false", "false"), ("not 1 = 2", "true"),
        ("1 < 2 and 2 < 3", "true"), ("'a' < 'b'", "true"), ("'Z' < 'a'", "true"), ("'' < 'a'", "true"),
        ("name = 'Milk 3%'", "true"), ("name <> \"Milk\"", "true"), ("name in ('a', 'Milk 3%')", "true"),
        ("name not in ('a', 'b')", "true"), ("2 in (1, 2.0)", "true"), ("flag = true", "true"),
        ("flag ? 'y' : 'n'", "'y'"), ("off ? 1 : off ? 2 : 3", "3"), ("if(flag, 1, 2) + 1", "2"),
        ("shop.city = 'Haifa'", "true"), ("items[0].price * 2", "3.0"), ("`odd name` + 1", "8"), ("$topic", "'prices'"),
        ("$key.id + 1", "4"), ("'it''s'", "'it's'"),
    ])
    func `comparisons, conditions and fields`(text: String, wanted: String) throws {
        #expect(try value(text) == wanted)
    }

    @Test(arguments: [
        ("missing", "null"), ("missing + 1", "null"), ("missing = missing", "null"), ("missing < 1", "null"),
        ("missing is null", "true"), ("name is not null", "true"), ("null and false", "false"),
        ("null and true", "null"),
        ("null or true", "true"), ("null or false", "null"), ("not null", "null"), ("missing ? 1 : 2", "2"),
        ("coalesce(missing, null, 5)", "5"), ("coalesce(missing)", "null"), ("missing in (1, 2)", "null"),
        ("1 in (2, null)", "null"), ("1 in (1, null)", "true"), ("lower(missing)", "null"), ("nullif(1, 1.0)", "null"),
        ("nullif(1, 2)", "1"), ("min(missing, 3, 2)", "2"), ("max(missing)", "null"),
        ("concat('a', missing, 1)", "'a1'"),
        ("list is not null", "true"), ("-missing", "null"), ("missing in ()", "false"),
    ])
    func `null is unknown, as in SQL`(text: String, wanted: String) throws { #expect(try value(text) == wanted) }

    @Test(arguments: [
        ("number(text_price) * 2", "25.80"), ("text(1.50)", "'1.50'"), ("boolean(' TRUE ')", "true"),
        ("number(true)", "1"), ("upper('aß')", "'ASS'"), ("lower(name)", "'milk 3%'"), ("trim('  a b ')", "'a b'"),
        ("length('héé')", "3"), ("substring('abcdef', 2, 3)", "'bcd'"), ("substring('abc', 0)", "'abc'"),
        ("substring('abc', 9)", "''"), ("substring('abc', 2, -1)", "''"), ("replace('a.b.c', '.', '--')", "'a--b--c'"),
        ("replace('aaa', 'aa', 'b')", "'ba'"), ("replace('a', '', 'b')", "'a'"), ("startsWith(name, 'Milk')", "true"),
        ("endsWith(name, '3%')", "true"), ("contains(name, 'lk 3')", "true"), ("contains(name, '')", "true"),
        ("round(2.345, 2)", "2.35"), ("round(-2.5)", "-3"), ("round(2.4)", "2"), ("round(1250, -2)", "1300"),
        ("floor(-1.5)", "-2"), ("ceil(-1.5)", "-1"), ("floor(1.5)", "1"), ("ceil(1.2)", "2"), ("abs(-3.5)", "3.5"),
        ("min(3, 1.5, 2)", "1.5"), ("max('a' = 'a' ? 1 : 0, 0)", "1"),
    ])
    func `functions`(text: String, wanted: String) throws { #expect(try value(text) == wanted) }

    @Test(arguments: [
        ("", 1, "expected a value, found the end"), ("1 +", 4, "expected a value, found the end"),
        ("1 2", 3, "expected an operator or the end, found a number"), ("(1", 3, "expected \")\", found the end"),
        ("'open", 1, "' is opened and never closed"), ("a ; b", 3, "\";\" has no meaning here"),
        ("1 + 'a'", 3, "+ needs a number, got text"), ("1 < 'a'", 3, "< compares values of one kind"),
        ("true < false", 6, "< compares two numbers or two texts"), ("not 5", 1, "not needs a boolean, got number"),
        ("1 / 0", 3, "divides by zero"), ("sqrt(2)", 1, "there is no function sqrt; there are abs, boolean"),
        ("round()", 1, "round takes 1 to 2 arguments, got 0"), ("lower(1)", 1, "lower needs a text, got number"),
        ("1 < 2 < 3", 7, "comparisons cannot be chained"), ("a.", 3, "expected a field's name"),
        ("a[x]", 3, "expected an element's number"), ("1a", 2, "a number cannot be followed by a letter"),
        ("a is b", 6, "expected null, found the name b"), ("$ x", 1, "a word must follow $"),
        ("1 + $key", 5, "there is no $key; there are $topic"),
        ("1e9999", 1, "more than 1000 digits"), ("flag ? 1", 9, "expected \":\""), ("'ä' + 1", 5, "+ needs a number"),
    ])
    func `mistakes are found when the text is read, with their place`(text: String, position: Int, reason: String) {
        do {
            _ = try Expression(text, roots: ["topic"])
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.position == position && error.reason.contains(reason), "\(error)")
        }
    }

    @Test(arguments: [
        ("name + 1", 6, "+ needs two numbers, got text and number"), ("flag < 1", 6, "got boolean and number"),
        ("1 / (current_price - 10.1)", 3, "divides by zero"), ("list = 1", 6, "got list and number"),
        ("lower(flag)", 1, "lower needs a text, got boolean"), ("number(name)", 1, "cannot read the text as a number"),
        ("name and true", 6, "and needs a boolean, got text"), ("-name", 1, "- needs a number, got text"),
        ("text(list)", 1, "cannot read a value of kind list"), ("1 % (target_price - 10)", 3, "divides by zero"),
    ])
    func `faults of values have a place and a kind and never a value`(text: String, position: Int, reason: String) {
        do {
            _ = try value(text)
            Issue.record("\(text) had a value")
        } catch let error as ExpressionError {
            #expect(error.position == position && error.reason.contains(reason), "\(error)")
            #expect(!error.reason.contains("Milk"))
        } catch { Issue.record("\(error)") }
    }

    @Test func `what is short-circuited is not computed`() throws {
        #expect(try value("off and 1 / (target_price - 10) > 0") == "false")
        #expect(try value("flag or number(name) > 0") == "true")
        #expect(try value("if(flag, 1, number(name))") == "1")
    }

    @Test func `work is bounded`() {
        #expect(throws: ExpressionError.self) { try Expression(String(repeating: "(", count: 200) + "1") }
        #expect(throws: ExpressionError.self) { try Expression(String(repeating: "- ", count: 200) + "1") }
        let row = Array(repeating: "1", count: 600).joined(separator: "+")
        #expect(throws: ExpressionError.self) { try Expression(row) }
        #expect(throws: ExpressionError.self) { try Expression(String(repeating: " ", count: 9_000)) }
        let power = (0..<12).reduce("9999999999") { text, _ in "(\(text)) * 9999999999" }
        #expect(throws: Never.self) { try value(power) }
        #expect(throws: ExpressionError.self) {
            try Expression("a * a").evaluate { _ in .number(Decimal(String(repeating: "9", count: 600)) ?? Decimal(0)) }
        }
        #expect(throws: ExpressionError.self) {
            try Expression("concat(a, a)").evaluate { _ in .text(String(repeating: "x", count: 600_000)) }
        }
    }

    @Test func `kind and fields are known before any record`() throws {
        #expect(try Expression("a < 1").kind == .boolean)
        #expect(try Expression("coalesce(a, 1)").kind == nil)
        #expect(try Expression("if(a, 1, 2)").kind == .number)
        #expect(try Expression("if(a, null, 'x')").kind == .text)
        #expect(
            try Expression("a.b[0] + $key.`x y` + a.b[0]", roots: ["key"]).fields.map(\.description) == [
                "a.b[0]", "$key.`x y`",
            ]
        )
    }
}
