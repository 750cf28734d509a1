import CommandGrammar

/// How data is shown.
enum OutputFormat: String, CaseIterable, Sendable {
    case table
    case json
    case yaml
}

/// Rows under headings, columns as wide as their widest cell; no line ends in blanks.
struct TextTable {
    let headings: [String]
    private(set) var rows: [[String]] = []

    init(_ headings: [String]) { self.headings = headings }

    mutating func add(_ cells: [String]) {
        precondition(cells.count == headings.count, "\(cells.count) cells under \(headings.count) headings")
        rows.append(cells)
    }
    var text: String {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { cells in
            var line = ""
            for (cell, width) in zip(cells, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 3)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}

extension Terminal {
    /// One renderer for all commands: the body as JSON or YAML, or the table made of it.
    func show(_ body: some Encodable, as format: OutputFormat, table: () -> String) throws {
        switch format {
        case .table: out(table())
        case .json: out(try JSONTree.of(body).jsonText())
        case .yaml: out(try JSONTree.of(body).yamlText())
        }
    }
}
