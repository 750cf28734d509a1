import Glibc
import Synchronization

/// Takes finished events; called from any thread.
public protocol LogOutput: Sendable {
    /// Writes the event or keeps it; never throws, for nobody could be told.
    func write(_ event: LogEvent)
}

/// How lines look.
public enum LogFormat: String, Sendable, CaseIterable {
    /// For people: `2026-01-31T12:00:00.000Z INFO [orders|task-0] Message key=value (logger)`.
    case text
    /// For machines: one JSON object per line.
    case json
}

/// The process's log: standard error until ``redirect(to:)`` says otherwise.
///
/// One write(2) per line, so that lines of two threads never mix.
public final class StandardError: LogOutput {
    /// The only one.
    public static let shared = StandardError()
    private let isJSON = Atomic(false)
    private let descriptor = Atomic<Int32>(2)
    private init() {}

    /// Changes how lines look from here on.
    public func use(_ format: LogFormat) { isJSON.store(format == .json, ordering: .relaxed) }

    /// Sends lines to another file descriptor, which stays open as long as it is used here; 2 goes back.
    public func redirect(to descriptor: Int32) { self.descriptor.store(descriptor, ordering: .relaxed) }

    /// Writes the line; what the system does not take (no room, no reader) is lost, the process goes on.
    public func write(_ event: LogEvent) {
        let format: LogFormat = isJSON.load(ordering: .relaxed) ? .json : .text
        var line = event.line(format, at: milliseconds())
        let target = descriptor.load(ordering: .relaxed)
        line.withUTF8 { bytes in
            var rest = unsafe UnsafeRawBufferPointer(bytes)[...]
            while unsafe !rest.isEmpty {
                let written = unsafe Glibc.write(target, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                if written <= 0 { return }
                unsafe rest = rest.dropFirst(written)
            }
        }
    }
}

/// Keeps events for a test: `let log = LogCapture(); await LogContext.$output.withValue(log) { … }`.
public final class LogCapture: LogOutput {
    private let kept = Mutex<[LogEvent]>([])

    /// An empty one.
    public init() {}

    /// Keeps the event.
    public func write(_ event: LogEvent) { kept.withLock { $0.append(event) } }
    /// All events so far.
    public var events: [LogEvent] { kept.withLock { $0 } }
    /// All events so far as text lines without the time.
    public var lines: [String] { events.map { String($0.line(.text, at: 0).dropFirst(25).dropLast()) } }
}

/// Milliseconds since 1970.
public func milliseconds() -> Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
}
