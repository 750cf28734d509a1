extension Command {
    /// The help page of the last command of a path, ready to print, at most 100 columns wide where words allow.
    static func help(_ path: [Command]) -> String {
        let here = path[path.count - 1]
        var blocks = [wrapped(here.summary, indent: 0).joined(separator: "\n"), usage(path)]
        blocks.append(section("Commands:", here.commands.map { (left: $0.listed, right: $0.summary) }))
        blocks.append(section("Arguments:", here.arguments.map { (left: $0.usage, right: $0.help) }))
        let own = here.options.map { (left: $0.shape.left, right: $0.shape.right) }
        blocks.append(section("Options:", own + [(left: "-h, --help", right: "Show this help.")]))
        let inherited = path.dropLast().reversed().flatMap(\.options).map {
            (left: $0.shape.left, right: $0.shape.right)
        }
        blocks.append(section("Shared options:", inherited))
        blocks.append(here.details)
        if !here.commands.isEmpty { blocks.append("\"\(title(path)) <command> --help\" tells more about a command.") }
        return blocks.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    private var listed: String { ([name] + aliases).joined(separator: ", ") }

    private static func usage(_ path: [Command]) -> String {
        let here = path[path.count - 1]
        let parts = [title(path), "[options]"] + (here.commands.isEmpty ? here.arguments.map(\.usage) : ["<command>"])
        return "Usage: " + parts.joined(separator: " ")
    }
    private static func section(_ title: String, _ rows: [(left: String, right: String)]) -> String {
        guard !rows.isEmpty else { return "" }
        let width = min(30, rows.map(\.left.count).max() ?? 0)
        return rows.reduce(into: title) { text, row in
            var right = wrapped(row.right, indent: width + 4)[...]
            text += "\n  " + row.left
            if row.left.count <= width, let first = right.popFirst() {
                text += String(repeating: " ", count: width - row.left.count + 2) + first
            }
            for line in right { text += "\n" + String(repeating: " ", count: width + 4) + line }
        }
    }
    /// Lines of whole words that fit beside an indent.
    private static func wrapped(_ text: String, indent: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + word.count + 1 + indent <= 100 {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

extension OptionShape {
    /// As in `-p, --port <n>`.
    var left: String {
        let letter = short.map { "-\($0), " } ?? "    "
        return letter + "--" + (isNegatable ? "[no-]" : "") + name + (placeholder.map { " \($0)" } ?? "")
    }
    var right: String {
        var text = help
        if let defaultText { text += " [default: \(defaultText)]" }
        if isNegatable { text += " [default: on]" }
        if let environment { text += " [env: \(environment)]" }
        return text
    }
}
