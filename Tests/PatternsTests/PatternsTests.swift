import Testing

@testable import Patterns

@Suite struct PatternTests {
    @Test(arguments: [
        ("a|ab", "ab", true), ("a", "ab", false), ("", "", true), ("orders-.*", "orders-", true), (".", "ü", true),
        (".", "\n", false), (".", "\u{2028}", false), ("(?s).", "\n", true), (#"\u00fc"#, "ü", true),
        ("(?i)ABC", "abc", true),
        (#"\Q[a&&b](?U)\E"#, "[a&&b](?U)", true), (#"\p{Alpha}+"#, "abc", true), (#"[\p{Digit}_]+"#, "1_2", true),
        (#"\P{Digit}"#, "1", false), (#"\p{IsL}"#, "é", true), (#"\p{IsGreek}"#, "α", true), (#"\p{Lu}"#, "a", false),
        ("(?iu)Ä", "ä", true), ("(?u:a)", "a", true), (#"\d"#, "٣", false), ("[]a]", "]", true), (#"[\[a]"#, "[", true),
        ("(?<x>a)\\k<x>", "aa", true), ("a++b", "aab", true), ("(?=a)a", "a", true), (#"\x{1F600}"#, "😀", true),
        ("(?d-i)a", "a", true),
    ]) func wholeMatches(source: String, text: String, isMatch: Bool) throws {
        #expect(try Pattern(source).matches(text) == isMatch)
        #expect((try Pattern(source).wholeMatch(in: text) != nil) == isMatch)
    }

    @Test func findsWithGroups() throws {
        let pattern = try Pattern("(?<day>[0-9]+)-(x)?([a-zäü]+)")
        let match = try #require(try pattern.firstMatch(in: "on 31-mär, 1-a"))
        #expect(match[0] == "31-mär" && match[1] == "31" && match["day"] == "31" && match[3] == "mär")
        #expect(match[2] == nil && match[4] == nil && match[-1] == nil && match["none"] == nil)
        #expect(pattern.groupCount == 3 && pattern.groupNames == ["day": 1])
        #expect(try pattern.isFound(in: "1-a") && !pattern.isFound(in: "1-") && !pattern.matches("on 1-a"))
        #expect(try Pattern("A", ignoringCase: true).isFound(in: "bab"))
    }

    @Test(arguments: [
        ("a(", "pattern \"a(\": missing closing parenthesis, after \"a(\""),
        ("[a-z&&[aeiou]]", "pattern \"[a-z&&[aeiou]]\": class intersection with && is not supported"),
        ("[a[bc]]", "pattern \"[a[bc]]\": a class inside a class is not supported"),
        ("(?U)a", "pattern \"(?U)a\": the flag (?U) is not supported"),
        ("(*UTF)a", "pattern \"(*UTF)a\": a * with nothing before it is not supported"),
        (#"\u12"#, #"pattern "\u12": \u without four hexadecimal digits is not supported"#),
        (#"\p{javaLowerCase}"#, #"pattern "\p{javaLowerCase}": \p{javaLowerCase} is not supported"#),
        ("a\\", "pattern \"a\\\": a backslash at the end is not supported"),
    ]) func refused(source: String, text: String) {
        let error = #expect(throws: PatternError.self) { try Pattern(source) }
        #expect(error?.code == .syntax && error?.description == text)
    }
    @Test(arguments: ["*a", "a**", "[a", "(?<n>a", ")", "a{2,1}", #"\p{Nope}"#]) func wrong(source: String) {
        #expect(throws: PatternError.self) { try Pattern(source) }
    }

    @Test func catastrophicBacktrackingIsGivenUp() throws {
        let pattern = try Pattern("(x+x+)+y")
        let error = #expect(throws: PatternError.self) {
            try pattern.isFound(in: String(repeating: "x", count: 60) + "-y")
        }
        #expect(error?.code == .tooHard)
        #expect(error?.description.contains("(x+x+)+y") == true && error?.description.contains("xxxx") == false)
    }
    @Test func longTextsAreNoTrouble() throws {
        let text = String(repeating: "ab ", count: 100_000)
        #expect(try Pattern("(?:ab )*").matches(text))
        // Java overflows its stack here; we may give up, in words.
        do { #expect(try Pattern("(a|b| )*").matches(text)) } catch { #expect(error.code == .tooHard) }
    }

    @Test func cachedAndShared() async throws {
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for n in 0..<200 {
                        let pattern = try? Pattern.cached("t([0-9]+)-\(n % 5)")
                        #expect((try? pattern?.firstMatch(in: "t\(task)-\(n % 5)")?[1]) == "\(task)")
                    }
                }
            }
        }
        for n in 0..<600 { #expect(try Pattern.cached("c\(n)").matches("c\(n)")) }
    }
}

@Suite struct ReplacementTests {
    func replaced(_ source: String, _ replacement: String, _ text: String, all: Bool = false) throws -> String {
        let pattern = try Pattern(source)
        let made = try Replacement(replacement, for: pattern)
        return try all ? pattern.replacingAll(in: text, with: made) : pattern.replacingFirst(in: text, with: made)
    }

    @Test(arguments: [
        ("(.*)-dev", "$1", "orders-dev", "orders"), ("(?<n>.*)-(dev)", "$2.${n}", "orders-dev", "dev.orders"),
        ("a|ab", "x", "ab", "xb"), ("(a)(b)?", "[$1$2]", "a", "[a]"), ("(a)", "$12", "a", "a2"),
        ("b", #"\$1\\"#, "abc", #"a$1\c"#),
        ("z", "x", "abc", "abc"), ("^", "p-", "abc", "p-abc"), ("(ü)", "$1$1", "aüb", "aüüb"),
        ("$", ".end", "a", "a.end"),
        ("b", "", "abc", "ac"), ("(.*)", "pre_$0", "x", "pre_x"),
    ]) func first(source: String, replacement: String, text: String, result: String) throws {
        #expect(try replaced(source, replacement, text) == result)
    }
    @Test(arguments: [
        ("x*", "-", "abc", "-a-b-c-"), ("a*", "-", "aab", "--b-"), ("a", "b", "banana", "bbnbnb"),
        ("", "-", "üx", "-ü-x-"),
        ("(.*)", "<$1>", "x", "<x><>"), ("[0-9]+", "#", "a1b22", "a#b#"),
    ]) func all(source: String, replacement: String, text: String, result: String) throws {
        #expect(try replaced(source, replacement, text, all: true) == result)
    }
    @Test(arguments: [
        ("$2", "No group 2"), ("$", "Illegal group reference: group index is missing"),
        ("$x", "Illegal group reference"),
        ("${no}", "No group with name {no}"), ("${n", "named capturing group is missing trailing '}'"),
        ("${}", "named capturing group has 0 length name"), ("\\", "character to be escaped is missing"),
    ]) func errors(replacement: String, reason: String) throws {
        let pattern = try Pattern("(?<n>a)")
        let error = #expect(throws: PatternError.self) { try Replacement(replacement, for: pattern) }
        #expect(error?.description == "replacement \"\(replacement)\" for \"(?<n>a)\": \(reason)")
        #expect(error?.code == .replacement)
    }
}
