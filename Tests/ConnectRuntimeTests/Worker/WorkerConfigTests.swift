import ConnectConfig
import Testing

@testable import ConnectRuntime

@Suite struct PropertiesFileTests {
    @Test func `Java's syntax is read`() throws {
        let text = """
            # comment
              ! another
            a=1
            b : two words
            c three
            long = one,\\
                   two
            escaped\\ key\\:x = tab\\there \\u05d0 \\\\ end
            empty
            a=last
            """
        let file = try PropertiesFile(text, name: "w.properties")
        #expect(
            file.values == [
                "a": "last", "b": "two words", "c": "three", "long": "one,two", "escaped key:x": "tab\there א \\ end",
                "empty": "",
            ]
        )
        #expect(file.entries.first { $0.key == "escaped key:x" }?.line == 8)
        #expect(file.duplicates.map(\.line) == [10])
    }
    @Test(arguments: [("a=1\n=2", 2), ("a=\\u00g1", 1), ("\n\nk=\\u12", 3)])
    func `what cannot be read is told with its line`(text: String, line: Int) {
        #expect {
            try PropertiesFile(text, name: "w.properties")
        } throws: { "\($0)".hasPrefix("w.properties:\(line): ") }
    }
}

@Suite struct WorkerConfigTests {
    @Test func `nothing set runs with Kafka Connect's usual names`() throws {
        let config = try WorkerConfig()
        #expect(config.bootstrapServers == "localhost:9092")
        #expect(config.groupID == "connect-cluster")
        #expect(config.configTopic == .init(name: "connect-configs", partitions: 1, replicationFactor: 0))
        #expect(config.offsetTopic == .init(name: "connect-offsets", partitions: 25, replicationFactor: 0))
        #expect(config.statusTopic == .init(name: "connect-status", partitions: 5, replicationFactor: 0))
        #expect(config.converters["value.converter"] == "org.apache.kafka.connect.json.JsonConverter")
        #expect(config.converters["value.converter.schemas.enable"] == "false")
        #expect(config.warnings.isEmpty)
    }
    @Test func `a named JSON converter keeps Kafka Connect's default`() throws {
        let config = try WorkerConfig(["value.converter": "org.apache.kafka.connect.json.JsonConverter"])
        #expect(config.converters["value.converter.schemas.enable"] == nil)
    }
    @Test(arguments: [
        ("CONNECT_KEY_CONVERTER_SCHEMAS_ENABLE", "key.converter.schemas.enable"), ("CONNECT_GROUP_ID", "group.id"),
        ("CONNECT_CONFIG_PROVIDERS_MY__ENV_CLASS", "config.providers.my_env.class"), ("CONNECT_A___B", "a-b"),
    ])
    func `variables of the images are properties`(variable: String, key: String) {
        #expect(WorkerSources.key(of: variable) == key)
    }
    @Test func `flag beats variable beats file, and KAFKA_BOOTSTRAP_SERVERS is the last resort`() throws {
        var sources = WorkerSources()
        sources.add(try PropertiesFile("group.id=file\noffset.flush.interval.ms=1", name: "w"))
        sources.add(environment: [
            "CONNECT_GROUP_ID": "variable", "CONNECT_OFFSET_FLUSH_INTERVAL_MS": "2", "KAFKA_BOOTSTRAP_SERVERS": "k:1",
            "KAFKA_BROKER": "k:2",
        ])
        sources.set("group.id", "flag", from: "--group-id")
        let config = try WorkerConfig(sources)
        #expect(config.groupID == "flag")
        #expect(config.offsetFlushInterval == .milliseconds(2))
        #expect(config.bootstrapServers == "k:1")
        var named = WorkerSources()
        named.set("bootstrap.servers", "n:1", from: "--bootstrap-servers")
        named.add(environment: ["KAFKA_BOOTSTRAP_SERVERS": "k:1"])
        #expect(try WorkerConfig(named).bootstrapServers == "n:1")
    }
    @Test func `every mistake is told at once, with its place`() throws {
        var sources = WorkerSources()
        sources.add(
            try PropertiesFile("offset.flush.timeout.ms=soon\n\nrest.advertised.port=99999", name: "w.properties")
        )
        #expect {
            try WorkerConfig(sources)
        } throws: { error in
            (error as? ConfigInvalid)?.issues.map(\.message) == [
                "Invalid value soon for configuration offset.flush.timeout.ms: Not a number of type LONG (w.properties:1)",
                "Invalid value 99999 for configuration rest.advertised.port: Value must be no more than 65535 "
                    + "(w.properties:3)",
            ]
        }
    }
    @Test func `unknown keys and keys without effect are told`() throws {
        let config = try WorkerConfig(["ofset.storage.topic": "x", "plugin.path": "/p", "producer.linger.ms": "5"])
        #expect(
            config.warnings.map(\.description) == [
                "ofset.storage.topic: is not a known worker property and has no effect. Did you mean offset.storage.topic?",
                "plugin.path: has no effect: connectors are built in",
            ]
        )
    }
    @Test func `client settings reach the clients of connectors`() throws {
        let config = try WorkerConfig([
            "security.protocol": "SASL_SSL", "producer.linger.ms": "7", "consumer.max.poll.records": "9",
            "admin.x": "1",
            "config.storage.min.insync.replicas": "2",
        ])
        #expect(config.clientSettings.common == ["security.protocol": "SASL_SSL"])
        #expect(config.clientSettings.producer == ["linger.ms": "7"])
        #expect(config.clientSettings.consumer == ["max.poll.records": "9", "session.timeout.ms": "10000"])
        let quick = try WorkerConfig(["session.timeout.ms": "6000", "consumer.session.timeout.ms": "45000"])
        #expect(quick.clientSettings.consumer["session.timeout.ms"] == "45000")
        #expect(config.configTopic.configs == ["min.insync.replicas": "2"])
    }
}

