import ConnectConfig
import ConnectSDK
import FoundationEssentials
import Testing

@testable import ConnectRuntime

@Suite struct ValidationTests {
    private func validate(_ config: ConfigMap, _ worker: [String: String] = [:]) throws -> ValidationResult {
        let descriptor = try #require(Fixture.plugins.connector(named: config["connector.class"] ?? ""))
        return try ConnectorCheck.run(
            config,
            of: descriptor,
            plugins: Fixture.plugins,
            worker: try WorkerConfig(worker)
        )
    }
    private let sink: ConfigMap = ["name": "s", "connector.class": "FileStreamSink", "topics": "t"]

    @Test func `unknown keys warn with a guess, or are errors when the worker says so`() throws {
        var config = sink
        config.set("tasks.mx", "1")
        let result = try validate(config)
        #expect(result.errorCount == 0)
        #expect(
            result.warnings.map(\.message) == [
                "Unknown configuration tasks.mx of FileStreamSink. Did you mean tasks.max?"
            ]
        )
        #expect(try validate(config, ["config.unknown.keys": "error"]).issues.map(\.key) == ["tasks.mx"])
    }
    @Test func `client overrides obey the worker's policy`() throws {
        var config = sink
        config.set("consumer.override.fetch.min.bytes", "1")
        #expect(try validate(config).errorCount == 0)
        #expect(try validate(config, ["connector.client.config.override.policy": "None"]).errorCount == 1)
    }
    @Test func `sources know the keys of dead letter queues`() throws {
        let source: ConfigMap = [
            "name": "s", "connector.class": "FileStreamSource", "topic": "t", "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": "d", "errors.deadletterqueue.topic.replication.factor": "x",
        ]
        let result = try validate(source)
        #expect(result.warnings.isEmpty)
        #expect(result.issues.map(\.key) == ["errors.deadletterqueue.topic.replication.factor"])
    }
    @Test func `passwords are shown to nobody, references are`() throws {
        var config = sink
        config.set("secret", "hush")
        config.set("consumer.override.sasl.jaas.config", "x password=y")
        let result = try validate(config)
        #expect(result.keys.first { $0.definition.name == "secret" }?.value == "[hidden]")
        let shown = Masking.mask(config, definitions: Masking.definitions(for: config, plugins: Fixture.plugins))
        #expect(shown["secret"] == "[hidden]")
        #expect(shown["consumer.override.sasl.jaas.config"] == "[hidden]")
        #expect(Masking.restore(shown, from: config) == config)
        config.set("secret", "${env:SECRET}")
        let again = Masking.mask(config, definitions: Masking.definitions(for: config, plugins: Fixture.plugins))
        #expect(again["secret"] == "${env:SECRET}")
    }
    @Test func `groups and their order are Kafka Connect's`() throws {
        let result = try validate(["name": "a", "connector.class": "FileStreamSource", "topic": "t"])
        #expect(
            result.groups == [
                "Common", "Transforms", "Predicates", "Error Handling", "Topic Creation", "Exactly Once Support",
                "offsets.topic",
            ]
        )
        let places = result.keys.prefix(5).map { "\($0.definition.name) \($0.definition.orderInGroup)" }
        #expect(
            places == [
                "name 1", "connector.class 2", "connector.plugin.version 3", "tasks.max 4", "tasks.max.enforce 5",
            ]
        )
    }
    @Test(arguments: [
        ("1.2.3", "1.2.3", true), ("[1.0,2.0)", "2.0", false), ("[1.0,2.0]", "2.0", true), ("(1.0,)", "1.0", false),
        ("[,1.10]", "1.9", true), ("[1,2],[3,4)", "3.5", true), ("latest", "0", true), ("1.0", "1.0-rc1", false),
    ])
    func `version ranges are Maven's`(range: String, version: String, isIn: Bool) throws {
        #expect(try VersionRange(requirement: range).contains(version) == isIn)
    }
    @Test(arguments: [
        ("[1,", "Unbounded range: [1,"), ("(1)", "Single version must be surrounded by []: (1)"),
        ("[5,4]", "Range defies version ordering: [5,4]"),
    ])
    func `malformed version ranges are told as Maven tells them`(range: String, message: String) {
        #expect(throws: VersionRange.Malformed.self) { try VersionRange(requirement: range) }
        do { _ = try VersionRange(requirement: range) } catch { #expect(error.message == message) }
    }
}

