/// `; did you mean "worker"?` or nothing.
func suggestion(for word: String, among candidates: [String], prefix: String = "") -> String {
    let limit = max(1, word.count / 3)
    let near = candidates.map { (name: $0, distance: distance(word.lowercased(), $0.lowercased())) }
        .filter { $0.distance <= limit || (word.count > 1 && $0.name.hasPrefix(word)) }
        .min { $0.distance < $1.distance }
    return near.map { "; did you mean \(prefix.isEmpty ? "\"\($0.name)\"" : prefix + $0.name)?" } ?? ""
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour.
func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
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
