import ConnectModel
import ConnectTestKit
import Testing

@testable import Transforms

@Suite(.timeLimit(.minutes(1))) struct FuzzTests {
    static func path(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        for syntax in FieldPath.Syntax.allCases { _ = try? FieldPath(text, syntax).value(in: MapValue()) }
    }

    @Test func `no path crashes field paths`() async {
        let result = await #expect(processExitsWith: .success) {
            let paths = ["a.b.c", "`a.b`.c", "a.`b\\`.c`", "`", "a..b", ".", "a.b."].map { Array($0.utf8) }
            Fuzzing.run("field paths", corpus: paths, inputs: 10_000, FuzzTests.path)
        }
        Fuzzing.check("field paths", result)
    }
}
