extension JavaDateFormat {
    /// The moment that `text` begins with, in milliseconds since 1970, or nil when it does not match the pattern.
    public func milliseconds(_ text: String) -> Int64? {
        var reader = DateReader(text: Array(text.utf8), centuryStart: CivilTime(milliseconds: centuryStart).year)
        for (index, part) in parts.enumerated() {
            switch part {
            case .literal(let bytes):
                guard reader.skip(bytes) else { return nil }
            case .field(let letter, let count):
                guard reader.read(letter, count, isAbutting: isAbutting(index)) else { return nil }
            }
        }
        let moment = reader.fields.milliseconds
        guard reader.isYearAmbiguous, moment < centuryStart, let year = reader.fields["y"] else { return moment }
        reader.fields["y"] = year + 100
        return reader.fields.milliseconds
    }

    /// Whether a number stands next, so that this one has just as many digits as letters.
    private func isAbutting(_ index: Int) -> Bool {
        guard index + 1 < parts.count, case .field(let letter, let count) = parts[index + 1] else { return false }
        switch letter {
        case "G", "E", "a", "z", "Z", "X": return false
        case "M", "L": return count <= 2
        default: return true
        }
    }
}

/// The fields found so far; `order` says which of contradicting ones came last.
private struct DateFields {
    private var values: [Character: (value: Int64, order: Int)] = [:]
    var isBeforeChrist = false
    var offset: Int64 = 0

    subscript(letter: Character) -> Int64? {
        get { values[letter]?.value }
        set { values[letter] = newValue.map { ($0, values.count + 1) } }
    }
    private func order(_ letter: Character) -> Int { values[letter]?.order ?? 0 }

    /// Everything may lie outside its range and rolls over.
    var milliseconds: Int64 {
        var hour = self["H"] ?? 0
        let twelve = min(order("h"), order("a"))
        if order("H") == 0 || (twelve > 0 && max(order("h"), order("a")) > order("H")) {
            if order("h") > 0 || order("a") > 0 { hour = (self["h"] ?? 0) + (self["a"] ?? 0) * 12 }
        }
        let clock = ((hour * 60 + (self["m"] ?? 0)) * 60 + (self["s"] ?? 0)) * 1000 + (self["S"] ?? 0)
        return days &* 86_400_000 &+ clock &- offset  // wraps around as Java's calendar does
    }

    private var days: Int64 {
        let year = self["y"].map { isBeforeChrist ? 1 - $0 : $0 } ?? 1970
        let weekOrder = order("w") > 0 ? max(order("w"), order("E"), order("u")) : 0
        if order("Y") > order("y") || (weekOrder > max(order("d"), order("D")) && weekOrder > 0) {
            let weekYear = order("Y") > order("y") ? self["Y"] ?? year : year
            let first = CivilTime.day(year: weekYear, month: 1, day: 1)
            let sunday = first - Int64(CivilTime.weekday(ofDay: first))
            var (week, weekday) = (self["w"] ?? 1, self["E"] ?? 0)
            if let iso = self["u"] {
                // Monday is 1; what lies outside the week moves the week.
                week += (iso - 1).dividedDown(by: 7)
                weekday = (iso - (iso - 1).dividedDown(by: 7) * 7) % 7
            }
            return sunday + (week - 1) * 7 + weekday
        }
        if order("D") > order("d") { return CivilTime.day(year: year, month: 1, day: self["D"] ?? 1) }
        return CivilTime.day(year: year, month: self["M"] ?? 1, day: self["d"] ?? 1)
    }
}

/// Reads one field after the other from UTF-8.
private struct DateReader {
    let text: [UInt8]
    let centuryStart: Int64
    var position = 0
    var fields = DateFields()
    var isYearAmbiguous = false

    init(text: [UInt8], centuryStart: Int64) { (self.text, self.centuryStart) = (text, centuryStart) }

    mutating func skip(_ literal: [UInt8]) -> Bool {
        guard position <= text.count, text[position...].starts(with: literal) else { return false }
        position += literal.count
        return true
    }

    mutating func read(_ letter: Character, _ count: Int, isAbutting: Bool) -> Bool {
        let end = position + count
        // Blanks may stand before numbers and zones, not before names.
        let isName = letter == "G" || letter == "E" || letter == "a" || ((letter == "M" || letter == "L") && count > 2)
        while !isName, position < text.count, text[position] == 0x20 || text[position] == 0x09 { position += 1 }
        switch letter {
        case "G":
            guard let era = name(["BC", "AD"]) else { return false }
            fields.isBeforeChrist = era == 0
            return true
        case "E":
            guard let day = name(CivilTime.weekdays, short: 3) else { return false }
            fields["E"] = Int64(day)
            return true
        case "a":
            guard let half = name(["AM", "PM"]) else { return false }
            fields["a"] = Int64(half)
            return true
        case "M", "L":
            if count > 2 {
                guard let month = name(CivilTime.months, short: 3) else { return false }
                fields["M"] = Int64(month + 1)
                return true
            }
        case "z", "Z", "X": return zone(letter, count)
        default: break
        }
        let start = position
        // Blanks before an abutting number count as its digits.
        if isAbutting, end > text.count { return false }
        guard let value = number(until: isAbutting ? end : text.count) else { return false }
        set(letter, value, count: count, digits: position - start)
        return true
    }

