import ConnectConfig
import Testing

private enum Mode: String, CaseIterable { case insert, upsert }

private enum Keys {
    static let table = ConfigKey<String>.string("table", nonEmpty: true, "Table.")
    static let batch = ConfigKey<Int>.int("batch.size", in: 1...1_000, default: 500, "Rows.").formerly("rows")
    static let mode = ConfigKey<Mode>.choice("mode", default: .insert, "Mode.")
    static let password = ConfigKey<Secret?>.secret("password", "Password.")
    static let topics = ConfigKey<[String]>.list("topics", default: [], "Topics.")
    static let pause = ConfigKey<Duration>.milliseconds("pause.ms", in: 1...10, default: 5, "Pause.")
}

@Suite struct ConfigKeyTests {
    @Test func `values, defaults and earlier names are read`() throws {
        let raw = ["table": " t ", "rows": "7", "mode": "UPSERT", "topics": "a, b", "password": "p"]
        #expect(try Keys.table.value(in: raw) == "t")
        #expect(try Keys.batch.value(in: raw) == 7)
        #expect(try Keys.mode.value(in: raw) == .upsert)
        #expect(try Keys.topics.value(in: raw) == ["a", "b"])
        #expect(try Keys.pause.value(in: raw) == .milliseconds(5))
        #expect(try Keys.password.value(in: raw)?.reveal { $0 } == "p")
    }

    @Test(arguments: [
        ("batch.size", "0", "Invalid value 0 for configuration batch.size: Value must be at least 1"),
        ("batch.size", "x", "Invalid value x for configuration batch.size: Not a number of type INT"),
        ("table", "", "Invalid value  for configuration table: String must be non-empty"),
        (
            "mode", "merge",
            "Invalid value merge for configuration mode: String must be one of (case insensitive): INSERT, UPSERT"
        ),
    ]) func `a bad value is told in Kafka's words`(key: String, text: String, message: String) {
        let keys: [any AnyConfigKey] = [Keys.batch, Keys.table, Keys.mode]
        let definition = keys.map(\.definition).first { $0.name == key }
        #expect(definition?.problems(with: text) == [message])
    }

    @Test func `every issue is reported at once and unread keys are known`() {
        var reader = ConfigReader(["batch.size": "0", "tabel": "t"])
        let table = reader.read(Keys.table), batch = reader.read(Keys.batch)
        reader.require(false, Keys.mode, "needs pk.fields")
        #expect(reader.unread == ["tabel"])
        let error = #expect(throws: ConfigInvalid.self) { try reader.finish { table.map { ($0, batch) } } }
        #expect(
            error?.issues.map(\.message) == [
                "Missing required configuration \"table\" which has no default value.",
                "Invalid value 0 for configuration batch.size: Value must be at least 1",
                "Invalid value insert for configuration mode: needs pk.fields",
            ]
        )
    }

    @Test func `a secret never shows`() {
        var shown = ""
        dump(Secret("hunter2"), to: &shown)
        #expect("\(Secret("hunter2"))" == "[hidden]" && !shown.contains("hunter2"))
        #expect(String(reflecting: Secret("hunter2")) == "[hidden]")
    }
}
