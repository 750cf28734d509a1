extension LogEvent {
    /// The finished line with its newline; `time` in milliseconds since 1970.
    public func line(_ format: LogFormat, at time: Int64) -> String {
        switch format {
        case .text: textLine(time)
        case .json: jsonLine(time)
        }
    }

    /// As in `2026-01-31T12:00:00.000Z WARN [orders|task-0] Batch failed attempt=2 (sluice.sink)`.
    private func textLine(_ time: Int64) -> String {
        var line = timestamp(time) + " " + level.name
        if let context { line += " [\(context)]" }
        line += " "
        line.append(contentsOf: escapingControls(message))
        for (key, value) in fields where !(context != nil && Self.contextKeys.contains(key)) {
            line += " \(key)=\(quotedIfNeeded(value))"
        }
        return line + " (\(logger))\n"
    }
    private func jsonLine(_ time: Int64) -> String {
        var line = "{\"time\":\"\(timestamp(time))\",\"level\":\"\(level.name)\",\"logger\":"
        appendJSON(logger, to: &line)
        line += ",\"message\":"
        appendJSON(message, to: &line)
        // A key that is there twice would be lost by most readers: the line's own value, which comes last, wins.
        for (index, field) in fields.enumerated()
        where !fields[(index + 1)...].contains(where: { $0.key == field.key }) {
            line += ","
            appendJSON(Self.reservedKeys.contains(field.key) ? "_" + field.key : field.key, to: &line)
            line += ":"
            switch field.value {
            case .text(let text): appendJSON(text, to: &line)
            case .double(let number) where !number.isFinite: appendJSON("\(number)", to: &line)
            case .int, .double, .bool: line += field.value.text
            }
        }
        return line + "}\n"
    }

    private static let contextKeys: Set = ["connector", "task", "scope"]
    private static let reservedKeys: Set = ["time", "level", "logger", "message"]

    /// Kafka Connect's `connector.context`, nil outside a connector.
    private var context: String? {
        func value(_ key: String) -> String? { fields.last { $0.key == key }.map { escapingControls($0.value.text) } }
        guard let connector = value("connector") else { return nil }
        let place = value("task").map { "task-\($0)" } ?? "worker"
        return "\(connector)|\(place)" + (value("scope").map { "|\($0)" } ?? "")
    }
    private func quotedIfNeeded(_ value: LogValue) -> String {
        let text = value.text
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 != 0x7F }
        if isPlain && !text.isEmpty { return text }
        var quoted = ""
        appendJSON(text, to: &quoted)
        return quoted
    }
}

/// A line break in a message would start a line that nobody wrote.
private func escapingControls(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) { return text }
    return text.unicodeScalars.reduce(into: "") { out, scalar in
        switch scalar {
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F: out += "\\u00" + hex(UInt8(scalar.value))
        default: out.unicodeScalars.append(scalar)
        }
    }
}

private func appendJSON(_ text: String, to line: inout String) {
    line += "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": line += "\\\""
        case "\\": line += "\\\\"
        case "\n": line += "\\n"
        case "\r": line += "\\r"
        case "\t": line += "\\t"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F: line += "\\u00" + hex(UInt8(scalar.value))
        default: line.unicodeScalars.append(scalar)
        }
    }
    line += "\""
}

private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

/// ISO 8601 in UTC with milliseconds, always 24 characters for the years 0 to 9999.
private func timestamp(_ milliseconds: Int64) -> String {
    let (days, inDay) = floorDivide(milliseconds, 86_400_000)
    // Days to civil date, with years that begin on 1 March so that the leap day is the last one.
    let shifted = days + 719_468
    let (era, dayOfEra) = floorDivide(shifted, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let (hour, minute, second) = (inDay / 3_600_000, inDay / 60_000 % 60, inDay / 1_000 % 60)
    return "\(date)T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)).\(padded(inDay % 1_000, 3))Z"
}

private func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
    return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
