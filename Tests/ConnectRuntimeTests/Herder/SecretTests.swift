import ConnectConfig
import ConnectModel
import ConnectSDK
import Testing

@testable import ConnectRuntime

/// Values from config providers: looked up when a task starts, and again while it runs.
@Suite(.timeLimit(.minutes(1))) struct SecretTests {
    private func config(_ secret: String, _ more: ConfigMap = [:]) -> ConfigMap {
        let base: ConfigMap = ["connector.class": "FileStreamSource", "topic": "lines", "secret": secret]
        return base.merging(more)
    }

    @Test func `a value that changes starts the tasks anew, one that is away does not`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("token", "first")
        let reference = "${dir:\(folder.path):token}"
        try await Fixture().run { fixture in
            _ = try await fixture.herder.create("a", config(reference), initialState: nil)
            _ = try await fixture.herder.create(
                "b",
                config(reference, ["config.action.reload": "none"]),
                initialState: nil
            )
            _ = try await fixture.herder.create("c", config("plain"), initialState: nil)
            await fixture.until("a") { fixture.running == 3 }
            #expect(fixture.task(TaskID("a", 0))?.spec.config["secret"] == "first")
            await fixture.herder.reloadSecrets()
            #expect(fixture.made.count == 3)
            try folder.remove("token")
            await fixture.herder.reloadSecrets()
            #expect(fixture.made.count == 3 && fixture.running == 3)
            try folder.write("token", "second")
            await fixture.herder.reloadSecrets()
            #expect(fixture.made.count == 4)
            #expect(fixture.task(TaskID("a", 0))?.spec.config["secret"] == "second")
            #expect(fixture.task(TaskID("b", 0))?.spec.config["secret"] == "first")
            #expect(try await fixture.herder.config("a")["secret"] == reference)
        }
    }

    @Test func `a command gives values, without a shell`() async throws {
        let properties = [
            "config.providers": "pass,no,slow", "config.providers.pass.class": "CommandConfigProvider",
            "config.providers.pass.param.command": "/bin/echo s3cret;",
            "config.providers.no.class": "CommandConfigProvider", "config.providers.no.param.command": "/bin/false",
            "config.providers.slow.class": "CommandConfigProvider", "config.providers.slow.param.command": "/bin/sleep",
            "config.providers.slow.param.timeout.ms": "50",
        ]
        try await Fixture(properties).run { fixture in
            _ = try await fixture.herder.create("a", config("${pass:team/db:password}"), initialState: nil)
            await fixture.until("a") { fixture.running == 1 }
            #expect(fixture.task(TaskID("a", 0))?.spec.config["secret"] == "s3cret; team/db password")
            for (reference, reason) in [("${no:x}", "ended with status 1"), ("${slow:10}", "has not ended within")] {
                let error = await #expect(throws: HerderError.self) {
                    try await fixture.herder.create("b", config(reference), initialState: nil)
                }
                #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
            }
        }
    }
    @Test func `a command that closes its output and stays is ended in time`() {
        let words = ["/bin/sh", "-c", "echo half; exec 1>&-; exec sleep 600"]
        let error = #expect(throws: CommandFailure.self) {
            try CommandRun.output(of: words, timeout: .milliseconds(200))
        }
        #expect(error?.description.contains("has not ended within") == true)
    }

    @Test(arguments: [
        ("echo x", "config.providers.p.param.command"), ("", "config.providers.p.param.command"),
    ])
    func `a command is an absolute path`(command: String, key: String) throws {
        #expect {
            try WorkerConfig([
                "config.providers": "p", "config.providers.p.class": "CommandConfigProvider",
                "config.providers.p.param.command": command,
            ])
        } throws: { ($0 as? ConfigInvalid)?.issues.map(\.key) == [key] }
    }

    @Test func `a key that nothing knows is told with a guess, or refused`() async throws {
        let misspelt: ConfigMap = ["connector.class": "FileStreamSource", "topic": "t", "bach.size": "1"]
        try await Fixture().run { fixture in
            let info = try await fixture.herder.create("a", misspelt, initialState: nil)
            #expect(info.warnings.map(\.key) == ["bach.size"])
            #expect(info.warnings.first?.message.contains("Did you mean batch.size?") == true)
            let patched = try await fixture.herder.patch("a", ["bach.size": nil])
            #expect(patched.warnings.isEmpty)
        }
        try await Fixture(["config.unknown.keys": "error"]).run { fixture in
            let error = await #expect(throws: HerderError.self) {
                try await fixture.herder.create("a", misspelt, initialState: nil)
            }
            #expect(error?.message.contains("Did you mean batch.size?") == true)
            let result = try await fixture.herder.validate("FileStreamSource", misspelt)
            #expect(result.issues.map(\.key).contains("bach.size") && result.warnings.isEmpty)
        }
    }
}

@Suite struct MaskingTests {
    @Test(arguments: [
        ("postgresql://ada:geheim@h:1/db", "postgresql://ada:[hidden]@h:1/db"),
        ("http://a:x@h,http://b:y@i:9200/p", "http://a:[hidden]@h,http://b:[hidden]@i:9200/p"),
        (
            "jdbc:postgresql://h/db?user=u&password=p=q&ssl=true",
            "jdbc:postgresql://h/db?user=u&password=[hidden]&ssl=true"
        ),
        ("http://ada@h:9200", "http://ada@h:9200"), ("http://h/a?x=1:2@3", "http://h/a?x=1:2@3"),
        ("https://u:${env:P}@h?token=${env:T}", "https://u:${env:P}@h?token=${env:T}"), ("a:b@c", "a:b@c"),
    ])
    func `only the password of an address is hidden, and comes back`(text: String, shown: String) {
        let config: ConfigMap = ["connection.url": text]
        let masked = Masking.mask(config, definitions: [:])
        #expect(masked["connection.url"] == shown)
        #expect(Masking.restore(masked, from: config)["connection.url"] == text)
    }
    @Test func `a new address replaces the old one, whatever it holds`() {
        let stored: ConfigMap = ["url": "http://a:x@h"]
        #expect(Masking.restore(["url": "http://b:y@h"], from: stored)["url"] == "http://b:y@h")
    }
}
