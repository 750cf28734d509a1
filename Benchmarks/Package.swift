// swift-tools-version: 6.3
import PackageDescription

// A package of its own, so that `swift build` of the product never pays for it. Build with `-c release`.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "sluice", path: "..")],
    targets: [
        .executableTarget(
            name: "kafka-bench",
            dependencies: [.product(name: "KafkaClient", package: "sluice")],
            swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]
        )
    ]
)
