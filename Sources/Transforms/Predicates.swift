internal import ConnectConfig
internal import ConnectModel
internal import ConnectSDK
internal import Patterns

/// Records with a header of a name.
struct HasHeaderKey: RecordPredicate {
    static let name = ConfigKey<String>.string("name", nonEmpty: true, "The header's name.")
    static let keys: [any AnyConfigKey] = [name]

    private let name: String

    init(_ config: [String: String]) throws(ConnectError) { name = try Self.name.read(config) }

    func test(_ record: ConnectRecord) throws(DataError) -> Bool { record.headers.contains { $0.name == name } }
}

/// Records without a value.
struct RecordIsTombstone: RecordPredicate {
    func test(_ record: ConnectRecord) throws(DataError) -> Bool { record.value.value.isNull }
}

/// Records of topics that a regular expression matches.
struct TopicNameMatches: RecordPredicate {
    static let pattern = patternKey(
        "pattern",
        valid: "non-empty string, valid regex",
        nonEmpty: true,
        importance: .medium,
        "What the whole topic must match."
    )
    static let keys: [any AnyConfigKey] = [pattern]

    private let pattern: Pattern

    init(_ config: [String: String]) throws(ConnectError) { pattern = try Self.pattern.read(config) }

    func test(_ record: ConnectRecord) throws(DataError) -> Bool {
        do throws(ConnectError) { return try isMatch(pattern, record.topic) } catch {
            throw DataError(error.message, javaClass: error.className)
        }
    }
}

/// Drops every record that reaches it.
struct Filter: Transform {
    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? { nil }
}
