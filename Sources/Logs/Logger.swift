/// A value of one field; a number stays a number in JSON lines.
public enum LogValue: Sendable, Hashable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral
{
    case text(String)
    case int(Int)
    case double(Double)
    case bool(Bool)

    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// True or false.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// The value without quotes.
    public var text: String {
        switch self {
        case .text(let text): text
        case .int(let number): String(number)
        case .double(let number): String(number)
        case .bool(let flag): String(flag)
        }
    }
}

/// Fields in the order written: `["attempt": .int(n), "delay": "\(delay)"]`.
public typealias LogFields = KeyValuePairs<String, LogValue>

/// One line on its way out.
public struct LogEvent: Sendable {
    /// How loud.
    public var level: LogLevel
    /// The logger's name.
    public var logger: String
    /// The constant sentence.
    public var message: String
    /// What varies: the context's fields first, then the line's own.
    public var fields: [(key: String, value: LogValue)]

    /// An event as ``Logger`` makes it.
    public init(level: LogLevel, logger: String, message: String, fields: [(key: String, value: LogValue)] = []) {
        (self.level, self.logger, self.message, self.fields) = (level, logger, message, fields)
    }
}

/// A named door to the log; a constant per type or file; asking whether a level is on is one atomic load.
///
/// ```swift
/// private let log = Logger("sluice.postgres.sink")
/// log.warn("Batch failed, will retry", ["attempt": .int(n), "delay": "\(delay)"])
/// ```
public struct Logger: Sendable {
    /// Dotted, from general to special.
    public let name: String
    private let level: LevelCell

    /// The logger of this name; its level is that of its nearest ancestor until someone sets it.
    public init(_ name: String) { (self.name, level) = (name, LogLevels.shared.cell(name)) }
    init(_ name: String, levels: LogLevels) { (self.name, level) = (name, levels.cell(name)) }

    /// Whether a line of this level would be written.
    public func isOn(_ level: LogLevel) -> Bool { level >= self.level.now }

    /// Writes a line; the message is constant by type, what varies goes into fields, which are not even made when the
    /// level is off.
    public func log(_ level: LogLevel, _ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        guard isOn(level) else { return }
        let all = LogContext.fields + fields().map { (key: $0.key, value: $0.value) }
        LogContext.output.write(LogEvent(level: level, logger: name, message: "\(message)", fields: all))
    }
    /// For us, per record or call.
    public func trace(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.trace, message, fields())
    }
    /// For us.
    public func debug(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.debug, message, fields())
    }
    /// A state changed.
    public func info(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.info, message, fields())
    }
    /// Recovered but odd.
    public func warn(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.warn, message, fields())
    }
    /// Data or service lost, someone must act.
    public func error(_ message: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
        log(.error, message, fields())
    }
}

/// What every line of this task and its children carries, and where it goes.
///
/// The fields `connector` and `task` are shown as Kafka Connect's context, `[orders|task-0]`; `[orders|worker]` without a
/// task; a field `scope` is appended, `[orders|task-0|offsets]`.
public enum LogContext {
    /// Fields of all lines of this task and its children.
    @TaskLocal public static var fields: [(key: String, value: LogValue)] = []
    /// Where lines of this task and its children go; tests bind a ``LogCapture``.
    @TaskLocal public static var output: any LogOutput = StandardError.shared

    /// Binds connector, task and the like once, around a task's whole life; a key bound outside already is replaced.
    public static func with<R>(
        _ more: LogFields,
        _ body: nonisolated(nonsending) () async throws -> R
    ) async rethrows -> R {
        let kept = fields.filter { old in !more.contains { $0.key == old.key } }
        return try await $fields.withValue(kept + more.map { (key: $0.key, value: $0.value) }, operation: body)
    }
}
