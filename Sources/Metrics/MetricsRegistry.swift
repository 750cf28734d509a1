import Synchronization

/// All metrics of a worker; a value handed down, not a global, so that tests do not share one.
///
/// Declaring a metric again with the same type and labels gives the same family, so that each task may declare what it
/// counts.
///
/// ```swift
/// let written = metrics.counter("connect_sink_records_written_total", "Records written.", labels: ["connector", "task"])
/// written("orders", "0").add(batch.count)
/// ```
public final class MetricsRegistry: Sendable {
    private struct Entry: Sendable {
        var help: String
        var type: String
        var labels: [String]
        /// The family; nil when the numbers are read from elsewhere.
        var family: (any Sendable)?
        var lines: @Sendable () -> [Line]
    }
    private let entries = Mutex<[String: Entry]>([:])
    private let seriesMax: Int

    /// No family has more than `seriesMax` series and one called `other`.
    public init(seriesMax: Int = 1_000) { self.seriesMax = seriesMax }

    /// A counter family; its name ends in `_total`.
    public func counter(_ name: String, _ help: String, labels: [String] = []) -> Family<Counter> {
        precondition(name.hasSuffix("_total"), "a counter's name ends in _total: \(name)")
        return family(Family(name, help, labels, limit: seriesMax) { Counter() }, "counter") { labels, counter in
            [Line(labels: labels, value: Double(counter.current))]
        }
    }
    /// A gauge family.
    public func gauge(_ name: String, _ help: String, labels: [String] = []) -> Family<Gauge> {
        family(Family(name, help, labels, limit: seriesMax) { Gauge() }, "gauge") { labels, gauge in
            [Line(labels: labels, value: gauge.current)]
        }
    }
    /// A gauge that is read when someone scrapes: for what is known elsewhere already (queue length, resident memory).
    public func gauge(_ name: String, _ help: String, read: @escaping @Sendable () -> Double) {
        gauge(name, help, labels: []) { [([], read())] }
    }
    /// A counter that is read when someone scrapes; its name ends in `_total`.
    public func counter(_ name: String, _ help: String, read: @escaping @Sendable () -> Double) {
        precondition(name.hasSuffix("_total"), "a counter's name ends in _total: \(name)")
        add(
            name,
            Entry(help: help, type: "counter", labels: [], family: nil) {
                [Line(labels: Labels(pairs: []), value: read())]
            }
        )
    }
    /// Gauges that are read when someone scrapes, each with its label values in declared order; at most as many as a
    /// family may have.
    public func gauge(
        _ name: String,
        _ help: String,
        labels: [String],
        read: @escaping @Sendable () -> [(labels: [String], value: Double)]
    ) {
        let limit = seriesMax
        add(
            name,
            Entry(help: help, type: "gauge", labels: labels, family: nil) {
                read().prefix(limit).map { Line(labels: Labels(pairs: Array(zip(labels, $0.labels))), value: $0.value) }
            }
        )
    }
    /// A histogram family; `bounds` are the buckets' upper ends, rising, in the unit the name ends in.
    public func histogram(
        _ name: String,
        _ help: String,
        labels: [String] = [],
        bounds: [Double]
    ) -> Family<Histogram> {
        precondition(
            zip(bounds, bounds.dropFirst()).allSatisfy(<) && !labels.contains("le"),
            "bounds of \(name) must rise"
        )
        let made = Family(name, help, labels, limit: seriesMax) { Histogram(bounds: bounds) }
        return family(made, "histogram") { labels, histogram in
            let state = histogram.current
            var lines: [Line] = []
            var total = 0
            for (bound, count) in zip(bounds.map(number) + ["+Inf"], state.counts) {
                total += count
                lines.append(Line(suffix: "_bucket", labels: labels.adding("le", bound), value: Double(total)))
            }
            lines.append(Line(suffix: "_sum", labels: labels, value: state.sum))
            return lines + [Line(suffix: "_count", labels: labels, value: Double(total))]
        }
    }

    /// Text exposition format 0.0.4, families in order of name.
    public func text() -> String {
        sorted.reduce(into: "") { text, item in
            let (name, entry) = (item.key, item.value)
            text += "# HELP \(name) \(escaped(entry.help, quote: false))\n# TYPE \(name) \(entry.type)\n"
            for line in entry.lines() { text += "\(name)\(line.suffix)\(line.labels) \(number(line.value))\n" }
        }
    }
    /// The same numbers as values, in the same order.
    public func samples() -> [Sample] {
        sorted.flatMap { name, entry in
            entry.lines().map { line in
                let labels = Dictionary(line.labels.pairs.map { ($0.name, $0.value) }) { first, _ in first }
                return Sample(name: name + line.suffix, labels: labels, value: line.value)
            }
        }
    }
    /// Forgets the series of all families that have these label values, such as a deleted connector's.
    public func removeSeries(where wanted: [String: String]) {
        for remove in removers.withLock({ Array($0.values) }) { remove(wanted) }
    }

    private let removers = Mutex<[String: @Sendable ([String: String]) -> Void]>([:])

    private var sorted: [(key: String, value: Entry)] {
        entries.withLock { Array($0) }.sorted { $0.key < $1.key }
    }
    private func family<M: Sendable>(
        _ made: Family<M>,
        _ type: String,
        _ lines: @escaping @Sendable (Labels, M) -> [Line]
    ) -> Family<M> {
        let entry = Entry(help: made.help, type: type, labels: made.labels, family: made) {
            made.sorted.flatMap { lines(Labels(pairs: Array(zip(made.labels, $0.labels))), $0.metric) }
        }
        guard let known = add(made.name, entry) as? Family<M> else {
            removers.withLock { removers in
                removers[made.name] = { wanted in
                    guard wanted.keys.allSatisfy(made.labels.contains) else { return }
                    made.remove { values in zip(made.labels, values).allSatisfy { wanted[$0] ?? $1 == $1 } }
                }
            }
            return made
        }
        return known
    }
    /// The family declared before under this name, if any.
    @discardableResult
    private func add(_ name: String, _ entry: Entry) -> (any Sendable)? {
        entries.withLock { entries in
            guard let known = entries[name] else {
                entries[name] = entry
                return nil
            }
            precondition(
                known.type == entry.type && known.labels == entry.labels && known.family != nil && entry.family != nil,
                "metric \(name) is declared twice, with different types, labels or readers"
            )
            return known.family
        }
    }
}
