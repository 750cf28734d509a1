internal import Glibc
public import HTTPServer

/// Headers for every response: Connect's `response.http.headers.config`, in the language of Jetty's HeaderFilter.
///
/// `add X-XSS-Protection: 1; mode=block, "set Cache-Control: no-cache, no-store", setDate Expires: 31540000000`
public struct ResponseHeaders: Sendable, Equatable {
    /// What is wrong with a rule, in Connect's words.
    public struct Invalid: Error, Sendable, CustomStringConvertible {
        /// The whole sentence.
        public let description: String
    }
    private enum Action: String, CaseIterable {
        case set
        case add
        case setDate
        case addDate
    }
    private struct Rule: Sendable, Equatable {
        var action: Action
        var name: String
        var value: String
        /// Milliseconds from now, for the two actions with dates.
        var offset: Int64 = 0
    }
    private let rules: [Rule]

    /// Rules with commas between them, in double quotes where they hold commas; throws ``Invalid``.
    public init(_ text: String) throws(Invalid) {
        var rules: [Rule] = []
        for part in Self.split(text) where !part.trimmed.isEmpty { rules.append(try Self.rule(part)) }
        self.rules = rules
    }

    /// Applies the rules to what `next` answers.
    public func callAsFunction(next: @escaping Server.Handler) -> Server.Handler {
        if rules.isEmpty { return next }
        return { request in
            var response = await next(request)
            apply(to: &response, at: Int64(time(nil)) * 1_000)
            return response
        }
    }

    /// `now` in milliseconds since 1970.
    func apply(to response: inout Response, at now: Int64) {
        for rule in rules {
            switch rule.action {
            case .set: response.headers[rule.name] = rule.value
            case .add: response.headers.add(rule.name, rule.value)
            case .setDate: response.headers[rule.name] = httpDate((now &+ rule.offset) / 1_000)
            case .addDate: response.headers.add(rule.name, httpDate((now &+ rule.offset) / 1_000))
            }
        }
    }

    private static func rule(_ text: Substring) throws(Invalid) -> Rule {
        let text = text.trimmed
        let words = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        guard words.count == 2 else {
            throw Invalid(
                description: "Invalid format of header config '\(text)'. "
                    + "Expected: '[action] [header name]:[header value]'"
            )
        }
        guard let action = Action.allCases.first(where: { $0.rawValue.lowercased() == words[0].lowercased() }) else {
            let known = Action.allCases.map(\.rawValue).joined(separator: ", ")
            throw Invalid(description: "Invalid header config action: '\(words[0])'. Expected one of [\(known)]")
        }
        guard let colon = words[1].firstIndex(of: ":") else {
            throw Invalid(
                description: "The format of header name and value pair '\(words[1].trimmed)' is invalid. "
                    + "Expected: '[header name]:[header value]'"
            )
        }
        let name = words[1][..<colon].trimmed
        let value = String(words[1][words[1].index(after: colon)...].trimmed)
        guard !name.isEmpty, !name.contains(where: \.isWhitespace) else {
            throw Invalid(
                description: "Invalid header name '\(name)'. The '[header name]' cannot contain whitespace"
            )
        }
        guard action == .setDate || action == .addDate else {
            return Rule(action: action, name: String(name), value: value)
        }
        guard let offset = Int64(value) else {
            throw Invalid(
                description: "Invalid header value '\(value)'. \(action.rawValue) takes milliseconds from now"
            )
        }
        return Rule(action: action, name: String(name), value: value, offset: offset)
    }

    /// At commas outside double quotes; a backslash keeps what follows it.
    private static func split(_ text: String) -> [Substring] {
        var parts = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if isEscaped {
                parts[parts.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" && isQuoted {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == "," && !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.map { $0[...] }
    }
}

/// The date form of HTTP headers, `Sun, 06 Nov 1994 08:49:37 GMT`, of seconds since 1970.
func httpDate(_ seconds: Int64) -> String {
    var clock = time_t(seconds)
    var parts = unsafe tm()
    _ = unsafe gmtime_r(&clock, &parts)
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (day, month) = unsafe (days[Int(parts.tm_wday)], months[Int(parts.tm_mon)])
    let date = unsafe "\(two(parts.tm_mday)) \(month) \(parts.tm_year + 1_900)"
    return unsafe "\(day), \(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
}
