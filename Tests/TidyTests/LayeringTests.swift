import Foundation
import Testing

/// SwiftPM lets a target import what its dependencies import; these tests do not.
///
/// The table says who may import whom.
@Suite struct LayeringTests {
    /// Layer 1 and below, for those above it.
    static let basics: Set = ["ConnectModel", "ConnectConfig", "Lifecycle", "Logs", "Metrics"]
    static let connectors: Set<String> = Set(
        SourceTree.paths(below: "Sources/Connectors").compactMap { path in
            let parts = path.split(separator: "/")
            return parts.count > 3 ? String(parts[2]) : nil
        }
    )
    /// What connectors, converters and transforms stand on; the HTTP server is not for them.
    static let clients: Set = [
        "KafkaClient", "PostgresClient", "TransferClient", "XMLReading", "JSONReading", "Compression", "YAMLWriting",
        "Patterns", "FileAccess",
    ]
    static let clientBasics = basics.union(["Blocking"])

    static let allowed: [String: Set<String>] = {
        var allowed: [String: Set<String>] = [
            "ConnectModel": [], "ConnectConfig": ["ConnectModel"], "Lifecycle": [], "Logs": [], "Metrics": [],
            "Spelling": [], "CommandGrammar": ["Spelling"],
            "ConnectSDK": basics, "Blocking": [], "Expressions": ["ConnectModel"],
            "KafkaClient": clientBasics.union(["CRDKafka"]), "PostgresClient": clientBasics.union(["CLibPQ"]),
            "TransferClient": clientBasics.union(["CLibCurl"]), "XMLReading": clientBasics.union(["CLibXML2"]),
            "HTTPServer": clientBasics.union(["CMicroHTTPD"]), "JSONReading": clientBasics.union(["CSimdJSON"]),
            "Patterns": clientBasics.union(["CPCRE2"]), "Compression": clientBasics.union(["CZlib", "CZstd"]),
            "YAMLWriting": clientBasics.union(["CYAML"]), "FileAccess": clientBasics,
            "Converters": basics.union(["ConnectSDK"]).union(clients),
            "Transforms": basics.union(["ConnectSDK", "Expressions"]).union(clients),
            "ConnectRuntime": basics.union([
                "ConnectSDK", "KafkaClient", "FileAccess", "Patterns", "Blocking", "Spelling",
            ]),
            "ConnectAPI": ["ConnectModel"],
            // The SDK for the kinds of plugins that the runtime's answers are made of.
            "ConnectREST": basics.union(["ConnectRuntime", "ConnectAPI", "HTTPServer", "ConnectSDK"]),
            "ConnectorRegistry": basics.union(["ConnectSDK", "Converters", "Transforms"]).union(connectors),
            "SluiceCLI": basics.union(["ConnectAPI", "CommandGrammar", "TransferClient", "YAMLWriting", "KafkaClient"]),
        ]
        for connector in connectors { allowed[connector] = basics.union(["ConnectSDK"]).union(clients) }
        return allowed
    }()
    /// They compose or test, and import what they like of ours.
    static let unbound: Set = ["sluice", "ConnectTestKit", "ParserProbes"]
    static let toolchain: Set = [
        "Swift", "Synchronization", "Glibc", "Dispatch", "FoundationEssentials", "_Concurrency", "_StringProcessing",
    ]

    /// Target names of the C libraries and of ours.
    static var ours: Set<String> {
        let systems = SourceTree.paths(below: "Sources/C").compactMap { $0.split(separator: "/").dropFirst(2).first }
        return Set(allowed.keys).union(unbound).union(systems.map(String.init))
    }

    @Test func importsFollowTheTable() {
        var problems: [String] = []
        for file in SourceTree.files where file.isSource {
            for (number, name) in imports(of: file) {
                let place = "\(file.path):\(number): \(file.module) imports \(name)"
                if Self.toolchain.contains(name) {
                    if name == "FoundationEssentials", Self.layer1.contains(file.module) {
                        problems.append("\(place): layer 1 does without")
                    }
                } else if name == "Testing", file.module == "ConnectTestKit" {
                    continue
                } else if !Self.ours.contains(name) {
                    problems.append("\(place): not a module of the toolchain or of ours")
                } else if Self.unbound.contains(file.module) || name == file.module {
                    continue
                } else if let allowed = Self.allowed[file.module] {
                    if !allowed.contains(name) { problems.append("\(place): not in its row of the table") }
                } else {
                    problems.append("\(file.path): \(file.module) has no row in the table")
                }
            }
        }
        expectNone(problems, "who may import whom")
    }
    static let layer1: Set = [
        "ConnectModel", "ConnectConfig", "Lifecycle", "Logs", "Metrics", "Spelling", "CommandGrammar",
    ]

    @Test func nothingFromOutside() throws {
        let manifest = try #require(SourceTree.text(of: "Package.swift"))
        #expect(!manifest.contains(".package("), "the package has no dependency, for good")
        #expect(manifest.contains("dependencies: [],"))
    }

    @Test func theTableKnowsAllTargets() {
        let folders = Set(SourceTree.files.filter(\.isSource).map(\.module))
        #expect(folders.subtracting(Self.ours) == [], "targets without a row")
        #expect(Self.connectors.count >= 6, "the connectors' folder was not found")
    }

    /// Lines that import, whatever stands before and behind the word.
    private func imports(of file: SourceFile) -> [(line: Int, module: String)] {
        let modifiers: Set<Substring> = [
            "public", "internal", "package", "private", "fileprivate", "@testable", "@preconcurrency", "@_exported",
        ]
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
        return file.code.compactMap { number, text in
            var words = text.split(separator: " ")[...]
            while let first = words.first, modifiers.contains(first) { words = words.dropFirst() }
            guard words.popFirst() == "import" else { return nil }
            if let first = words.first, kinds.contains(first) { words = words.dropFirst() }
            return words.first.map { (number, String($0.split(separator: ".")[0])) }
        }
    }
}
