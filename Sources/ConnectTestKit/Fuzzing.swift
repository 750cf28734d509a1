internal import FoundationEssentials
internal import Glibc
internal import Lifecycle
public import Testing

/// Feeds a parser with damaged versions of good inputs, in a child process, since a parser that traps takes its process along.
///
/// ```swift
/// let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
///     Fuzzing.run("json", corpus: [Array("[1]".utf8)]) { bytes in _ = try? JSONParser().parse(bytes) }
/// }
/// Fuzzing.check(result)
/// ```
/// Every input is made of its seed alone: `FUZZ_SEED=17` runs just that one, `FUZZ_INPUTS=100000` runs more of them.
public enum Fuzzing {
    /// Runs `body` on so many inputs; the seed of each stands on standard error before it is tried.
    public static func run(_ name: String, corpus: [[UInt8]], inputs: Int = 2_000, _ body: ([UInt8]) -> Void) {
        let mutator = Mutator(corpus: corpus)
        var seeds = 1...UInt64(number("FUZZ_INPUTS") ?? UInt64(inputs))
        if let seed = number("FUZZ_SEED") { seeds = seed...seed }
        for seed in seeds {
            let mark = Array("\(name): FUZZ_SEED=\(seed)\n".utf8)
            _ = unsafe mark.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
            body(mutator.input(seed: seed))
        }
    }
    /// Tells the seed at which the child process ended, if it did not come to its end.
    public static func check(_ result: ExitTest.Result?, sourceLocation: SourceLocation = #_sourceLocation) {
        guard let result, result.exitStatus != .exitCode(EXIT_SUCCESS) else { return }
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        let last = text.split(separator: "\n").last { $0.contains("FUZZ_SEED=") } ?? "no input was tried"
        Issue.record("the parser ended its process; replay with \(last)", sourceLocation: sourceLocation)
    }
    /// The bytes of the files of a folder that end so, at most `most` bytes of each.
    public static func files(in folder: String, ending suffix: String = "", most: Int = 4_096) -> [[UInt8]] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(suffix) }.sorted().compactMap { name in
            FileManager.default.contents(atPath: folder + "/" + name).map { Array($0.prefix(most)) }
        }
    }
    private static func number(_ variable: String) -> UInt64? {
        guard let text = unsafe getenv(variable) else { return nil }
        return UInt64(unsafe String(cString: text))
    }
}

/// Makes damaged inputs out of good ones.
public struct Mutator: Sendable {
    private let corpus: [[UInt8]]
    /// What parsers stumble over.
    private static let pieces: [[UInt8]] = [
        [0], [0xFF], [0xFE, 0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98, 0x80], [0x0D, 0x0A], [0x5C], [0x22],
        [0x27],
        [0x60], Array("{".utf8), Array("]".utf8), Array("<".utf8), Array(">".utf8), Array("&#0;".utf8),
        Array("-9223372036854775809".utf8), Array("1e999999999".utf8), Array("0.0000000000000001".utf8),
        Array("NaN".utf8),
        Array("\\u0000".utf8), Array("\\uD800".utf8), Array("null".utf8), Array("]]>".utf8), Array("<!--".utf8),
        Array("99999999999999999999999".utf8), Array("'".utf8), Array("..".utf8), Array("$".utf8),
    ]

    /// `corpus` are good inputs; an empty one counts as one empty input.
    public init(corpus: [[UInt8]]) { self.corpus = corpus.isEmpty ? [[]] : corpus }

    /// The input of a seed: one of the good ones with one to eight changes.
    public func input(seed: UInt64) -> [UInt8] {
        var random = SplitMix64(seed)
        var bytes = corpus[Int.random(in: 0..<corpus.count, using: &random)]
        for _ in 0..<Int.random(in: 1...8, using: &random) { change(&bytes, &random) }
        return bytes
    }
    private func change(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        func part(_ most: Int) -> Range<Int> {
            let start = Int.random(in: 0...bytes.count, using: &random)
            return start..<min(bytes.count, start + Int.random(in: 0...most, using: &random))
        }
        let place = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(part(16))
        case 3:
            let piece = Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
            bytes.insert(contentsOf: piece, at: place)
        case 4:
            let copied = bytes[part(64)]
            for _ in 0..<Int.random(in: 1...4, using: &random) { bytes.insert(contentsOf: copied, at: place) }
        case 5:  // the start of this one and the end of another
            let other = corpus[Int.random(in: 0..<corpus.count, using: &random)]
            bytes = bytes.prefix(place) + other.suffix(Int.random(in: 0...other.count, using: &random))
        default: bytes = Array(bytes.prefix(place))
        }
    }
}
