// swift-tools-version: 6.3
import Foundation
import PackageDescription

// One set of switches for every Swift target. Nothing is added per target except below.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// A C library of the system: `module.modulemap` and `shim.h`, of which nothing is compiled.
///
/// The shim may hold `static inline` doors to what Swift cannot see (variadic functions, macros).
func system(_ name: String, pkgConfig: String, apt package: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

/// Golden files and sample data lie in folders of these names beside the tests, which find them by `#filePath`.
func dataFolders(of folder: String) -> [String] {
    let root = Context.packageDirectory
    return ["Golden", "Data"].filter { FileManager.default.fileExists(atPath: "\(root)/\(folder)/\($0)") }
}

/// A target with its test target, `Tests/<name>Tests`; `testing` names what only the tests need.
func library(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    testing: [Target.Dependency] = []
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: house),
        .testTarget(
            name: "\(name)Tests",
            dependencies: [.byName(name: name), "ConnectTestKit"] + dependencies + testing,
            exclude: dataFolders(of: "Tests/\(name)Tests"),
            swiftSettings: house
        ),
    ]
}

/// One connector = one target, one folder, one test target, always the same shape.
func connector(
    _ name: String,
    uses dependencies: [Target.Dependency] = [],
    testing: [Target.Dependency] = []
) -> [Target] {
    let sdk: [Target.Dependency] = ["ConnectSDK", "ConnectModel", "ConnectConfig", "Lifecycle", "Logs", "Metrics"]
    return [
        .target(
            name: name,
            dependencies: sdk + dependencies,
            path: "Sources/Connectors/\(name)",
            exclude: ["README.md"],
            swiftSettings: house
        ),
        .testTarget(
            name: "\(name)Tests",
            dependencies: [.byName(name: name), "ConnectTestKit"] + sdk + dependencies + testing,
            path: "Tests/Connectors/\(name)Tests",
            exclude: dataFolders(of: "Tests/Connectors/\(name)Tests"),
            swiftSettings: house
        ),
    ]
}

let connectors: [Target] =
    connector("SupermarketSource", uses: ["XMLReading", "Compression", "FileAccess"])
    + connector("SchedulerFeedSource", uses: ["TransferClient", "JSONReading", "FileAccess"])
    + connector("PostgresSink", uses: ["PostgresClient", "JSONReading"])
    + connector("ElasticsearchSink", uses: ["TransferClient", "JSONReading", "Compression", "FileAccess"])
    + connector("FileSink", uses: ["Compression", "FileAccess"])
    + connector("FileStream", uses: ["FileAccess"])

