import ConnectModel
import Testing

@testable import Expressions

/// Expressions of random shape: what holds for all of them, with the seed as the test's argument.
@Suite struct PropertyTests {
    private struct Random {
        var state: UInt64
        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        mutating func pick(_ choices: [String]) -> String { choices[next(choices.count)] }
    }
    private static let names = ["a", "b.c", "d[1]", "`e f`", "$topic", "$key.id"]

    private static func number(_ random: inout Random, _ depth: Int) -> String {
        if depth == 0 { return random.pick(["0", "1", "2.50", "1e3", "100000000000000000000", "a", "b.c"]) }
        return switch random.next(6) {
        case 0:
            "(\(number(&random, depth - 1)) \(random.pick(["+", "-", "*", "/", "%"])) \(number(&random, depth - 1)))"
        case 1: "-\(number(&random, depth - 1))"
        case 2: "round(\(number(&random, depth - 1)), \(random.next(5)))"
        case 3: "if(\(boolean(&random, depth - 1)), \(number(&random, depth - 1)), \(number(&random, depth - 1)))"
        case 4: "max(\(number(&random, depth - 1)), \(number(&random, depth - 1)))"
        default: "coalesce(\(random.pick(names)), \(number(&random, depth - 1)))"
        }
    }
    private static func boolean(_ random: inout Random, _ depth: Int) -> String {
        if depth == 0 { return random.pick(["true", "false", "a is null", "d[1] is not null"]) }
        return switch random.next(4) {
        case 0: "(\(boolean(&random, depth - 1)) \(random.pick(["and", "or"])) \(boolean(&random, depth - 1)))"
        case 1: "not \(boolean(&random, depth - 1))"
        case 2: "\(number(&random, depth - 1)) \(random.pick(["<", "<=", "=", "<>"])) \(number(&random, depth - 1))"
        default: "\(number(&random, depth - 1)) in (\(number(&random, depth - 1)), 1)"
        }
    }
    private static let operands: [Operand] = [
        .null, .boolean(true), .number(Decimal(0)), .number(Decimal(7)), .text(""), .text("7"), .other("list"),
    ]

    @Test(arguments: 0..<300 as Range<UInt64>) func `what is well formed is taken, and ends in a value or an error`(
        seed: UInt64
    ) throws {
        var random = Random(state: seed)
        for _ in 0..<10 {
            let text = random.next(2) == 0 ? Self.number(&random, 3) : Self.boolean(&random, 3)
            do {
                let expression = try Expression(text, roots: ["topic", "key"])
                let chosen = Self.operands[random.next(Self.operands.count)]
                let first = try? expression.evaluate { _ in chosen }
                let again = try? expression.evaluate { _ in chosen }
                #expect(first == again, "seed \(seed): \(text)")
                if let first, let kind = expression.kind { #expect(first == .null || first.kind == kind, "\(text)") }
            } catch {
                // The only mistake that the shapes above can make is a literal zero to divide by, or two kinds met.
                #expect(
                    error.reason.contains("zero") || error.reason.contains("kind"),
                    "seed \(seed): \(text): \(error)"
                )
            }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>) func `arithmetic agrees with whole numbers`(seed: UInt64) throws {
        var random = Random(state: seed)
        let a = random.next(2_000_000) - 1_000_000, b = random.next(2_000) - 1_000
        func value(_ text: String) throws -> Decimal? {
            guard case .number(let number) = try Expression(text, roots: ["topic", "key"]).evaluate({ _ in .null })
            else { return nil }
            return number
        }
        #expect(try value("\(a) + (\(b))")?.plainText == "\(a + b)")
        #expect(try value("\(a) - (\(b))")?.plainText == "\(a - b)")
        #expect(try value("\(a) * (\(b))")?.plainText == "\(a * b)")
        guard b != 0 else { return }
        #expect(try value("\(a) % (0 + \(b))")?.plainText == "\(a % b)")
        // A quotient times the divisor is the dividend again, to 34 digits.
        let back = try #require(try value("round(\(a) / (0 + \(b)) * \(b), 20)"))
        #expect(back.compare(to: Decimal(Int64(a))) == 0, "\(a) / \(b)")
        let order = try Expression("\(a)e-3 < \(b)").evaluate { _ in .null }
        #expect(order == .boolean(a < b * 1_000))
    }

    @Test(arguments: 0..<400 as Range<UInt64>) func `no text makes the parser crash`(seed: UInt64) {
        var random = Random(state: seed)
        let pieces = [
            "a", "1", ".", "..", "'", "\"", "`", "(", ")", "[", "]", ",", "+", "-", "*", "/", "<", "=", "!", "and",
            "not",
            "in", "is", "null", "?", ":", "$", "é", "\u{0}", "\u{1F600}", "1e", "e9", " ", "round(", "if(",
            "99999999999",
        ]
        for _ in 0..<20 {
            let text = (0..<random.next(30)).map { _ in pieces[random.next(pieces.count)] }.joined()
            _ = try? Expression(text, roots: ["topic"]).evaluate { _ in .null }
        }
    }
}
