import Testing

/// Words that do not belong into the repository.
@Suite struct WordTests {
    @Test func noLooseEnds() {
        let words = ["TODO", "FIXME", "XXX:", "HACK:"]
        expectNone(SourceTree.files.flatMap { $0.places(of: words, in: true) }, "no loose ends in the code")
    }

    @Test func nothingThatTrapsOnOperatingErrors() {
        let words = ["fatalError(", "try!", " as! ", ".unsafelyUnwrapped"]
        let problems = SourceTree.files.filter(\.isSource).flatMap { $0.places(of: words) }
        expectNone(problems, "operating errors are thrown, programmers' errors are preconditions with words")
    }

    @Test func noFoundationInSources() {
        let problems = SourceTree.files.filter(\.isSource).flatMap { file in
            file.code.filter { $0.text.split(separator: " ").suffix(2) == ["import", "Foundation"] }
                .map { "\(file.path):\($0.number)" }
        }
        expectNone(problems, "FoundationEssentials, not Foundation")
    }

    @Test func uncheckedSendableOnlyInClients() {
        let clients = LayeringTests.clients.union(["HTTPServer", "Blocking"])
        let problems = SourceTree.files.filter { $0.isSource && !clients.contains($0.module) }
            .flatMap { $0.places(of: ["@unchecked Sendable"]) }
        expectNone(problems, "only a client of a C library may vouch for itself")
    }

    @Test func noPlacesOfOneMachine() {
        let words = ["/work/", "/home/", "/root/", "/Users/"]
        let folders = ["connectors", "config", "Docs", "Examples", "Benchmarks"]
        let texts = folders.flatMap(SourceTree.paths).filter { path in
            [".md", ".json", ".properties", ".yml", ".yaml", ".sh", ".swift"].contains { path.hasSuffix($0) }
                && !path.contains("/.build/")
        }
        let others = (texts + ["README.md", "CONTRIBUTING.md", "Makefile", "Package.swift", ".ci/run"]).flatMap {
            path in
            SourceTree.text(of: path).map { text in
                SourceFile(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
                    .places(of: words, in: true)
            } ?? []
        }
        expectNone(SourceTree.files.flatMap { $0.places(of: words, in: true) } + others, "no paths of one machine")
    }

    @Test func connectorsHaveTheirReadMe() {
        let problems = LayeringTests.connectors.sorted().compactMap { name -> String? in
            let folder = "Sources/Connectors/\(name)"
            let page = SourceTree.text(of: "\(folder)/README.md") ?? ""
            if !page.hasPrefix("# ") { return "\(folder)/README.md does not start with a title" }
            // A connector that is still empty has nothing to tell.
            let code = SourceTree.files.filter { $0.module == name && $0.isSource }.map(\.lines.count).reduce(0, +)
            let length = page.split(separator: "\n").count
            return code > 20 && length < 10 ? "\(folder)/README.md has \(length) lines" : nil
        }
        expectNone(problems, "a connector tells how to use it, what goes wrong, and what it guarantees")
    }
}