@Suite struct RESTSettingsTests {
    @Test(arguments: [
        ("http://:8083", "", 8083, false), ("HTTPS://h.example:8443/", "h.example", 8443, true),
        ("http://[::1]:80", "::1", 80, false),
    ])
    func `listeners are read`(text: String, host: String, port: Int, isSecure: Bool) {
        let listener = RESTSettings.Listener(text)
        #expect(listener?.host == host && listener?.port == port && listener?.isSecure == isSecure)
    }
    @Test(arguments: ["http://h", "h:80", "ftp://h:1", "http://h:99999", "http:80", ""])
    func `what is no listener is none`(text: String) { #expect(RESTSettings.Listener(text) == nil) }

    @Test func `the certificate and the users come from files, and hide`() throws {
        let folder = try TemporaryFolder()
        let pem = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n"
        try folder.write("server.pem", pem)
        try folder.write("users", "ada = pass word\nempty=\n")
        let config = try WorkerConfig([
            "listeners": "https://:8443,http://127.0.0.1:1", "ssl.keystore.type": "JKS",
            "listeners.https.ssl.keystore.location": folder.path + "/server.pem",
            "listeners.https.ssl.key.password": "geheim", "admin.listeners": "",
            "rest.basic.auth.credentials.file": folder.path + "/users", "rest.advertised.listener": "http",
        ])
        #expect(config.rest.listeners.map(\.scheme) == ["https", "http"] && config.rest.adminListeners == [])
        #expect(config.rest.certificate?.chain == pem && config.rest.advertisedScheme == "http")
        #expect(config.rest.users?.keys.sorted() == ["ada"])
        #expect(config.rest.users?["ada"]?.reveal { $0 == "pass word" } == true)
        #expect(!"\(config.rest)".contains("geheim") && !"\(config.rest)".contains("pass word"))
    }
    @Test func `what cannot be used names its key`() {
        func keys(_ raw: [String: String]) -> [String] {
            do throws(ConfigInvalid) { _ = try WorkerConfig(raw) } catch { return error.issues.map(\.key) }
            return []
        }
        #expect(keys(["listeners": "x"]) == ["listeners"])
        #expect(keys(["rest.advertised.listener": "https"]) == ["rest.advertised.listener"])
        let https = ["listeners": "https://:1"]
        #expect(keys(https) == ["listeners.https.ssl.keystore.location"])
        #expect(
            keys(https.merging(["listeners.https.ssl.keystore.certificate.chain": "x"]) { $1 })
                == ["listeners.https.ssl.keystore.key"]
        )
        #expect(
            keys(
                https.merging([
                    "listeners.https.ssl.client.auth": "required", "listeners.https.ssl.keystore.type": "PKCS12",
                ]) { $1 }
            ) == ["listeners.https.ssl.client.auth", "listeners.https.ssl.keystore.type"]
        )
    }
}