/// The checks of a real Kafka Connect that need no converters or transforms, if they are beside the repository.
@Suite(.enabled(if: GoldenTopics.isHere, "no recorded checks beside the repository"))
struct GoldenValidationTests {
    struct Case: Decodable, Sendable {
        var id: String
        var plugin: String
        var config: [String: String?]
        var errors: [String: [String]]?
        var prefixes: [String: [String?]]?
    }
    static func cases() throws -> [Case] {
        let folder = try #require(GoldenTopics.folder)
        let path = folder.replacing("golden-topics", with: "golden-transforms") + "/config-validation.jsonl"
        return try String(contentsOf: URL(filePath: path), encoding: .utf8).split(separator: "\n").compactMap { line in
            let found = try JSONDecoder().decode(Case.self, from: Data(line.utf8))
            let needsPlugins = found.config.keys.contains {
                $0.contains("converter") || $0.contains("transforms.") || $0.contains("predicates.")
            }
            return found.plugin.contains("FileStream") && !needsPlugins && found.errors != nil ? found : nil
        }
    }
    /// Kept apart on purpose: Kafka Connect's file connectors alone take versions of this kind.
    private let different: Set<String> = ["source-exactly-once-required"]

    @Test func `errors are Kafka Connect's, word for word`() throws {
        let cases = try Self.cases()
        #expect(cases.count > 50)
        for one in cases where !different.contains(one.id) {
            var config = ConfigMap()
            for key in one.config.keys.sorted() { config.set(key, one.config[key] ?? nil) }
            let descriptor = try #require(Fixture.plugins.connector(named: one.plugin))
            let result = try ConnectorCheck.run(
                config,
                of: descriptor,
                plugins: Fixture.plugins,
                worker: try WorkerConfig()
            )
            var found: [String: [String]] = [:]
            for key in result.keys where !key.errors.isEmpty { found[key.definition.name] = key.errors }
            for (key, messages) in one.errors ?? [:] {
                let starts = one.prefixes?[key] ?? []
                for (index, message) in messages.enumerated() {
                    let start = index < starts.count ? starts[index] : nil
                    let isMatch = found[key].map { found in
                        index < found.count && (start.map { found[index].hasPrefix($0) } ?? (found[index] == message))
                    }
                    #expect(isMatch == true, "\(one.id): \(key): wanted \(message), found \(found[key] ?? [])")
                }
                #expect(found[key]?.count == messages.count, "\(one.id): \(key): found \(found[key] ?? [])")
            }
            #expect(Set(found.keys) == Set((one.errors ?? [:]).keys), "\(one.id)")
        }
    }
    @Test func `definitions are Kafka Connect's but for the words`() throws {
        struct Plugin: Decodable { var plugin: String, keys: [Key] }
        struct Key: Decodable {
            var name: String, type: String, required: Bool, importance: String, group: String?, order: Int,
                width: String
            var displayName: String, defaultText: String?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let folder = try #require(GoldenTopics.folder)
        let path = folder.replacing("golden-topics", with: "golden-transforms") + "/plugin-definitions.jsonl"
        for line in try String(contentsOf: URL(filePath: path), encoding: .utf8).split(separator: "\n") {
            guard line.contains("ConnectorConfig\"") else { continue }
            let plugin = try decoder.decode(Plugin.self, from: Data(line.utf8))
            let ours =
                plugin.plugin.hasSuffix("SourceConnectorConfig")
                ? SourceConnectorKeys.all
                : plugin.plugin.hasSuffix("SinkConnectorConfig") ? SinkConnectorKeys.all : ConnectorKeys.all
            #expect(ours.map(\.name) == plugin.keys.map(\.name))
            for (mine, key) in zip(ours, plugin.keys) {
                let found =
                    "\(mine.type.rawValue) \(mine.isRequired) \(mine.importance.rawValue) \(mine.group ?? "") "
                    + "\(mine.orderInGroup) \(mine.width.rawValue) \(mine.displayName) \(mine.defaultText ?? "-")"
                let wanted =
                    "\(key.type) \(key.required) \(key.importance) \(key.group ?? "") \(key.order) \(key.width) "
                    + "\(key.displayName) \(key.defaultText ?? "-")"
                #expect(found == wanted, "\(key.name)")
            }
        }
    }
}
