// swift-tools-version: 6.3
import PackageDescription

// libFuzzer on every parser; a package of its own, so that `swift build` of the product never pays for it.
// `make fuzz` builds it with --sanitize=fuzzer, which brings each executable its main function.
let parsers = [
    "xml", "json", "converters", "questions", "expressions", "header-text", "numbers", "dates", "properties",
]
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "sluice", path: "..")],
    targets: parsers.map { name in
        .executableTarget(
            name: "fuzz-\(name)",
            dependencies: [.product(name: "ParserProbes", package: "sluice")],
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]
        )
    }
)
