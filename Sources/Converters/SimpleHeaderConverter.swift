internal import ConnectModel
internal import ConnectSDK

/// Writes header values as text and guesses their types when it reads them.
struct SimpleHeaderConverter: HeaderConverter {
    func toConnectHeader(topic: String, name: String, bytes: [UInt8]?) throws(DataError) -> SchemaAndValue {
        guard let bytes else { return .null }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.isEmpty { return SchemaAndValue(.string, .string(text)) }
        var guess = HeaderText(text)
        do throws(ConnectError) { return try guess.parse(isEmbedded: false) ?? .null } catch {
            return SchemaAndValue(.bytes, .bytes(bytes))
        }
    }

    func fromConnectHeader(topic: String, name: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        guard !data.value.isNull else { return nil }
        var text = ""
        do throws(ConnectError) { try HeaderText.append(data.value, isEmbedded: false, to: &text) } catch {
            throw DataError(error)
        }
        return Array(text.utf8)
    }
}

extension HeaderText {
    /// As Connect's `Values.convertToString`: text in lists, maps and structs stands in quotes, bytes are Base64.
    static func append(_ value: Value, isEmbedded: Bool, to text: inout String) throws(ConnectError) {
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
                try append(element, isEmbedded: true, to: &text)
            }
            text += "]"
        case .map(let map):
            text += "{"
            for (index, entry) in map.entries.enumerated() {
                if index > 0 { text += "," }
                try append(entry.key, isEmbedded: true, to: &text)
                text += ":"
                try append(entry.value, isEmbedded: true, to: &text)
            }
            text += "}"
        case .structure(let structure):
            text += "{"
            for field in structure.schema.fields {
                if field.index > 0 { text += "," }
                try append(.string(field.name), isEmbedded: true, to: &text)
                text += ":"
                try append(structure.value(field), isEmbedded: true, to: &text)
            }
            text += "}"
        case .date(let milliseconds): text += JavaDateFormat.forDate(milliseconds).text(milliseconds)
        default: text += value.javaText
        }
    }
}
