import Testing

@testable import PostgresClient

@Suite struct SettingsTests {
    @Test func `a JDBC URL becomes libpq's keywords`() throws {
        let settings = try PostgresSettings(
            url: "jdbc:postgresql://db.example:5433,other/shop%20x?user=ann&password=p%26w&sslmode=require"
                + "&ApplicationName=loader&currentSchema=a%20b,c&reWriteBatchedInserts=true&targetServerType=primary"
        )
        #expect(
            settings.parameters == [
                "host": "db.example,other", "port": "5433,5432", "dbname": "shop x", "user": "ann",
                "sslmode": "require", "application_name": "loader", "options": "-c search_path=a\\ b,c",
                "target_session_attrs": "primary", "client_encoding": "UTF8",
            ]
        )
        #expect(settings.ignored == ["reWriteBatchedInserts"])
        #expect(settings.secretPairs.contains { $0 == ("password", "p&w") })
    }

    @Test func `user and password given apart count more`() throws {
        let settings = try PostgresSettings(url: "postgresql://u:p@h:1/d", user: "v", password: "q")
        #expect(settings.description == "v@h:1/d")
        #expect(settings.secretPairs.contains { $0 == ("password", "q") })
        #expect(!settings.secretPairs.contains { $0.1 == "p" })
    }

    @Test func `short forms of a JDBC URL`() throws {
        #expect(try PostgresSettings(url: "jdbc:postgresql:shop").parameters["dbname"] == "shop")
        #expect(try PostgresSettings(url: "jdbc:postgresql://h/").parameters["dbname"] == nil)
        let ipv6 = try PostgresSettings(url: "jdbc:postgresql://[::1]:5/d")
        #expect(ipv6.parameters["host"] == "::1" && ipv6.parameters["port"] == "5")
    }

    @Test(arguments: [
        "jdbc:mysql://h/d", "jdbc:postgresql://h:abc/d", "jdbc:postgresql://h/d?nonsense=1", "jdbc:postgresql://h/%zz",
        "not a url", "postgresql://u:secret@h:1:2/d?x=y",
    ]) func `a bad URL is refused without showing it`(url: String) {
        let error = #expect(throws: PostgresSettings.Invalid.self) { try PostgresSettings(url: url) }
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `the password is in no description and no dump`() throws {
        let settings = try PostgresSettings(url: "host=h password=hunter2 user=u")
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!"\(settings) \(dumped) \(String(reflecting: settings))".contains("hunter2"))
    }
}

@Suite struct NameAndErrorTests {
    @Test func `names are parsed with and without quotes`() {
        #expect(PostgresName(parsing: "orders") == PostgresName("orders"))
        #expect(PostgresName(parsing: "shop.orders") == PostgresName(schema: "shop", "orders"))
        #expect(PostgresName(parsing: "\"Shop\".\"or.d\"\"ers\"") == PostgresName(schema: "Shop", "or.d\"ers"))
        #expect(PostgresName(parsing: "db.shop.orders") == PostgresName(schema: "shop", "orders"))
    }

    @Test func `quoting cannot be escaped from`() {
        #expect(quotedIdentifier("a\"; DROP") == "\"a\"\"; DROP\"")
        #expect(quotedLiteral("it's") == "'it''s'")
        // A quote with a combining accent is one Character, but two scalars.
        #expect(Array(quotedLiteral("a'\u{301}").utf8) == Array("'a''\u{301}'".utf8))
    }

    @Test(arguments: [
        ("08006", PostgresError.Kind.outage), ("53300", .outage), ("57P01", .outage), ("57014", .outage),
        ("58030", .outage), ("25006", .outage), ("40001", .conflict), ("40P01", .conflict), ("55P03", .conflict),
        ("22P02", .poison), ("23505", .poison), ("P0001", .poison), ("42P01", .config), ("42501", .config),
        ("28P01", .config), ("3D000", .config), ("XX000", .other), ("21000", .other),
    ]) func `SQLSTATE decides`(state: String, kind: PostgresError.Kind) {
        #expect(PostgresError.kind(of: state) == kind)
    }

    @Test func `data errors lose their values`() {
        let messages = [
            "invalid input syntax for type integer: \"secret\"": "invalid input syntax for type integer",
            "value \"99999999999\" is out of range for type integer": "value \"…\" is out of range for type integer",
        ]
        for (from, to) in messages { #expect(PostgresError(sqlState: "22P02", message: from).message == to) }
    }

    @Test func `the line and the column of a COPY are found`() {
        #expect(copyLine("COPY orders, line 3, column total: \"a, 9\"") == 3)
        #expect(copyColumn("COPY orders, line 3, column total: \"abc\"") == "total")
        #expect(copyLine("SQL statement \"x\"") == nil)
    }
}
