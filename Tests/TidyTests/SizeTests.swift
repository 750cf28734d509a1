import Testing

/// What is too long has more than one subject.
@Suite struct SizeTests {
    static let fileMax = 400
    static let functionMax = 70
    static let suiteMax = 600

    @Test func files() {
        let problems = SourceTree.files.compactMap { file in
            let count = file.lines.count - 1  // the last line break ends a line
            return count > Self.fileMax ? "\(file.path): \(count) lines" : nil
        }
        expectNone(problems, "a file has at most \(Self.fileMax) lines")
    }

    @Test func functions() {
        let problems = SourceTree.files.flatMap { file in
            bodies(in: file, where: startsFunction).filter { $0.length > Self.functionMax }
                .map { "\(file.path):\($0.line): \($0.length) lines" }
        }
        expectNone(problems, "a function has at most \(Self.functionMax) lines")
    }

    @Test func suites() {
        var lengths: [String: Int] = [:]
        let tests = SourceTree.files.filter { !$0.isSource }
        for file in tests {
            for body in bodies(in: file, where: { $0.contains("@Suite") || $0.hasPrefix("extension ") }) {
                let words = file.lines[body.line - 1].split { !($0.isLetter || $0.isNumber || $0 == "_") }
                guard let at = words.firstIndex(where: { ["struct", "class", "enum", "extension"].contains($0) }),
                    at + 1 < words.count
                else { continue }
                lengths["\(file.module).\(words[at + 1])", default: 0] += body.length
            }
        }
        let problems = lengths.filter { $0.value > Self.suiteMax }.map { "\($0.key): \($0.value) lines" }
        expectNone(problems.sorted(), "a suite has at most \(Self.suiteMax) lines, its extensions counted")
    }

    @Test func theMeasureItself() {
        let text = """
            struct A {
                func one() { two() }
                func three(
                    a: Int
                ) {
                    if a { b() }
                }
                init() throws {
                    x = "}"
                }
                var initial = 1
            }
            """
        let file = SourceFile(path: "Sources/A/A.swift", lines: text.split(separator: "\n"))
        #expect(bodies(in: file, where: startsFunction).map(\.length) == [1, 5, 3])
    }

    private func startsFunction(_ line: Substring) -> Bool {
        let words = line.split(separator: " ", maxSplits: 8)
        guard
            let at = words.firstIndex(where: { word in
                word == "func" || word.hasPrefix("init(") || word.hasPrefix("init?(") || word.hasPrefix("init<")
                    || word == "deinit" || word.hasPrefix("subscript(")
            })
        else { return false }
        // Everything before the word is an attribute or a modifier, so it is a declaration and no call.
        return words[..<at].allSatisfy { word in
            word.hasPrefix("@") || word.last == ")"
                || [
                    "public", "private", "fileprivate", "internal", "package",
                    "static", "mutating", "consuming", "borrowing", "nonisolated", "override", "final", "convenience",
                    "required", "isolated", "class", "async",
                ].contains(String(word))
        }
    }

    /// From a line that starts a declaration to the brace that closes it: the formatter gives both the same indent.
    private func bodies(in file: SourceFile, where starts: (Substring) -> Bool) -> [(line: Int, length: Int)] {
        var found: [(line: Int, length: Int)] = []
        for (index, line) in file.lines.enumerated() {
            let indent = line.prefix { $0 == " " }
            let text = line.dropFirst(indent.count)
            guard !text.hasPrefix("//"), starts(text) else { continue }
            if text.hasSuffix("}") {
                found.append((index + 1, 1))
                continue
            }
            for (offset, later) in file.lines[(index + 1)...].enumerated() {
                let depth = later.prefix { $0 == " " }.count
                if later.dropFirst(depth).isEmpty || depth > indent.count || later.hasPrefix("#") { continue }
                if depth < indent.count { break }
                guard later.dropFirst(depth).hasPrefix("}") else { continue }
                found.append((index + 1, offset + 2))
                break
            }
        }
        return found
    }
}