@Suite struct ConfigProviderTests {
    private func providers(
        _ raw: [String: String] = [:],
        names: [String] = ["env", "file", "dir"]
    ) throws -> ConfigProviders {
        try ConfigProviders(names: names, raw) { $0 == "PASSWORD" ? "s3cret" : nil }
    }
    @Test func `variables are put in, other texts stay`() throws {
        let resolved = try providers().resolve(["a": "x${env:PASSWORD}y", "b": "${vault:p:k}", "c": "${unclosed"])
        #expect(resolved == ["a": "xs3crety", "b": "${vault:p:k}", "c": "${unclosed"])
    }
    @Test func `files and directories are read`() throws {
        let folder = try TemporaryFolder()
        try folder.write("secrets.properties", "db.password=p:w\n")
        try folder.write("token", "abc")
        let resolved = try providers().resolve([
            "a": "${file:\(folder.path)/secrets.properties:db.password}", "b": "${dir:\(folder.path):token}",
        ])
        #expect(resolved == ["a": "p:w", "b": "abc"])
    }
    @Test func `what is missing or not allowed is an issue of its key`() throws {
        #expect {
            try providers().resolve(["a": "${env:NOPE}"])
        } throws: { error in
            (error as? ConfigInvalid)?.issues.map(\.key) == ["a"] && "\(error)".contains("NOPE is not set")
        }
        let strict = try providers([
            "config.providers.env.param.allowlist.pattern": "SAFE_.*",
            "config.providers.file.param.allowed.paths": "/safe",
        ])
        #expect { try strict.resolve(["a": "${env:PASSWORD}"]) } throws: { "\($0)".contains("not allowed") }
        #expect {
            try strict.resolve(["a": "${file:/safe/../etc/passwd:root}"])
        } throws: { "\($0)".contains("outside allowed.paths") }
    }
}

@Suite struct RestartMachineTests {
    @Test func `pauses double, a long life forgets, a limit ends it`() {
        var machine = RestartMachine(), random = FixedRandom()
        var rules = WorkerConfig.RestartRules()
        rules.attempts = 3
        func pause(_ time: Duration = .seconds(1)) -> Duration? {
            let decision = machine.failed(rules, ranFor: time, configKey: nil, using: &random)
            if case .restart(let pause, _) = decision { return pause }
            return nil
        }
        let first = pause(), second = pause()
        #expect(first.map { $0 > .seconds(8) && $0 < .seconds(12) } == true)
        #expect(second.map { $0 > .seconds(17) && $0 < .seconds(23) } == true)
        let third = pause(.seconds(601))
        #expect(third.map { $0 < .seconds(12) } == true)
        _ = (pause(), pause())
        let last = pause()
        #expect(last == nil)
    }
    @Test func `a connector's own rules count`() {
        let rules = WorkerConfig.RestartRules().overridden(by: [
            "errors.restart.policy": "never", "errors.restart.max.attempts": "-1",
        ])
        #expect(rules.mode == .never)
        #expect(rules.attempts == nil)
    }
}

struct FixedRandom: RandomNumberGenerator {
    mutating func next() -> UInt64 { 1 << 63 }
}
