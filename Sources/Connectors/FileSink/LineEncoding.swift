import ConnectModel
import ConnectSDK

/// How raw values become lines.
enum LineEncoding {
    /// JSON stays as it is, on one line.
    case json
    /// Text becomes a JSON string, bytes become one in Base64.
    case quotedText, quotedBytes
    /// Anything stays as it is.
    case asIs

    init(_ format: FileSinkConfig.Format, of value: RawFormat) {
        switch (format, value) {
        case (.text, _): self = .asIs
        case (.json, .json): self = .json
        case (.json, .utf8): self = .quotedText
        case (.json, .bytes): self = .quotedBytes
        }
    }

    /// Appends a value without a line's end; nil is written as null.
    func append(_ value: RawSpan?, to lines: inout [UInt8]) {
        guard let value else { return lines.append(contentsOf: "null".utf8) }
        switch self {
        case .asIs: lines.append(value)
        case .json: lines.append(jsonOnOneLine: value)
        case .quotedText:
            var bytes: [UInt8] = []
            bytes.append(value)
            JSONWriter.append(string: String(decoding: bytes, as: UTF8.self), to: &lines)
        case .quotedBytes:
            var bytes: [UInt8] = []
            bytes.append(value)
            JSONWriter.append(base64: bytes, to: &lines)
        }
    }
}
