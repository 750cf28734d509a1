import ConnectModel
import ConnectSDK
import JSONReading

extension BulkPlan {
    /// A raw key as text; nil for a JSON null.
    static func text(of key: RawSpan, _ format: RawFormat) throws(DocumentFault) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.append(key)
        guard format == .json else { return bytes }
        switch bytes.first ?? 0 {
        case UInt8(ascii: "\""), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"),
            UInt8(ascii: "f"), UInt8(ascii: "n"):
            if bytes.count > 1, bytes.last == UInt8(ascii: "\""), !bytes.contains(UInt8(ascii: "\\")) {
                return Array(bytes[1..<(bytes.count - 1)])
            }
            let parsed: Value
            do { parsed = try JSONParser().parse(bytes) } catch { throw DocumentFault("the key is not JSON") }
            return try text(of: parsed)
        default: throw DocumentFault("the key is no text, number or boolean, so it cannot be a document id")
        }
    }

    /// A parsed key as text, as Java prints it; nil for null.
    static func text(of key: Value) throws(DocumentFault) -> [UInt8]? {
        switch key {
        case .null: return nil
        case .string, .int8, .int16, .int32, .int64, .boolean, .float32, .float64, .decimal, .bigInteger:
            return Array(key.javaText.utf8)
        case .number(let number): return Array(number.text.utf8)
        default: throw DocumentFault("the key is no text, number or boolean, so it cannot be a document id")
        }
    }

    /// A parsed value as JSON; nil for a tombstone.
    static func document(of record: ConnectRecord) throws(DocumentFault) -> [UInt8]? {
        let value = record.value
        if value.value.isNull { return nil }
        if case .string(let text) = value.value { return Array(text.utf8) }
        var document: [UInt8] = []
        do throws(ConnectError) {
            try JSONWriter(decimals: .numeric, lenient: true).append(value.value, schema: value.schema, to: &document)
        } catch {
            throw DocumentFault(error.message)
        }
        return document
    }

    /// Whether a JSON text is null, the other form of a tombstone.
    static func isNull(_ value: RawSpan) -> Bool {
        guard value.byteCount == 4 else { return value.byteCount == 0 }
        return unsafe value.unsafeLoadUnaligned(as: UInt32.self) == 0x6C6C_756E  // "null"
    }

    /// Whether a JSON text begins and ends as an object does; the server checks the rest.
    static func isObject(_ value: RawSpan) -> Bool {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
        func byte(_ index: Int) -> UInt8 { unsafe value.unsafeLoad(fromByteOffset: index, as: UInt8.self) }
        var (first, last) = (0, value.byteCount - 1)
        while first < last, isBlank(byte(first)) { first += 1 }
        while last > first, isBlank(byte(last)) { last -= 1 }
        return first < last && byte(first) == UInt8(ascii: "{") && byte(last) == UInt8(ascii: "}")
    }

    /// Appends text in quotes; what is not plain ASCII is checked, as the server reads this line.
    static func append(quoted text: [UInt8], to body: inout [UInt8]) {
        let isPlain = text.allSatisfy {
            $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        guard isPlain else { return JSONWriter.append(string: String(decoding: text, as: UTF8.self), to: &body) }
        body.append(UInt8(ascii: "\""))
        body += text
        body.append(UInt8(ascii: "\""))
    }

    /// Appends a document of a data stream, which must have `@timestamp`: the record's own unless the name occurs.
    static func append(_ value: RawSpan, timestamp: Int64, to body: inout [UInt8]) {
        var document: [UInt8] = []
        document.append(jsonOnOneLine: value)
        let brace = document.firstIndex(of: UInt8(ascii: "{")) ?? 0
        let name = Array(#""@timestamp""#.utf8)
        guard document.firstRange(of: name) == nil else { return body.append(contentsOf: document) }
        let isEmpty = !document[(brace + 1)...].contains { $0 > 0x20 && $0 != UInt8(ascii: "}") }
        body.append(UInt8(ascii: "{"))
        body += name
        body.append(UInt8(ascii: ":"))
        JSONWriter.append(integer: max(0, timestamp), to: &body)
        if !isEmpty { body.append(UInt8(ascii: ",")) }
        body += document[(brace + 1)...]
    }
}
