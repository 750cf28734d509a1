import ConnectModel

/// What the functions do; their arguments have been found to be of the right kind, or null.
enum Calls {
    static func value(of function: Function, _ arguments: [Operand], _ place: Int) throws(Fault) -> Operand {
        switch function {
        case .if, .coalesce: return .null  // they choose their arguments before these are computed
        case .nullif:
            let isSame = try Evaluator.compare(.equal, arguments[0], arguments[1], place) == true
            return isSame ? .null : arguments[0]
        case .min, .max: return try extreme(function, arguments, place)
        case .concat: return try concatenated(arguments, place)
        default: break
        }
        if arguments.contains(.null) { return .null }
        switch (function.wants(0), arguments[0]) {
        case (.number?, .number(let number)): return try numeric(function, number, arguments, place)
        case (.text?, .text(let text)): return try textual(function, text, arguments, place)
        default: return try converted(function, arguments[0], place)
        }
    }

    // Numbers

    /// The least or greatest of those that are not null.
    private static func extreme(_ function: Function, _ arguments: [Operand], _ place: Int) throws(Fault) -> Operand {
        var best: Decimal?
        for case .number(let number) in arguments {
            guard let found = best else {
                best = number
                continue
            }
            let order = try Arithmetic.order(number, found, place)
            if function == .min ? order < 0 : order > 0 { best = number }
        }
        return best.map(Operand.number) ?? .null
    }
    private static func numeric(
        _ function: Function,
        _ number: Decimal,
        _ arguments: [Operand],
        _ place: Int
    ) throws(Fault) -> Operand {
        guard number.isBounded else { throw Fault(place, "a number has more than \(Limits.digits) digits") }
        switch function {
        case .abs: return .number(number.unscaled.isNegative ? Decimal(-1) * number : number)
        case .floor: return .number(number.rounded(toScale: 0, .down))
        case .ceil: return .number(number.rounded(toScale: 0, .up))
        default:
            let digits = arguments.count > 1 ? try whole(arguments[1], "round", place) : 0
            guard abs(digits) <= Limits.digits else {
                throw Fault(place, "round takes at most \(Limits.digits) digits")
            }
            return .number(number.rounded(toScale: Int32(digits), .halfUp))
        }
    }
    /// A whole number as a count.
    private static func whole(_ operand: Operand, _ what: String, _ place: Int) throws(Fault) -> Int {
        guard case .number(let number) = operand, number.isBounded,
            let count = number.shortened(toScale: 0).rescaled(0)?.unscaled.int64
        else { throw Fault(place, "\(what) needs whole numbers for places and counts") }
        return Int(count)
    }

    // Texts

    private static func textual(
        _ function: Function,
        _ text: String,
        _ arguments: [Operand],
        _ place: Int
    ) throws(Fault) -> Operand {
        switch function {
        case .length: return .number(Decimal(Int64(text.unicodeScalars.count)))
        case .lower: return try .text(bounded(text.lowercased(), place))
        case .upper: return try .text(bounded(text.uppercased(), place))
        case .trim: return .text(trimmed(text))
        case .substring: return try substring(text, arguments, place)
        case .replace: return try replaced(text, string(arguments[1]), string(arguments[2]), place)
        case .startswith: return .boolean(text.utf8.starts(with: string(arguments[1]).utf8))
        case .endswith: return .boolean(text.utf8.reversed().starts(with: string(arguments[1]).utf8.reversed()))
        default: return .boolean(places(of: Array(string(arguments[1]).utf8), in: Array(text.utf8), most: 1) != [])
        }
    }
    private static func string(_ operand: Operand) -> String {
        if case .text(let text) = operand { return text }
        return ""
    }
    private static func bounded(_ text: String, _ place: Int) throws(Fault) -> String {
        guard text.utf8.count <= Limits.textBytes else {
            throw Fault(place, "the text is longer than \(Limits.textBytes) bytes")
        }
        return text
    }
    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
    /// Characters are Unicode scalars, counted from 1; what lies outside the text is empty.
    private static func substring(_ text: String, _ arguments: [Operand], _ place: Int) throws(Fault) -> Operand {
        let scalars = text.unicodeScalars
        let start = max(0, min(try whole(arguments[1], "substring", place) &- 1, scalars.count))
        let count = arguments.count > 2 ? max(0, try whole(arguments[2], "substring", place)) : scalars.count
        return .text(String(String.UnicodeScalarView(scalars.dropFirst(start).prefix(count))))
    }
    private static func replaced(
        _ text: String,
        _ old: String,
        _ new: String,
        _ place: Int
    ) throws(Fault) -> Operand {
        let bytes = Array(text.utf8), wanted = Array(old.utf8), standIn = Array(new.utf8)
        guard !wanted.isEmpty else { return .text(text) }
        let found = places(of: wanted, in: bytes, most: Int.max)
        guard bytes.count + found.count * (standIn.count - wanted.count) <= Limits.textBytes else {
            throw Fault(place, "the text is longer than \(Limits.textBytes) bytes")
        }
        var result: [UInt8] = []
        var rest = 0
        for start in found {
            result += bytes[rest..<start] + standIn
            rest = start + wanted.count
        }
        return .text(String(decoding: result + bytes[rest...], as: UTF8.self))
    }
    /// Where a text lies in another, without overlaps.
    private static func places(of wanted: [UInt8], in bytes: [UInt8], most: Int) -> [Int] {
        guard let first = wanted.first else { return [0] }
        var found: [Int] = []
        var index = 0
        while index + wanted.count <= bytes.count, found.count < most {
            if bytes[index] == first, bytes[index..<(index + wanted.count)].elementsEqual(wanted) {
                found.append(index)
                index += wanted.count
            } else {
                index += 1
            }
        }
        return found
    }
    /// Null is the empty text here: half an address is better than none.
    private static func concatenated(_ arguments: [Operand], _ place: Int) throws(Fault) -> Operand {
        var result = ""
        for argument in arguments where argument != .null {
            guard case .text(let text) = try converted(.text, argument, place) else { continue }
            result = try bounded(result + text, place)
        }
        return .text(result)
    }

    // Conversions

    private static func converted(_ function: Function, _ operand: Operand, _ place: Int) throws(Fault) -> Operand {
        switch (function, operand) {
        case (.number, .number), (.text, .text), (.boolean, .boolean): return operand
        case (.number, .text(let text)):
            guard text.utf8.count <= Limits.digits * 2, let number = Decimal(trimmed(text)), number.isBounded else {
                throw Fault(place, "number cannot read the text as a number")
            }
            return .number(number)
        case (.number, .boolean(let flag)): return .number(Decimal(flag ? 1 : 0))
        case (.text, .number(let number)):
            guard number.isBounded else { throw Fault(place, "a number has more than \(Limits.digits) digits") }
            return .text(number.plainText)
        case (.text, .boolean(let flag)): return .text(flag ? "true" : "false")
        case (.boolean, .text(let text)):
            switch trimmed(text).lowercased() {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            default: throw Fault(place, "boolean cannot read the text: it is neither true nor false")
            }
        default: throw Fault(place, "\(function.rawValue) cannot read a value of kind \(operand.kindName)")
        }
    }
}
