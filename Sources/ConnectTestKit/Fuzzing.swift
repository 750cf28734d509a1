internal import FoundationEssentials
internal import Glibc
internal import Lifecycle
public import Testing

/// Feeds a parser with damaged versions of good inputs, in a child process, since a parser that traps takes its process along.
///
/// ```swift
/// let result = await #expect(processExitsWith: .success) {
///     Fuzzing.run("json", corpus: [Array("[1]".utf8)]) { bytes in _ = try? JSONParser().parse(bytes) }
/// }
/// Fuzzing.check("json", result)
/// ```
/// Every input is made of its seed alone: `FUZZ_SEED=17` runs just that one, `FUZZ_INPUTS=100000` runs more of them.
public enum Fuzzing {
    /// Runs `body` on so many inputs; the seed of each is noted for the parent process before it is tried.
    public static func run(_ name: String, corpus: [[UInt8]], inputs: Int = 2_000, _ body: ([UInt8]) -> Void) {
        let mutator = Mutator(corpus: corpus)
        var seeds = 1...UInt64(number("FUZZ_INPUTS") ?? UInt64(inputs))
        if let seed = number("FUZZ_SEED") { seeds = seed...seed }
        let notes = unsafe open(notes(name, of: getppid()), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        for seed in seeds {
            let mark = Array("\(seed)\n".utf8)
            _ = unsafe mark.withUnsafeBytes { unsafe pwrite(notes, $0.baseAddress, $0.count, 0) }
            body(mutator.input(seed: seed))
        }
        close(notes)
    }
    /// Tells the seed at which the child process ended, if it did not come to its end.
    public static func check(
        _ name: String,
        _ result: ExitTest.Result?,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let path = notes(name, of: getpid())
        let seed = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        try? FileManager.default.removeItem(atPath: path)
        guard result == nil else { return }
        let place = seed.split(separator: "\n").first.map { "replay with FUZZ_SEED=\($0)" } ?? "no input was tried"
        Issue.record("the parser of \(name) ended its process; \(place)", sourceLocation: sourceLocation)
    }
    private static func notes(_ name: String, of process: Int32) -> String {
        "\(FileManager.default.temporaryDirectory.path)/sluice-fuzz-\(process)-\(name.replacing(" ", with: "-"))"
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
