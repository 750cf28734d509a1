/// A text with `{names}` in it, for topics and record keys.
///
/// `{type}`, `{filetype}`, `{chain}`, `{file}` and `{store}` come from the file; any other name is a field of the row or,
/// failing that, of the header. `{store}` is the row's or header's `storeid`, else the name's.
struct KeyTemplate: Sendable, Hashable {
    /// What is the same for all rows of a file.
    struct Fixed: Sendable, Hashable {
        var type: PriceFileType?
        var chain: String?
        var file: String
        var store: String?
    }
    private enum Part: Sendable, Hashable {
        case text(String)
        case type, longType, chain, file
        case field(slot: Int)
    }

    private let parts: [Part]
    /// The lower-case fields that the template takes from rows.
    let fields: [String]

    /// Nil when a brace is not closed or a name is empty.
    init?(_ text: String) {
        var parts: [Part] = []
        var fields: [String] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            let name = rest[rest.index(after: open)..<close].lowercased()
            switch name {
            case "": return nil
            case "type": parts.append(.type)
            case "filetype": parts.append(.longType)
            case "chain": parts.append(.chain)
            case "file": parts.append(.file)
            default:
                let field = name == "store" ? "storeid" : name
                if !fields.contains(field) { fields.append(field) }
                parts.append(.field(slot: fields.firstIndex(of: field) ?? 0))
            }
            rest = rest[rest.index(after: close)...]
        }
        if rest.contains("}") { return nil }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        (self.parts, self.fields) = (parts, fields)
    }

    /// The text when it is the same for all rows; nil when rows decide.
    func text(_ fixed: Fixed) -> String? { fields.isEmpty ? render(fixed) { _ in "" } : nil }

    /// Appends the text of one row; nothing when it is the same for all.
    func appendRowPart(
        to bytes: inout [UInt8],
        fixed: Fixed,
        captured: [[UInt8]],
        header: (String) -> String?
    ) {
        guard !fields.isEmpty else { return }
        let text = render(fixed) { slot in
            if !captured[slot].isEmpty { return String(decoding: captured[slot], as: UTF8.self) }
            return header(fields[slot]) ?? (fields[slot] == "storeid" ? fixed.store : nil) ?? ""
        }
        bytes.append(contentsOf: text.utf8)
    }

    private func render(_ fixed: Fixed, _ field: (Int) -> String) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .type: fixed.type?.rawValue ?? "unknown"
            case .longType: fixed.type?.longName ?? "unknown"
            case .chain: fixed.chain ?? "unknown"
            case .file: fixed.file
            case .field(let slot): field(slot)
            }
        }.joined()
    }
}
