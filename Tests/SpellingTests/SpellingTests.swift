import Testing

@testable import Spelling

@Suite struct SpellingTests {
    @Test(arguments: [
        ("worker", "worker", 0), ("", "abc", 3), ("abc", "", 3), ("wroker", "worker", 1), ("worke", "worker", 1),
        ("workers", "worker", 1), ("worxer", "worker", 1), ("kitten", "sitting", 3),
    ])
    func `edits are counted, a swap of neighbours as one`(a: String, b: String, wanted: Int) {
        #expect(Spelling.distance(Array(a), Array(b), within: 9) == wanted)
    }
    @Test func `the nearest word is found within the limit`() {
        let words = ["tasks.max", "topics", "topic"]
        #expect(Spelling.nearest(to: "TASKS.MX", among: words, within: 2) == "tasks.max")
        #expect(Spelling.nearest(to: "topicz", among: words, within: 2) == "topics")
        #expect(Spelling.nearest(to: "nothing", among: words, within: 2) == nil)
        #expect(Spelling.nearest(to: "x", among: [], within: 2) == nil)
    }
}
