internal import FoundationEssentials
public import Testing

/// Compares `text` with the file `Golden/<name>` beside the calling test; with `UPDATE_GOLDEN=1` in the environment the
/// file is rewritten instead.
///
/// ```swift
/// expectGolden(plan.statements.joined(separator: "\n"), "upsert.sql")
/// ```
public func expectGolden(
    _ text: String,
    _ name: String,
    testFile: String = #filePath,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let folder = testFile.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/Golden"
    let path = folder + "/" + name
    let files = FileManager.default
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
        do {
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: path))
        } catch { Issue.record("cannot write \(path): \(error)", sourceLocation: sourceLocation) }
        return
    }
    guard let data = files.contents(atPath: path) else {
        Issue.record("\(path) is missing; UPDATE_GOLDEN=1 writes it", sourceLocation: sourceLocation)
        return
    }
    let wanted = String(decoding: data, as: UTF8.self)
    guard wanted != text else { return }
    let (old, new) = (lines(of: wanted), lines(of: text))
    let at = zip(old, new).prefix { $0 == $1 }.count
    func line(_ lines: [Substring]) -> String { at < lines.count ? "\"\(lines[at])\"" : "the end" }
    Issue.record(
        "differs from Golden/\(name) in line \(at + 1): wanted \(line(old)), got \(line(new))\n--- got\n\(text)",
        sourceLocation: sourceLocation
    )
}

private func lines(of text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
