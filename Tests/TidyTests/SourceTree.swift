import Foundation
import Testing

/// One Swift file of the repository.
struct SourceFile {
    /// From the repository's root: `Sources/Logs/Logger.swift`.
    let path: String
    let lines: [Substring]

    var isSource: Bool { path.hasPrefix("Sources/") }
    /// The target: the folder below `Sources`, `Sources/Connectors` and so on.
    var module: String {
        let parts = path.split(separator: "/")
        return String(parts[1] == "Connectors" ? parts[2] : parts[1])
    }
    /// Lines with their numbers, without what follows `//`.
    var code: [(number: Int, text: Substring)] {
        lines.enumerated().map { index, line in
            (index + 1, line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line)
        }
    }
    /// `let url = "https://…"` counts as a comment above; that is good enough for the words looked for here.
    func places(of words: [String], in allLines: Bool = false) -> [String] {
        let lines = allLines ? self.lines.enumerated().map { ($0 + 1, $1) } : code.map { ($0.number, $0.text) }
        return lines.flatMap { number, text in
            words.filter { text.contains($0) }.map { "\(path):\(number): \($0)" }
        }
    }
}

/// The repository that this file belongs to.
enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All Swift files below `Sources` and `Tests`, except these tests, which name what they forbid.
    static let files: [SourceFile] = ["Sources", "Tests"].flatMap { folder in
        paths(below: folder).filter { $0.hasSuffix(".swift") && !$0.hasPrefix("Tests/TidyTests/") }.compactMap { path in
            text(of: path).map {
                SourceFile(path: path, lines: $0.split(separator: "\n", omittingEmptySubsequences: false))
            }
        }
    }
    /// Paths of all files below a folder, from the repository's root, sorted.
    static func paths(below folder: String) -> [String] {
        guard let found = FileManager.default.enumerator(atPath: root.appending(path: folder).path) else { return [] }
        return found.compactMap { $0 as? String }.map { "\(folder)/\($0)" }.sorted()
    }
    static func text(of path: String) -> String? {
        FileManager.default.contents(atPath: root.appending(path: path).path).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

/// Fails with all problems at once.
func expectNone(_ problems: [String], _ rule: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
    guard !problems.isEmpty else { return }
    Issue.record("\(rule)\n\(problems.joined(separator: "\n"))", sourceLocation: sourceLocation)
}
