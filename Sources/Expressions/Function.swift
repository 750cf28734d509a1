/// A function by its name, in small letters.
enum Function: String, CaseIterable, Sendable {
    case `if`
    case coalesce, nullif
    case abs, round, floor, ceil, min, max
    case number, text, boolean
    case length, lower, upper, trim, concat, substring, replace, startswith, endswith, contains

    /// How many arguments it takes.
    var counts: ClosedRange<Int> {
        switch self {
        case .if, .replace: 3...3
        case .coalesce, .min, .max, .concat: 1...64
        case .nullif, .startswith, .endswith, .contains: 2...2
        case .round: 1...2
        case .substring: 2...3
        case .abs, .floor, .ceil, .number, .text, .boolean, .length, .lower, .upper, .trim: 1...1
        }
    }
    var countText: String {
        let low = counts.lowerBound, high = counts.upperBound
        if low == high { return low == 1 ? "1 argument" : "\(low) arguments" }
        return high == 64 ? "\(low) or more arguments" : "\(low) to \(high) arguments"
    }

    /// What the argument at a place must be; nil for anything.
    func wants(_ place: Int) -> Operand.Kind? {
        switch self {
        case .if: place == 0 ? .boolean : nil
        case .coalesce, .nullif, .number, .text, .boolean, .concat: nil
        case .abs, .round, .floor, .ceil, .min, .max: .number
        case .length, .lower, .upper, .trim, .replace, .startswith, .endswith, .contains: .text
        case .substring: place == 0 ? .text : .number
        }
    }
    /// What it gives; nil when that depends on its arguments.
    var gives: Operand.Kind? {
        switch self {
        case .if, .coalesce, .nullif: nil
        case .abs, .round, .floor, .ceil, .min, .max, .number, .length: .number
        case .text, .lower, .upper, .trim, .concat, .substring, .replace: .text
        case .boolean, .startswith, .endswith, .contains: .boolean
        }
    }
}
