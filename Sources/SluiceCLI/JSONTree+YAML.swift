import YAMLWriting

extension JSONTree {
    /// The same tree as YAML.
    func yamlText() throws -> String { try yaml.yamlText() }

    private var yaml: YAMLValue {
        switch self {
        case .null: .null
        case .boolean(let flag): .boolean(flag)
        case .integer(let number): .number("\(number)")
        case .number(let number): .number("\(number)")
        case .text(let text): .text(text)
        case .list(let list): .list(list.map(\.yaml))
        case .object(let object):
            .map(object.sorted { $0.key < $1.key }.map { YAMLValue.Member($0.key, $0.value.yaml) })
        }
    }
}
