import Synchronization

/// One metric name with its series, one per set of label values; the number of series is bounded: the first `limit`
/// sets get one each, all later ones share the series labelled `other`.
public final class Family<Metric: Sendable>: Sendable {
    let name: String
    let help: String
    let labels: [String]
    private let limit: Int
    private let make: @Sendable () -> Metric
    private let series = Mutex<[[String]: Metric]>([:])

    init(_ name: String, _ help: String, _ labels: [String], limit: Int, _ make: @escaping @Sendable () -> Metric) {
        (self.name, self.help, self.labels, self.limit, self.make) = (name, help, labels, limit, make)
    }
    /// The series of these label values, in the order of the declaration; made when it is asked for first.
    public func callAsFunction(_ values: String...) -> Metric {
        precondition(values.count == labels.count, "\(name) has labels \(labels), got \(values)")
        return series.withLock { series in
            if let known = series[values] { return known }
            let key = series.count < limit ? values : labels.map { _ in "other" }
            if let known = series[key] { return known }
            let made = make()
            series[key] = made
            return made
        }
    }
    /// Forgets the series of a connector or task that is gone; `isGone` gets the label values.
    public func remove(where isGone: ([String]) -> Bool) { series.withLock { $0 = $0.filter { !isGone($0.key) } } }

    var sorted: [(labels: [String], metric: Metric)] {
        series.withLock { $0.map { ($0.key, $0.value) } }.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
    }
    /// All label values in declared order, each with its metric.
    public var all: [(labels: [String], metric: Metric)] { sorted }
}

/// One number as it stands in the exposition.
public struct Sample: Sendable, Equatable {
    /// The metric's name; of a histogram with its suffix `_bucket`, `_sum` or `_count`.
    public var name: String
    /// Label names and values in declared order.
    public var labels: [String: String]
    /// The number.
    public var value: Double
}

struct Line: Sendable {
    var suffix = ""
    var labels: Labels
    var value: Double
}

struct Labels: CustomStringConvertible, Sendable {
    var pairs: [(name: String, value: String)]
    func adding(_ name: String, _ value: String) -> Self { Self(pairs: pairs + [(name, value)]) }
    var description: String {
        let texts = pairs.map { "\($0.name)=\"\(escaped($0.value, quote: true))\"" }
        return texts.isEmpty ? "" : "{" + texts.joined(separator: ",") + "}"
    }
}

func escaped(_ text: String, quote: Bool) -> String {
    text.unicodeScalars.reduce(into: "") { out, scalar in  // not characters: "\r\n" is one of those
        switch scalar {
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\"" where quote: out += "\\\""
        default: out.unicodeScalars.append(scalar)
        }
    }
}

/// 3 and not 3.0; `+Inf`, `-Inf`, `NaN` as the format wants them.
func number(_ value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return value.isNaN ? "NaN" : Int(exactly: value).map(String.init) ?? "\(value)"
}
