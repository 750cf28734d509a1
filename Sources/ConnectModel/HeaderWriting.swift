extension HeaderText {
    /// As Connect's `Values.convertToString`: text in lists, maps and structs stands in quotes, bytes are Base64.
    public static func text(_ value: Value) -> String {
        var text = ""
        append(value, isEmbedded: false, to: &text)
        return text
    }

    private static func append(_ value: Value, isEmbedded: Bool, to text: inout String) {
        switch value {
        case .string(let string):
            guard isEmbedded else { return text += string }
            text += "\""
            for character in string.unicodeScalars {
                if character == "\\" || character == "\"" { text += "\\" }
                text.unicodeScalars.append(character)
            }
            text += "\""
        case .bytes(let bytes): text += isEmbedded ? "\"\(Base64.encode(bytes))\"" : Base64.encode(bytes)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                append(element, isEmbedded: true, to: &text)
            }
            text += "]"
        case .map(let map):
            text += "{"
            for (index, entry) in map.entries.enumerated() {
                if index > 0 { text += "," }
                append(entry.key, isEmbedded: true, to: &text)
                text += ":"
                append(entry.value, isEmbedded: true, to: &text)
            }
            text += "}"
        case .structure(let structure):
            text += "{"
            for field in structure.schema.fields {
                if field.index > 0 { text += "," }
                append(.string(field.name), isEmbedded: true, to: &text)
                text += ":"
                append(structure.value(field), isEmbedded: true, to: &text)
            }
            text += "}"
        case .date(let milliseconds): text += JavaDateFormat.forDate(milliseconds).text(milliseconds)
        default: text += value.javaText
        }
    }
}