    private mutating func set(_ letter: Character, _ value: Int64, count: Int, digits: Int) {
        switch letter {
        case "y": fields["y"] = count <= 2 && digits == 2 && value >= 0 ? century(value) : value
        case "M", "L": fields["M"] = value
        case "k": fields["H"] = value == 24 ? 0 : value
        case "h", "K": fields["h"] = letter == "h" && value == 12 ? 0 : value
        default: fields[letter] = value
        }
    }

    private mutating func century(_ year: Int64) -> Int64 {
        let first = centuryStart % 100
        isYearAmbiguous = year == first
        return centuryStart - first + year + (year < first ? 100 : 0)
    }

    private mutating func number(until end: Int) -> Int64? {
        var isNegative = false
        if position < text.count, text[position] == UInt8(ascii: "-") {
            isNegative = true
            position += 1
        }
        var value: Int64 = 0
        var digits = 0
        var isHuge = false
        while position < end, (0x30...0x39).contains(text[position]) {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int64(text[position] - 0x30))
            isHuge = isHuge || overflow || carry
            value = sum
            digits += 1
            position += 1
        }
        if digits == 0 { return nil }
        // Java makes an int of it: of a long by its low bits, of what is longer by the nearest.
        if isHuge { return Int64(isNegative ? Int32.min : Int32.max) }
        return Int64(Int32(truncatingIfNeeded: isNegative ? -value : value))
    }

    /// The index of the longest name that stands here, whatever the case of its letters.
    private mutating func name(_ names: [String], short: Int? = nil) -> Int? {
        var best: (index: Int, length: Int)?
        for (index, name) in names.enumerated() {
            for form in [name, short.map { String(name.prefix($0)) }].compactMap({ $0 }) {
                let bytes = Array(form.utf8)
                guard bytes.count > best?.length ?? 0, position + bytes.count <= text.count else { continue }
                if zip(bytes, text[position...]).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) { best = (index, bytes.count) }
            }
        }
        guard let best else { return nil }
        position += best.length
        return best.index
    }

    private static let zones: [(name: String, hours: Int64)] = [
        ("GMT", 0), ("UTC", 0), ("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6),
        ("PST", -8), ("PDT", -7), ("CET", 1), ("CEST", 2), ("EET", 2), ("EEST", 3), ("IST", 2), ("IDT", 3), ("MSK", 3),
    ]

    private mutating func zone(_ letter: Character, _ count: Int) -> Bool {
        if letter == "X" {
            if position < text.count, text[position] == UInt8(ascii: "Z") {
                position += 1
                return true
            }
            return offset(hourDigits: 2, hasColon: count == 3, hasMinutes: count > 1)
        }
        if position < text.count, text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") {
            return offset(hourDigits: 2, hasColon: false, hasMinutes: true)
        }
        guard let zone = name(Self.zones.map(\.name)) else { return false }
        fields.offset = Self.zones[zone].hours * 3_600_000
        if Self.zones[zone].name == "GMT", position < text.count,
            text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-")
        {
            return offset(hourDigits: nil, hasColon: true, hasMinutes: true)
        }
        return true
    }

    private mutating func offset(hourDigits: Int?, hasColon: Bool, hasMinutes: Bool) -> Bool {
        guard position < text.count else { return false }
        let sign: Int64 = text[position] == UInt8(ascii: "-") ? -1 : 1
        guard sign < 0 || text[position] == UInt8(ascii: "+") else { return false }
        position += 1
        let digitsHere = text[position...].prefix { (0x30...0x39).contains($0) }.count
        guard digitsHere >= hourDigits ?? 1, let hours = number(until: position + (hourDigits ?? min(digitsHere, 2))),
            hours < 24
        else {
            return false
        }
        var minutes: Int64 = 0
        if hasMinutes {
            if hasColon || (position < text.count && text[position] == UInt8(ascii: ":")) {
                guard skip([UInt8(ascii: ":")]) else { return false }
            }
            guard text[position...].prefix(2).filter({ (0x30...0x39).contains($0) }).count == 2,
                let found = number(until: position + 2), found < 60
            else { return false }
            minutes = found
        }
        fields.offset = sign * (hours * 60 + minutes) * 60_000
        return true
    }
}