let package = Package(
    name: "sluice",
    products: [
        .executable(name: "sluice", targets: ["sluice"]),
        .library(name: "KafkaClient", targets: ["KafkaClient"]),
        .library(name: "ConnectSDK", targets: ["ConnectSDK"]),
        .library(name: "ParserProbes", targets: ["ParserProbes"]),  // for Fuzz/
    ],
    dependencies: [],  // none, for good: the toolchain's modules and the C libraries of the system are all there is
    targets: [
        // L0  C libraries
        system("CRDKafka", pkgConfig: "rdkafka", apt: "librdkafka-dev"),
        system("CLibPQ", pkgConfig: "libpq", apt: "libpq-dev"),
        system("CLibCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        system("CLibXML2", pkgConfig: "libxml-2.0", apt: "libxml2-dev"),
        system("CMicroHTTPD", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
        system("CPCRE2", pkgConfig: "libpcre2-8", apt: "libpcre2-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        system("CYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        // glibc's malloc.h, which the toolchain's Glibc module leaves out
        .systemLibrary(name: "CMalloc", path: "Sources/C/CMalloc"),
        // The one C++ library: a C header over it, so that no Swift target sees C++.
        .target(
            name: "CSimdJSON",
            path: "Sources/C/CSimdJSON",
            cxxSettings: [.define("SIMDJSON_THREADS_ENABLED"), .unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("simdjson")]
        ),
        // test support
        .target(
            name: "ConnectTestKit",
            dependencies: ["ConnectSDK", "ConnectModel", "ConnectConfig", "Lifecycle", "Logs", "Metrics"],
            swiftSettings: house
        ),
        // entry points
        .executableTarget(
            name: "sluice",
            dependencies: [
                "SluiceCLI", "CommandGrammar", "ConnectRuntime", "ConnectREST", "ConnectorRegistry", "KafkaClient",
                "HTTPServer", "TransferClient", "Lifecycle", "Logs", "Metrics", "ConnectModel", "ConnectConfig",
                "ConnectSDK", "Transforms", "FileAccess", "JSONReading", "CMalloc",
            ],
            swiftSettings: house
        ),
        .testTarget(name: "TidyTests", swiftSettings: house),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "sluice", "ConnectAPI", "ConnectRuntime", "ConnectTestKit", "KafkaClient", "PostgresClient",
                "TransferClient", "ConnectModel", "Lifecycle", "Transforms", "JSONReading",
            ],
            exclude: dataFolders(of: "Tests/IntegrationTests"),
            swiftSettings: house
        ),
    ]
        // L1  values and pure Swift tools, no I/O but the log's standard error
        + library("ConnectModel")
        + library("ConnectConfig", ["ConnectModel"])
        + library("Lifecycle")
        + library("Logs")
        + library("Metrics")
        + library("Spelling")
        + library("CommandGrammar", ["Spelling"])
        // L2  what a connector author sees, and the threads that blocking calls live on
        + library("ConnectSDK", ["ConnectModel", "ConnectConfig", "Lifecycle", "Logs", "Metrics"])
        + library("Blocking")
        + library("Expressions", ["ConnectModel"])
        // L3  one Swift client per C library
        + library("KafkaClient", ["CRDKafka", "Blocking", "ConnectModel", "Lifecycle", "Logs"])
        + library("PostgresClient", ["CLibPQ", "Blocking", "Logs"])
        + library("TransferClient", ["CLibCurl", "Blocking", "Logs"])
        + library("XMLReading", ["CLibXML2"])
        + library("HTTPServer", ["CMicroHTTPD", "Blocking", "Lifecycle", "Logs"])
        + library("JSONReading", ["CSimdJSON", "ConnectModel"])
        + library("Patterns", ["CPCRE2"])
        + library("Compression", ["CZlib", "CZstd"])
        + library("FileAccess")
        + library("YAMLWriting", ["CYAML"])
        // L4  connectors, converters, transforms
        + connectors
        + library("Converters", ["ConnectSDK", "ConnectModel", "ConnectConfig", "JSONReading"])
        + library(
            "Transforms",
            ["ConnectSDK", "ConnectModel", "ConnectConfig", "JSONReading", "Patterns", "Expressions"],
            testing: ["Converters"]
        )
        // L5  the machine room
        + library(
            "ConnectRuntime",
            [
                "ConnectSDK", "ConnectModel", "ConnectConfig", "KafkaClient", "FileAccess", "Patterns", "Blocking",
                "Spelling",
                "Lifecycle", "Logs", "Metrics",
            ],
            testing: ["Converters"]
        )
        // L6  the outside
        + library("ConnectAPI", ["ConnectModel"])
        + library(
            "ConnectREST",
            [
                "ConnectAPI", "ConnectRuntime", "ConnectModel", "ConnectConfig", "HTTPServer", "Lifecycle", "Logs",
                "Metrics",
            ]
        )
        + library(
            "ConnectorRegistry",
            [
                "ConnectSDK", "Converters", "Transforms", "SupermarketSource", "SchedulerFeedSource", "PostgresSink",
                "ElasticsearchSink", "FileSink", "FileStream",
            ],
            testing: ["ConnectRuntime", "ConnectConfig"]
        )
        // what tests and Fuzz/ feed parsers with
        + library(
            "ParserProbes",
            [
                "ConnectSDK", "ConnectModel", "XMLReading", "JSONReading", "Converters", "Transforms", "Expressions",
                "ConnectConfig",
            ]
        )
        // L7  admin commands; connector commands speak HTTP only
        + library(
            "SluiceCLI",
            [
                "CommandGrammar", "ConnectAPI", "ConnectConfig", "ConnectModel", "KafkaClient", "TransferClient",
                "YAMLWriting",
                "Lifecycle", "Logs",
            ]
        ),
    cxxLanguageStandard: .cxx17
)
