internal import ConnectConfig
internal import ConnectModel
internal import Patterns
internal import Synchronization

/// Changes the topic where a regular expression matches it.
struct RegexRouter: Transform {
    static let regex = patternKey(
        "regex",
        valid: "valid regex",
        nonEmpty: false,
        importance: .high,
        "What the whole topic must match."
    )
    static let replacement = ConfigKey<String>.string(
        "replacement",
        importance: .high,
        "The new topic. $1 stands for the first group of the expression, ${name} for a named one."
    )
    static let keys: [any AnyConfigKey] = [regex, replacement]

    private let pattern: Pattern
    private let replacement: Result<Replacement, ConnectError>
    private let known = RoutedTopics()

    /// Topics are few and records many.
    private final class RoutedTopics: Sendable {
        let topics = Mutex<[String: String]>([:])
    }

    init(_ config: [String: String]) throws(ConnectError) {
        pattern = try Self.regex.read(config)
        // As in Connect, a broken replacement is found with the first topic that matches.
        replacement = Self.replacement(try Self.replacement.read(config), pattern)
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        var changed = record
        if let topic = known.topics.withLock({ $0[record.topic] }) {
            changed.topic = topic
            return changed
        }
        guard try isMatch(pattern, record.topic) else { return record }
        let replacement = try replacement.get()
        do throws(PatternError) {
            changed.topic = try pattern.replacingFirst(in: record.topic, with: replacement)
        } catch { throw ConnectError(.connect, error.description) }
        known.topics.withLock { topics in
            if topics.count >= 1000 { topics.removeAll() }
            topics[record.topic] = changed.topic
        }
        return changed
    }
}

extension RegexRouter {
    /// The replacement, or Java's exception for it, which has none of the words around it.
    private static func replacement(_ text: String, _ pattern: Pattern) -> Result<Replacement, ConnectError> {
        do throws(PatternError) { return .success(try Replacement(text, for: pattern)) } catch {
            let reason = error.description.split(separator: "\"\(pattern)\": ").last.map(String.init)
            let message = reason ?? error.description
            let isGroup = message.hasPrefix("No group ") && !message.hasPrefix("No group with name")
            return .failure(ConnectError(isGroup ? .indexOutOfBounds : .illegalArgument, message))
        }
    }
}

/// Whether the whole text matches.
///
/// Throws when the match takes too long.
func isMatch(_ pattern: Pattern, _ text: String) throws(ConnectError) -> Bool {
    do throws(PatternError) { return try pattern.matches(text) } catch {
        throw ConnectError(.connect, error.description)
    }
}

/// A key whose text is a regular expression.
func patternKey(
    _ name: String,
    valid: String,
    nonEmpty: Bool,
    importance: Importance,
    _ documentation: String
) -> ConfigKey<Pattern> {
    ConfigKey(
        name,
        type: .string,
        default: nil,
        defaultText: nil,
        importance: importance,
        valid: valid,
        documentation
    ) { text throws(ConfigIssue.Reason) in
        let text = trimmed(text)
        if nonEmpty, text.isEmpty { throw ConfigIssue.Reason("String must be non-empty").showing("") }
        do throws(PatternError) { return try Pattern(text) } catch {
            throw ConfigIssue.Reason("Invalid regex: \(error.description)").showing(text)
        }
    }.refusingNull(.nullPattern)
}

/// Makes the topic out of the old one and the record's timestamp.
struct TimestampRouter: Transform {
    static let topicFormat = ConfigKey<String>.string(
        "topic.format",
        default: "${topic}-${timestamp}",
        importance: .high,
        "The new topic; ${topic} stands for the old one, ${timestamp} for the formatted timestamp."
    )
    static let timestampFormat = ConfigKey<String>.string(
        "timestamp.format",
        default: "yyyyMMdd",
        importance: .high,
        "How the timestamp is written: a pattern of Java's SimpleDateFormat, in UTC."
    )
    static let keys: [any AnyConfigKey] = [topicFormat, timestampFormat]

    private let topicFormat: String
    private let timestampPattern: String
    private let format: JavaDateFormat?

    init(_ config: [String: String]) throws(ConnectError) {
        topicFormat = try Self.topicFormat.read(config)
        timestampPattern = try Self.timestampFormat.read(config)
        format = try? JavaDateFormat(timestampPattern)
    }

    func apply(_ record: ConnectRecord) throws(ConnectError) -> ConnectRecord? {
        guard let timestamp = record.timestamp else {
            throw .data("Timestamp missing on record: topic \(record.topic), partition \(record.partition ?? -1)")
        }
        // As in Connect, a broken pattern is found with the first record.
        guard let format else {
            _ = try JavaDateFormat(timestampPattern)
            return record
        }
        let text = format.text(timestamp)
        var changed = record
        changed.topic = replace("${timestamp}", by: text, in: replace("${topic}", by: record.topic, in: topicFormat))
        return changed
    }

    private func replace(_ mark: String, by text: String, in format: String) -> String {
        format.split(separator: mark, omittingEmptySubsequences: false).joined(separator: text)
    }
}
