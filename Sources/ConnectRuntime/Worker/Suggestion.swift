/// Guesses what a mistyped key was meant to be.
enum Suggestion {
    /// The known name nearest to `text`, if it is near enough to be a slip; nil otherwise.
    static func nearest(to text: String, among known: some Sequence<String>) -> String? {
        let limit = max(1, min(3, text.count / 4))
        let near = known.map { ($0, distance(Array(text.lowercased()), Array($0.lowercased()), limit)) }
            .filter { $0.1 <= limit }
        return near.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    }
    /// The sentence to append, or nothing.
    static func hint(for text: String, among known: some Sequence<String>) -> String {
        nearest(to: text, among: known).map { " Did you mean \($0)?" } ?? ""
    }
    /// Edits (insert, remove, replace, swap of neighbours) from one to the other; more than `limit` may be told as `limit` + 1.
    static func distance(_ a: [Character], _ b: [Character], _ limit: Int) -> Int {
        guard abs(a.count - b.count) <= limit else { return limit + 1 }
        var before: [Int] = [], last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
