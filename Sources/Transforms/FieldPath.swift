internal import ConnectConfig
internal import ConnectModel

/// A way to a field: its name (V1), or names separated by dots, with backticks around names that have dots (V2).
struct FieldPath: Sendable {
    enum Syntax: String, CaseIterable, Sendable {
        case plain = "V1"
        case nested = "V2"
    }

    static let syntaxKey = ConfigKey<Syntax>.choice(
        "field.syntax.version",
        default: .plain,
        importance: .high,
        "How the field is named. V1: the name of a top-level field. V2: names separated by dots, each in backticks where it "
            + "has dots itself."
    )

    private let steps: [String]
    private static let purpose = "nested field access"

    init(_ path: String, _ syntax: Syntax) throws(ConnectError) {
        steps = syntax == .plain ? [path] : try Self.split(Array(path.unicodeScalars), path)
    }

    private static func split(_ path: [Unicode.Scalar], _ text: String) throws(ConnectError) -> [String] {
        func string(_ range: Range<Int>) -> String { String(String.UnicodeScalarView(path[range])) }
        var steps: [String] = []
        var index = 0
        while index < path.count {
            guard path[index] == "`" else {
                guard let dot = path[index...].firstIndex(of: ".") else {
                    steps.append(string(index..<path.count))
                    break
                }
                steps.append(string(index..<dot))
                index = dot + 1
                continue
            }
            let opened = index
            index += 1
            var start = index
            var step = ""
            while true {
                let close = path[min(index, path.count)...].firstIndex(of: "`")
                guard let close, !(close == path.count - 1 && path[close - 1] == "\\") else {
                    throw .config(
                        "Incomplete backtick pair in path: [\(text)], consider adding a backslash before backtick at"
                            + " position \(opened) to escape it"
                    )
                }
                index = close + 1
                if close == path.count - 1 {
                    steps.append(step + string(start..<close))
                    break
                }
                if path[close + 1] != "." { continue }
                if path[close - 1] == "\\" {
                    step += string(start..<(close - 1)) + "`"
                    start = index
                    continue
                }
                steps.append(step + string(start..<close))
                index += 1
                break
            }
        }
        if path.last == "." { steps.append("") }
        return steps
    }

    private func last() throws(ConnectError) -> String {
        guard let last = steps.last else { throw ConnectError(.illegalArgument, "fromIndex(0) > toIndex(-1)") }
        return last
    }

    /// The field, or nil when a step does not exist.
    ///
    /// Throws when a step is not a struct.
    func field(in schema: Schema) throws(ConnectError) -> Field? {
        let last = try last()
        var current = schema
        for step in steps.dropLast() {
            guard let field = try current.structField(step) else { return nil }
            current = field.schema
        }
        return try current.structField(last)
    }

    /// The value, or null when a step does not exist.
    ///
    /// Throws when a step is not a struct.
    func value(in structure: StructValue, orDefault: Bool) throws(ConnectError) -> Value {
        let last = try last()
        var current = structure
        for step in steps.dropLast() {
            guard let field = current.schema.field(step) else { return .null }
            let value = current.value(field)
            if value.isNull { return .null }
            current = try value.structure(for: Self.purpose)
        }
        guard let field = current.schema.field(last) else { return .null }
        return current.value(field, orDefault: orDefault)
    }

    /// The value, or null when a step does not exist.
    ///
    /// Throws when a step is not a map.
    func value(in map: MapValue) throws(ConnectError) -> Value {
        let last = try last()
        var current = map
        for step in steps.dropLast() {
            guard let value = current[step], !value.isNull else { return .null }
            current = try value.map(for: Self.purpose)
        }
        return current[last] ?? .null
    }
}
