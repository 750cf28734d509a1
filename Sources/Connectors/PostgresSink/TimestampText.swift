import ConnectModel

/// ISO 8601 date-times: `2026-02-20T12:30:00.123456+02:00`.
enum TimestampText {
    /// A date-time with an offset other than zero, moved to UTC; nil for any other text.
    ///
    /// A `timestamp` column ignores the offset in what it reads, so 12:30+02:00 would silently become 12:30.
    static func inUTC(_ content: RawSpan) -> [UInt8]? {
        guard content.byteCount >= 19, content.byteCount <= 40 else { return nil }
        let last = content.unsafeLoadByte(content.byteCount - 1)
        if last == UInt8(ascii: "Z") { return nil }
        return inUTC(string(content))
    }

    static func inUTC(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard let parsed = parse(bytes), parsed.offsetMinutes != 0, parsed.offsetMinutes != nil else { return nil }
        let minutes = parsed.minuteOfEpoch - Int64(parsed.offsetMinutes ?? 0)
        var out: [UInt8] = []
        appendDate(ofDay: minutes.dividedDown(by: 1_440), to: &out)
        out.append(UInt8(ascii: " "))
        let minute = minutes.modulo(1_440)
        out.append(contentsOf: "\(CivilTime.padded(Int(minute / 60), 2)):\(CivilTime.padded(Int(minute % 60), 2))".utf8)
        out += bytes[parsed.seconds]
        return out
    }

    /// Whether a text is a date with a time of day, for types inferred from texts.
    static func isDateTime(_ content: RawSpan) -> Bool {
        guard content.byteCount >= 16, content.byteCount <= 40 else { return false }
        return parse(Array(string(content).utf8)) != nil
    }

    private struct Parsed {
        var minuteOfEpoch: Int64
        /// `:30.123456`, kept as it is.
        var seconds: Range<Int>
        /// Nil without an offset.
        var offsetMinutes: Int?
    }

    private static func parse(_ bytes: [UInt8]) -> Parsed? {
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var result = 0
            for byte in bytes[range] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                result = result * 10 + Int(byte - 0x30)
            }
            return result
        }
        func has(_ at: Int, _ letters: String) -> Bool { at < bytes.count && letters.utf8.contains(bytes[at]) }
        guard let year = number(0..<4), has(4, "-"), let month = number(5..<7), has(7, "-"), let day = number(8..<10),
            has(10, "Tt "), let hour = number(11..<13), has(13, ":"), let minute = number(14..<16),
            (1...12).contains(month), (1...31).contains(day), hour < 25, minute < 60
        else { return nil }
        var end = 16
        if has(16, ":"), number(17..<19) != nil {
            end = 19
            if has(19, ".,") {
                end = 20
                while end < bytes.count, bytes[end] >= 0x30, bytes[end] <= 0x39 { end += 1 }
            }
        }
        let days = CivilTime.day(year: Int64(year), month: Int64(month), day: Int64(day))
        var parsed = Parsed(
            minuteOfEpoch: days * 1_440 + Int64(hour * 60 + minute),
            seconds: 16..<end,
            offsetMinutes: nil
        )
        if end == bytes.count { return parsed }
        if has(end, "Zz"), end + 1 == bytes.count {
            parsed.offsetMinutes = 0
            return parsed
        }
        guard has(end, "+-"), let hours = number((end + 1)..<(end + 3)) else { return nil }
        var minutes = 0
        var next = end + 3
        if next < bytes.count {
            if has(next, ":") { next += 1 }
            guard let more = number(next..<(next + 2)), next + 2 == bytes.count else { return nil }
            minutes = more
        }
        parsed.offsetMinutes = (hours * 60 + minutes) * (has(end, "-") ? -1 : 1)
        return parsed
    }
}

/// Appends `2026-02-20`; a year before 1 comes out with a minus, which PostgreSQL refuses.
func appendDate(ofDay days: Int64, to out: inout [UInt8]) {
    let date = CivilTime.date(ofDay: days)
    let text =
        "\(CivilTime.padded(Int(date.year), 4))-\(CivilTime.padded(date.month, 2))-\(CivilTime.padded(date.day, 2))"
    out.append(contentsOf: text.utf8)
}

/// Appends `12:30:00.123` for milliseconds since midnight.
func appendTime(ofDay milliseconds: Int64, to out: inout [UInt8]) {
    let rest = Int(milliseconds)
    let parts = [rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60].map { CivilTime.padded($0, 2) }
    out.append(contentsOf: "\(parts.joined(separator: ":")).\(CivilTime.padded(rest % 1_000, 3))".utf8)
}

extension Int64 {
    /// The remainder that is never negative.
    func modulo(_ divisor: Int64) -> Int64 { self - dividedDown(by: divisor) * divisor }
}

extension RawSpan {
    /// The byte at an index within the span.
    func unsafeLoadByte(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount, "byte \(index) of \(byteCount)")
        return unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
    }
}
