import Synchronization

/// Kafka Connect's levels; `off` is for loggers, never for a line.
public enum LogLevel: UInt8, Sendable, Comparable, CaseIterable {
    case trace
    case debug
    case info
    case warn
    case error
    case off

    /// `TRACE` to `OFF`.
    public var name: String {
        switch self {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO"
        case .warn: "WARN"
        case .error: "ERROR"
        case .off: "OFF"
        }
    }
    /// As users write it: `warn`, `WARN`, `WARNING`, `FATAL`; nil when it is no level.
    public init?(named text: String) {
        let name = text.uppercased()
        let alias: [String: Self] = ["WARNING": .warn, "FATAL": .error, "ALL": .trace]
        guard let level = Self.allCases.first(where: { $0.name == name }) ?? alias[name] else { return nil }
        self = level
    }
    /// By loudness.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The level of one logger, read on every log call.
final class LevelCell: Sendable {
    private let value: Atomic<UInt8>
    init(_ level: LogLevel) { value = Atomic(level.rawValue) }
    var now: LogLevel {
        get { LogLevel(rawValue: value.load(ordering: .relaxed)) ?? .info }
        set { value.store(newValue.rawValue, ordering: .relaxed) }
    }
}

/// Every logger's level, changeable while running, with Kafka Connect's `/admin/loggers` semantics: a change covers the
/// logger and all below it, known or not yet made; one made later takes the level of its nearest ancestor.
public final class LogLevels: Sendable {
    /// One logger's level and when it was set.
    public struct Setting: Sendable, Equatable {
        /// The level in force.
        public var level: LogLevel
        /// Milliseconds since 1970; nil while nobody has changed it.
        public var lastModified: Int64?
    }
    private struct Entry {
        var cell: LevelCell
        var modified: Int64?
    }
    private let entries = Mutex(["root": Entry(cell: LevelCell(.info), modified: nil)])

    /// The levels of this process.
    public static let shared = LogLevels()
    init() {}

    func cell(_ name: String) -> LevelCell {
        entries.withLock { entries in
            if let known = entries[name] { return known.cell }
            let parent = ancestors(name).compactMap { entries[$0] }.first
            let cell = LevelCell(parent?.cell.now ?? .info)
            entries[name] = Entry(cell: cell, modified: parent?.modified)
            return cell
        }
    }
    /// All loggers known now, `root` among them.
    public var all: [String: Setting] {
        entries.withLock { $0.mapValues { Setting(level: $0.cell.now, lastModified: $0.modified) } }
    }
    /// One logger; nil when nobody has made or set it.
    public subscript(name: String) -> Setting? {
        entries.withLock { $0[name].map { Setting(level: $0.cell.now, lastModified: $0.modified) } }
    }
    /// Sets the level that everything has at the start of the process, which nobody has changed yet.
    public func start(at level: LogLevel) {
        entries.withLock { entries in for entry in entries.values { entry.cell.now = level } }
    }
    /// Sets the level of a logger and all below it at `time` (milliseconds since 1970); returns their names, sorted.
    @discardableResult
    public func set(_ name: String, to level: LogLevel, at time: Int64 = milliseconds()) -> [String] {
        entries.withLock { entries in
            if entries[name] == nil { entries[name] = Entry(cell: LevelCell(level), modified: nil) }
            let changed = entries.keys.filter { name == "root" || $0 == name || $0.hasPrefix(name + ".") }
            for key in changed {
                entries[key]?.cell.now = level
                entries[key]?.modified = time
            }
            return changed.sorted()
        }
    }
    /// `a.b.c` has `a.b`, `a` and `root` above it.
    private func ancestors(_ name: String) -> [String] {
        var result: [String] = []
        var rest = name[...]
        while let dot = rest.lastIndex(of: ".") {
            rest = rest[..<dot]
            result.append(String(rest))
        }
        return result + ["root"]
    }
}
