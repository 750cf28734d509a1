import Glibc
import Testing

@testable import Logs

@Suite struct LoggerTests {
    @Test func contextAndFields() async {
        let capture = LogCapture(), log = Logger("t.context", levels: LogLevels())
        await LogContext.$output.withValue(capture) {
            await LogContext.with(["connector": "orders", "task": 0]) {
                log.warn("Batch failed", ["attempt": 2, "why": "40001 could not", "ok": false, "part": 0.5])
                await LogContext.with(["task": 1, "scope": "offsets"]) { log.info("Inner") }
                await withTaskGroup(of: Void.self) { group in group.addTask { log.info("Child") } }
            }
            await LogContext.with(["connector": "orders"]) { log.info("Started") }
            log.info("Plain", ["connector.count": 3, "empty": ""])
            log.debug("Off")
        }
        #expect(
            capture.lines == [
                #"WARN [orders|task-0] Batch failed attempt=2 why="40001 could not" ok=false part=0.5 (t.context)"#,
                "INFO [orders|task-1|offsets] Inner (t.context)",
                "INFO [orders|task-0] Child (t.context)",
                "INFO [orders|worker] Started (t.context)",
                #"INFO Plain connector.count=3 empty="" (t.context)"#,
            ]
        )
    }

    @Test func fieldsAreNotMadeWhenOff() {
        let log = Logger("t.lazy", levels: LogLevels())
        func never() -> LogFields {
            Issue.record("made for a line that is off")
            return [:]
        }
        log.debug("Nothing", never())
        #expect(!log.isOn(.debug) && log.isOn(.info))
    }

    @Test func jsonLine() {
        let event = LogEvent(
            level: .error,
            logger: "a.b",
            message: "Said \"no\"\n",
            fields: [
                ("connector", "ü\u{1}"), ("task", 0), ("level", "mine"), ("nan", .double(.nan)), ("task", 1),
                ("ok", true),
            ]
        )
        #expect(
            event.line(.json, at: 1_795_265_868_123)
                == #"{"time":"2026-11-21T12:57:48.123Z","level":"ERROR","logger":"a.b","message":"Said \"no\"\n","#
                + #""connector":"ü\u0001","_level":"mine","nan":"nan","task":1,"ok":true}"# + "\n"
        )
    }

    @Test func aTextLineStaysOneLine() {
        let event = LogEvent(
            level: .info,
            logger: "a",
            message: "x",
            fields: [("connector", "a\nb"), ("reason", "line one\nINFO forged")]
        )
        #expect(
            event.line(.text, at: 0)
                == #"1970-01-01T00:00:00.000Z INFO [a\nb|worker] x reason="line one\nINFO forged" (a)"# + "\n"
        )
    }

    @Test(arguments: [
        (0 as Int64, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"), (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        (1_709_164_800_001, "2024-02-29T00:00:00.001Z"),
    ]) func times(time: Int64, text: String) {
        #expect(LogEvent(level: .info, logger: "l", message: "m").line(.text, at: time) == "\(text) INFO m (l)\n")
    }

    @Test func redirectedToAFile() throws {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer {
            StandardError.shared.redirect(to: 2)
            close(ends[0])
            close(ends[1])
        }
        StandardError.shared.redirect(to: ends[1])
        StandardError.shared.write(LogEvent(level: .info, logger: "l", message: "redirected"))
        var buffer = [UInt8](repeating: 0, count: 200)
        let count = unsafe read(ends[0], &buffer, buffer.count)
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).contains("INFO redirected (l)\n"))
    }
}

@Suite struct LogLevelsTests {
    @Test func names() {
        #expect(LogLevel(named: "warn") == .warn && LogLevel(named: "WARNING") == .warn)
        #expect(LogLevel(named: "FATAL") == .error && LogLevel(named: "loud") == nil)
        #expect(LogLevel.allCases.map(\.name) == ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"])
    }
    @Test func aChangeCoversAllBelowKnownOrNot() {
        let levels = LogLevels()
        let known = Logger("a.b.c", levels: levels), other = Logger("ab", levels: levels)
        #expect(levels.set("a.b", to: .debug, at: 5) == ["a.b", "a.b.c"])
        #expect(known.isOn(.debug) && !other.isOn(.debug))
        let later = Logger("a.b.d.e", levels: levels)
        #expect(later.isOn(.debug) && levels["a.b.d.e"] == .init(level: .debug, lastModified: 5))
        #expect(levels.set("root", to: .off, at: 6) == ["a.b", "a.b.c", "a.b.d.e", "ab", "root"])
        #expect(!known.isOn(.error) && levels["root"]?.lastModified == 6 && levels["nope"] == nil)
        #expect(levels.all.count == 5)
    }
}

@Suite struct LogLimiterTests {
    @Test func onePerPeriod() {
        let limiter = LogLimiter(every: .seconds(10))
        let start = ContinuousClock.now
        var held: [LogValue] = []
        for second in [0, 1, 9, 10, 11, 30] { limiter(now: start + .seconds(second)) { held.append($0) } }
        #expect(held == [0, 2, 1])
    }
}
