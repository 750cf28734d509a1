internal import FoundationEssentials

/// A parser with good inputs, for everything that feeds it bad ones: mutation tests and the fuzzers of `Fuzz/`.
public struct Probe: Sendable {
    /// The parser's name.
    public let name: String
    /// Good inputs, small ones.
    public let corpus: [[UInt8]]
    /// Reads an input as the product would, and looks at all that comes out.
    ///
    /// Whatever the input, it returns.
    public let read: @Sendable ([UInt8]) -> Void

    init(_ name: String, _ corpus: [String], more: [[UInt8]] = [], read: @escaping @Sendable ([UInt8]) -> Void) {
        (self.name, self.read) = (name, read)
        self.corpus = corpus.map { Array($0.utf8) } + more
    }
    init(text name: String, _ corpus: [String], read: @escaping @Sendable (String) -> Void) {
        self.init(name, corpus) { read(String(decoding: $0, as: UTF8.self)) }
    }

    /// Writes the good inputs as files into the folder that the environment's FUZZ_CORPUS names, for libFuzzer to start
    /// from; does nothing without it.
    public func writeCorpus() {
        guard let folder = ProcessInfo.processInfo.environment["FUZZ_CORPUS"] else { return }
        for (index, bytes) in corpus.enumerated() {
            let path = "\(folder)/good-\(index)"
            if !FileManager.default.fileExists(atPath: path) { try? Data(bytes).write(to: URL(filePath: path)) }
        }
    }

    /// All of them.
    public static let all = [
        xml, json, converters, questions, expressions, headerText, numbers, dates, properties,
    ]
    /// The one of a name.
    public static func named(_ name: String) -> Probe? { all.first { $0.name == name } }
}
