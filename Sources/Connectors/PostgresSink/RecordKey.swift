import ConnectSDK
import JSONReading

/// A record's key as the sink sees it: an object with fields, one value, or nothing.
final class RecordKey {
    enum Form { case none, object, value, malformed }
    private(set) var form = Form.none
    private let reader = JSONObjectReader()
    private var scratch: [UInt8] = []
    private var plain: [UInt8] = []
    private var isText = false

    /// Reads a key's bytes.
    func read(_ key: RawSpan?, _ format: RawFormat) {
        form = .none
        isText = false
        guard let key else { return }
        guard format == .json else {
            plain.removeAll(keepingCapacity: true)
            append(key, to: &plain)
            (form, isText) = (.value, true)
            return
        }
        // A key that is no object becomes the field of one, so that one reader does for both.
        let isObject = firstByte(key) == UInt8(ascii: "{")
        scratch.removeAll(keepingCapacity: true)
        if !isObject { scratch += Array("{\"\":".utf8) }
        append(key, to: &scratch)
        if !isObject { scratch.append(UInt8(ascii: "}")) }
        do throws(JSONError) { try reader.read(scratch) } catch {
            form = .malformed
            return
        }
        if isObject {
            form = .object
        } else {
            form = reader.count == 1 && reader.kind(0) != .null ? .value : .none
        }
    }

    /// The names of an object's fields.
    var names: [String] { form == .object ? (0..<reader.count).map(reader.key) : [] }

    /// Lends an object's field, or the key itself when it is no object; false when there is none.
    func with(_ name: [UInt8], _ body: (JSONKind, _ content: RawSpan, _ raw: RawSpan) -> Void) -> Bool {
        if isText {
            let text = plain
            let bytes = unsafe text.span.bytes
            body(.string, bytes, bytes)
            return true
        }
        let field: Int?
        switch form {
        case .none, .malformed: field = nil
        case .value: field = 0
        case .object: field = reader.field(name)
        }
        guard let field else { return false }
        reader.withContent(field) { content in reader.withRaw(field) { body(reader.kind(field), content, $0) } }
        return true
    }

    private func firstByte(_ bytes: RawSpan) -> UInt8? {
        for index in 0..<bytes.byteCount {
            let byte = bytes.unsafeLoadByte(index)
            if byte > 0x20 { return byte }
        }
        return nil
    }
}
