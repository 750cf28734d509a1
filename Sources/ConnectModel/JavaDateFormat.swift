/// Writes and reads moments by the patterns of Java's `SimpleDateFormat`, in English and, unless the text names a zone, UTC.
///
/// Reading is lenient as Java's: 31 February rolls over, text after the match is ignored, blanks before a field pass.
///
/// ```swift
/// let format = try JavaDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
/// format.text(1_700_000_000_123)  // 2023-11-14T22:13:20.123Z
/// ```
public struct JavaDateFormat: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case literal([UInt8])
        case field(Character, count: Int)
    }

    /// The pattern as given.
    public let pattern: String
    let parts: [Part]
    /// Where the hundred years of two-digit years begin, in milliseconds since 1970.
    let centuryStart: Int64

    /// Compiles a pattern.
    ///
    /// Throws an `IllegalArgumentException` for a letter that means nothing or an open quote.
    ///
    /// A year of two digits lies within 80 years before `now`, in milliseconds since 1970, and 20 years after it.
    public init(_ pattern: String, now: Int64 = 1_767_225_600_000) throws(ConnectError) {
        self.pattern = pattern
        let today = CivilTime(milliseconds: now)
        let start = CivilTime.day(year: today.year - 80, month: Int64(today.month), day: Int64(today.day))
        centuryStart = start * 86_400_000 + (now - now.dividedDown(by: 86_400_000) * 86_400_000)
        var parts: [Part] = []
        var literal: [UInt8] = []
        var characters = Array(pattern.unicodeScalars)[...]
        var isQuoted = false
        while let first = characters.first {
            characters = characters.dropFirst()
            if first == "'" {
                if characters.first == "'" {
                    literal.append(UInt8(ascii: "'"))
                    characters = characters.dropFirst()
                } else {
                    isQuoted.toggle()
                }
                continue
            }
            guard !isQuoted, first.isASCII, first.properties.isAlphabetic else {
                literal += Array(String(first).utf8)
                continue
            }
            guard "GyMdkHmsSEDFwWahKzZYuXL".unicodeScalars.contains(first) else {
                throw ConnectError(.illegalArgument, "Illegal pattern character '\(first)'")
            }
            var count = 1
            while characters.first == first {
                count += 1
                characters = characters.dropFirst()
            }
            if first == "X", count > 3 {
                throw ConnectError(.illegalArgument, "invalid ISO 8601 format: length=\(count)")
            }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
            parts.append(.field(Character(first), count: count))
        }
        if isQuoted { throw ConnectError(.illegalArgument, "Unterminated quote") }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        self.parts = parts
    }

    /// The text of a moment, in milliseconds since 1970.
    public func text(_ milliseconds: Int64) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        let day = milliseconds.dividedDown(by: 86_400_000)
        var text = ""
        for part in parts {
            switch part {
            case .literal(let bytes): text += String(decoding: bytes, as: UTF8.self)
            case .field(let letter, let count): text += Self.text(letter, count, time, day)
            }
        }
        return text
    }

    private static func text(_ letter: Character, _ count: Int, _ time: CivilTime, _ day: Int64) -> String {
        func number(_ value: Int, width: Int? = nil) -> String { CivilTime.padded(value, width ?? count) }
        func year(_ value: Int64) -> String {
            let ofEra = Int(value > 0 ? value : 1 - value)
            return count == 2 ? number(ofEra % 100) : number(ofEra)
        }
        switch letter {
        case "G": return time.year > 0 ? "AD" : "BC"
        case "y": return year(time.year)
        case "Y":
            let weekYear = Int(time.weekOfYear(day).year)
            let digits = count == 2 ? number(abs(weekYear) % 100) : number(abs(weekYear))
            return weekYear < 0 ? "-" + digits : digits
        case "M", "L":
            let name = CivilTime.months[time.month - 1]
            return count >= 4 ? name : count == 3 ? String(name.prefix(3)) : number(time.month)
        case "d": return number(time.day)
        case "k": return number(time.hour == 0 ? 24 : time.hour)
        case "H": return number(time.hour)
        case "K": return number(time.hour % 12)
        case "h": return number(time.hour % 12 == 0 ? 12 : time.hour % 12)
        case "m": return number(time.minute)
        case "s": return number(time.second)
        case "S": return number(time.millisecond)
        case "a": return time.hour < 12 ? "AM" : "PM"
        case "E":
            let name = CivilTime.weekdays[CivilTime.weekday(ofDay: day)]
            return count >= 4 ? name : String(name.prefix(3))
        case "u": return number(CivilTime.weekday(ofDay: day) == 0 ? 7 : CivilTime.weekday(ofDay: day))
        case "D": return number(time.dayOfYear(day))
        case "F": return number((time.day - 1) / 7 + 1)
        case "w": return number(time.weekOfYear(day).week)
        case "W": return number(time.weekOfMonth(day))
        case "z": return count >= 4 ? "Coordinated Universal Time" : "UTC"
        case "Z": return "+0000"
        default: return "Z"  // X
        }
    }
}

extension CivilTime {
    /// 1 is the first of January.
    func dayOfYear(_ day: Int64) -> Int { Int(day - Self.day(year: year, month: 1, day: 1)) + 1 }

    /// The week as the United States count: it begins on Sunday, and the first has the first of January in it.
    func weekOfYear(_ day: Int64) -> (year: Int64, week: Int) {
        let next = Self.day(year: year + 1, month: 1, day: 1)
        if day >= next - Int64(Self.weekday(ofDay: next)) { return (year + 1, 1) }
        let first = Self.day(year: year, month: 1, day: 1)
        return (year, (Int(day - first) + Self.weekday(ofDay: first)) / 7 + 1)
    }

    func weekOfMonth(_ day: Int64) -> Int {
        let first = Self.day(year: year, month: Int64(month), day: 1)
        return (self.day - 1 + Self.weekday(ofDay: first)) / 7 + 1
    }
}

extension JavaDateFormat {
    private static let forms: (time: Self?, date: Self?, timestamp: Self?) = (
        try? Self("HH:mm:ss.SSS'Z'"), try? Self("yyyy-MM-dd"), try? Self("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
    )

    /// How Connect writes a date as text: by its value, not by its type.
    ///
    /// Less than one day is a time, whole days are a date, everything else a timestamp.
    public static func forDate(_ milliseconds: Int64) -> Self {
        let form =
            milliseconds < 86_400_000 ? forms.time : milliseconds % 86_400_000 == 0 ? forms.date : forms.timestamp
        guard let form else { preconditionFailure("the patterns above are valid") }
        return form
    }
}
