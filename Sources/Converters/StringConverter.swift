internal import ConnectConfig
internal import ConnectModel
internal import ConnectSDK

/// Text in a character encoding; whatever is not text is written as Java's `toString` prints it.
struct StringConverter: Converter {
    enum Keys {
        static let encoding = ConfigKey<String>.string(
            "converter.encoding",
            default: "UTF-8",
            importance: .high,
            "The character encoding of the bytes: UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE or UTF-16LE."
        ).shown(as: "Encoding")
        static let all: [any AnyConfigKey] = [encoding]
    }

    private let reading: TextEncoding
    private let writing: TextEncoding

    init(_ config: [String: String], isKey: Bool) throws(ConnectError) {
        let name = config[Keys.encoding.name] == nil ? nil : try Keys.encoding.read(config)
        reading = try Self.encoding(name, config, isKey, "deserializer")
        writing = try Self.encoding(name, config, isKey, "serializer")
    }

    /// Kafka's own serializers stand behind the converter, and their options still count where its own is not given.
    private static func encoding(
        _ name: String?,
        _ config: [String: String],
        _ isKey: Bool,
        _ role: String
    ) throws(ConnectError) -> TextEncoding {
        let given =
            name ?? config["\(isKey ? "key" : "value").\(role).encoding"] ?? config["\(role).encoding"]
            ?? Keys.encoding.defaultValue ?? "UTF-8"
        guard let encoding = TextEncoding(name: given) else {
            throw ConnectError(.serialization, "Unsupported encoding \(given)")
        }
        return encoding
    }

    var rawFormat: RawFormat? { reading == .utf8 && writing == .utf8 ? .utf8 : nil }

    func toConnect(topic: String, bytes: RawSpan?) throws(DataError) -> SchemaAndValue {
        SchemaAndValue(.optionalString, (bytes?.array).map { .string(reading.decode($0)) } ?? .null)
    }

    func fromConnect(topic: String, _ data: SchemaAndValue) throws(DataError) -> [UInt8]? {
        data.value.isNull ? nil : writing.encode(data.value.javaText)
    }
}

/// The encodings every Java runtime has.
enum TextEncoding: String, CaseIterable {
    case utf8, ascii, latin1, utf16, utf16BigEndian, utf16LittleEndian

    private static let names: [Self: [String]] = [
        .utf8: ["utf-8", "utf8", "unicode-1-1-utf-8"],
        .ascii: ["us-ascii", "ascii", "ascii7", "iso646-us", "iso_646.irv:1991", "ansi_x3.4-1968", "646", "cp367"],
        .latin1: ["iso-8859-1", "iso8859_1", "iso8859-1", "iso_8859-1", "latin1", "l1", "cp819", "8859_1", "ibm819"],
        .utf16: ["utf-16", "utf16", "utf_16", "unicode", "unicodebig"],
        .utf16BigEndian: ["utf-16be", "utf_16be", "x-utf-16be", "unicodebigunmarked", "iso-10646-ucs-2"],
        .utf16LittleEndian: ["utf-16le", "utf_16le", "x-utf-16le", "unicodelittleunmarked"],
    ]

    /// By any of its names, whatever the case of the letters.
    init?(name: String) {
        let wanted = name.lowercased()
        guard let found = Self.allCases.first(where: { Self.names[$0]?.contains(wanted) == true }) else { return nil }
        self = found
    }

    /// What cannot be read becomes U+FFFD.
    func decode(_ bytes: [UInt8]) -> String {
        switch self {
        case .utf8: String(decoding: bytes, as: UTF8.self)
        case .ascii: String(String.UnicodeScalarView(bytes.map { $0 < 0x80 ? Unicode.Scalar($0) : "\u{FFFD}" }))
        case .latin1: String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        case .utf16:
            if bytes.starts(with: [0xFF, 0xFE]) {
                Self.utf16LittleEndian.decode(Array(bytes.dropFirst(2)))
            } else {
                Self.utf16BigEndian.decode(bytes.starts(with: [0xFE, 0xFF]) ? Array(bytes.dropFirst(2)) : bytes)
            }
        case .utf16BigEndian: decodeUnits(bytes, high: 0)
        case .utf16LittleEndian: decodeUnits(bytes, high: 1)
        }
    }

    private func decodeUnits(_ bytes: [UInt8], high: Int) -> String {
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map {
            UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + 1 - high])
        }
        return String(decoding: units, as: UTF16.self) + (bytes.count % 2 == 1 ? "\u{FFFD}" : "")
    }

    /// What the encoding does not have becomes a question mark.
    func encode(_ text: String) -> [UInt8] {
        switch self {
        case .utf8: Array(text.utf8)
        case .ascii: text.unicodeScalars.map { $0.value < 0x80 ? UInt8($0.value) : UInt8(ascii: "?") }
        case .latin1: text.unicodeScalars.map { $0.value < 0x100 ? UInt8($0.value) : UInt8(ascii: "?") }
        case .utf16: [0xFE, 0xFF] + Self.utf16BigEndian.encode(text)
        case .utf16BigEndian: text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        case .utf16LittleEndian: text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        }
    }
}
