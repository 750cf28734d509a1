import ConnectTestKit
import ParserProbes
import Testing

/// Every parser on thousands of damaged inputs, the same in every run; `make fuzz` looks further.
@Suite(.timeLimit(.minutes(1))) struct MutationTests {
    /// Recorded questions and sample files add to the probes' own inputs where they are.
    static func corpus(of probe: Probe) -> [[UInt8]] {
        let root = #filePath.split(separator: "/").dropLast(3).map(String.init)
        switch probe.name {
        case "xml":
            let folder = "/" + root.joined(separator: "/") + "/Tests/Connectors/SupermarketSourceTests/Data"
            return probe.corpus + Fuzzing.files(in: folder, ending: ".xml")
        case "questions":
            for depth in 1...2 {
                let folder = "/" + root.dropLast(depth).joined(separator: "/") + "/shared/specs/golden-transforms"
                let lines = Fuzzing.files(in: folder, ending: ".jsonl", most: 100_000).flatMap {
                    $0.split(separator: 10).dropLast()
                }
                if !lines.isEmpty { return probe.corpus + lines.map { Array($0) } }
            }
            return probe.corpus
        default: return probe.corpus
        }
    }

    @Test(arguments: Probe.all.map(\.name)) func `no damaged input crashes the parser`(name: String) async {
        let result = await #expect(processExitsWith: .success) {
            [name = name as String] in
            guard let probe = Probe.named(name) else { return }
            Fuzzing.run(name, corpus: MutationTests.corpus(of: probe), inputs: 3_000, probe.read)
        }
        Fuzzing.check(name, result)
    }
}
