/// Guesses what a mistyped word was meant to be.
public enum Spelling {
    /// The known word nearest to `word` whatever the case of letters, at most `limit` edits away; the first of equals.
    public static func nearest(to word: String, among known: some Sequence<String>, within limit: Int) -> String? {
        var best: (word: String, distance: Int)?
        let letters = Array(word.lowercased())
        for candidate in known {
            let found = distance(letters, Array(candidate.lowercased()), within: limit)
            if found <= limit, best.map({ found < $0.distance }) ?? true { best = (candidate, found) }
        }
        return best?.word
    }

    /// How many letters must be put in, taken out, replaced or swapped with their neighbour; more than `limit` may be told
    /// as `limit` + 1.
    static func distance(_ a: [Character], _ b: [Character], within limit: Int) -> Int {
        guard abs(a.count - b.count) <= limit else { return limit + 1 }
        var (beforeLast, last) = ([Int](), Array(0...b.count))
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
