/// A moment taken apart into year, month, day and time of day, by the calendar of Java's dates: Gregorian, and Julian before
/// 15 October 1582.
public struct CivilTime: Sendable, Hashable {
    /// The astronomical year: 0 is 1 BC.
    public var year: Int64
    /// 1...12.
    public var month: Int
    /// 1...31.
    public var day: Int
    /// 0...23.
    public var hour: Int
    /// 0...59.
    public var minute: Int
    /// 0...59.
    public var second: Int
    /// 0...999.
    public var millisecond: Int

    private static let firstGregorianDay: Int64 = -141_427  // 15 October 1582 in days since 1970

    /// Takes a moment apart; `milliseconds` since 1970, already moved by the zone's offset.
    public init(milliseconds: Int64) {
        let days = milliseconds.dividedDown(by: 86_400_000)
        let rest = Int(milliseconds &- days &* 86_400_000)  // the first moment's day begins before Int64 does
        (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60)
        (second, millisecond) = (rest / 1000 % 60, rest % 1000)
        (year, month, day) = Self.date(ofDay: days)
    }

    /// Days since 1970.
    public static func date(ofDay days: Int64) -> (year: Int64, month: Int, day: Int) {
        // Years begin in March, so that the leap day is the last day of its year.
        var dayOfYear: Int64
        var year: Int64
        if days >= firstGregorianDay {
            let shifted = days + 719_468
            let era = shifted.dividedDown(by: 146_097)
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            year = yearOfEra + era * 400
            dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        } else {
            let shifted = days + 719_470
            let era = shifted.dividedDown(by: 1461)
            let dayOfEra = shifted - era * 1461
            let yearOfEra = min(dayOfEra / 365, 3)
            year = yearOfEra + era * 4
            dayOfYear = dayOfEra - 365 * yearOfEra
        }
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        return (month <= 2 ? year + 1 : year, month, Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
    }

    /// Days since 1970 of a date; month and day may lie outside their ranges and roll over.
    public static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let monthIndex = month - 1
        let realYear = year + monthIndex.dividedDown(by: 12)
        let realMonth = monthIndex - monthIndex.dividedDown(by: 12) * 12 + 1
        let marchYear = realMonth <= 2 ? realYear - 1 : realYear
        let dayOfYear = (153 * (realMonth > 2 ? realMonth - 3 : realMonth + 9) + 2) / 5
        let era = marchYear.dividedDown(by: 400)
        let yearOfEra = marchYear - era * 400
        let gregorian =
            era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468 + day - 1
        if gregorian >= firstGregorianDay { return gregorian }
        let cycle = marchYear.dividedDown(by: 4)
        return cycle * 1461 + (marchYear - cycle * 4) * 365 + dayOfYear - 719_470 + day - 1
    }

    /// 0 is Sunday.
    public static func weekday(ofDay days: Int64) -> Int { Int((days + 4) - (days + 4).dividedDown(by: 7) * 7) }

    /// English names of the months.
    public static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    /// English names of the days, from Sunday.
    public static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// As `java.util.Date.toString` in UTC.
    var javaText: String {
        let days = Self.day(year: year, month: Int64(month), day: Int64(day))
        let clock = [hour, minute, second].map { Self.padded($0, 2) }.joined(separator: ":")
        let name = Self.weekdays[Self.weekday(ofDay: days)].prefix(3)
        let yearOfEra = Self.padded(Int(year > 0 ? year : 1 - year), 4)
        return "\(name) \(Self.months[month - 1].prefix(3)) \(Self.padded(day, 2)) \(clock) UTC \(yearOfEra)"
    }

    /// Digits with leading zeros up to `width`.
    public static func padded(_ number: Int, _ width: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

extension Int64 {
    /// Division toward minus infinity.
    public func dividedDown(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
