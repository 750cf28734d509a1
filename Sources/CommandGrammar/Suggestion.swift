import Spelling

/// `; did you mean "worker"?` or nothing; the beginning of a word means it as well.
func suggestion(for word: String, among candidates: [String], prefix: String = "") -> String {
    let near =
        Spelling.nearest(to: word, among: candidates, within: max(1, word.count / 3))
        ?? candidates.first { word.count > 1 && $0.hasPrefix(word) }
    return near.map { "; did you mean \(prefix.isEmpty ? "\"\($0)\"" : prefix + $0)?" } ?? ""
}
