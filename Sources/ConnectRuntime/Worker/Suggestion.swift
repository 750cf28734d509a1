import Spelling

/// Guesses what a mistyped key was meant to be.
enum Suggestion {
    /// The known name nearest to `text`, if it is near enough to be a slip; nil otherwise.
    static func nearest(to text: String, among known: some Sequence<String>) -> String? {
        Spelling.nearest(to: text, among: known.sorted(), within: max(1, min(3, text.count / 4)))
    }
    /// The sentence to append, or nothing.
    static func hint(for text: String, among known: some Sequence<String>) -> String {
        nearest(to: text, among: known).map { " Did you mean \($0)?" } ?? ""
    }
}
