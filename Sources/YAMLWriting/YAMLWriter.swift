import CYAML

/// libyaml refused a document; only memory can be the reason, since every ``YAMLValue`` can be written.
public struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// libyaml's word for it.
    public let description: String
}

extension YAMLValue {
    /// The value as a YAML 1.1 document in block style, UTF-8, ending in a line break.
    public func yamlText() throws(YAMLError) -> String {
        let writer = try YAMLWriter()
        try writer.write(self)
        return writer.text
    }
}

/// One libyaml emitter; its output grows in `text`.
@safe private final class YAMLWriter {
    private let emitter: UnsafeMutablePointer<yaml_emitter_t>
    private var bytes: [UInt8] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }

    init() throws(YAMLError) {
        unsafe emitter = .allocate(capacity: 1)
        guard unsafe yaml_emitter_initialize(emitter) == 1 else {
            unsafe emitter.deallocate()
            throw YAMLError(description: "libyaml: no memory for an emitter")
        }
        unsafe yaml_emitter_set_output(emitter, onOutput, Unmanaged.passUnretained(self).toOpaque())
        unsafe yaml_emitter_set_unicode(emitter, 1)
        unsafe yaml_emitter_set_width(emitter, -1)
    }
    deinit {
        unsafe yaml_emitter_delete(emitter)
        unsafe emitter.deallocate()
    }

    func append(_ piece: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: piece) }

    func write(_ value: YAMLValue) throws(YAMLError) {
        try unsafe emit { unsafe yaml_stream_start_event_initialize($0, YAML_UTF8_ENCODING) }
        try unsafe emit { unsafe yaml_document_start_event_initialize($0, nil, nil, nil, 1) }
        try node(value)
        try unsafe emit { unsafe yaml_document_end_event_initialize($0, 1) }
        try unsafe emit { unsafe yaml_stream_end_event_initialize($0) }
    }
    private func node(_ value: YAMLValue) throws(YAMLError) {
        switch value {
        case .null: try scalar("null", YAML_PLAIN_SCALAR_STYLE)
        case .boolean(let flag): try scalar(flag ? "true" : "false", YAML_PLAIN_SCALAR_STYLE)
        case .number(let text): try scalar(text, YAML_PLAIN_SCALAR_STYLE)
        case .text(let text): try scalar(text, Self.style(for: text))
        case .list(let elements):
            try unsafe emit { unsafe yaml_sequence_start_event_initialize($0, nil, nil, 1, YAML_BLOCK_SEQUENCE_STYLE) }
            for element in elements { try node(element) }
            try unsafe emit { unsafe yaml_sequence_end_event_initialize($0) }
        case .map(let members):
            try unsafe emit { unsafe yaml_mapping_start_event_initialize($0, nil, nil, 1, YAML_BLOCK_MAPPING_STYLE) }
            for member in members {
                try scalar(member.key, Self.style(for: member.key))
                try node(member.value)
            }
            try unsafe emit { unsafe yaml_mapping_end_event_initialize($0) }
        }
    }
    private func scalar(_ text: String, _ style: yaml_scalar_style_t) throws(YAMLError) {
        var text = text
        let made = text.withUTF8 { utf8 in
            var event = unsafe yaml_event_t()
            let start = unsafe UnsafeMutablePointer(mutating: utf8.baseAddress)
            let length = CInt(utf8.count)
            guard unsafe yaml_scalar_event_initialize(&event, nil, nil, start, length, 1, 1, style) == 1 else {
                return false
            }
            return unsafe yaml_emitter_emit(emitter, &event) == 1  // takes the event over, also when it fails
        }
        guard made else { throw problem() }
    }
    private func emit(_ fill: (UnsafeMutablePointer<yaml_event_t>) -> CInt) throws(YAMLError) {
        var event = unsafe yaml_event_t()
        guard unsafe fill(&event) == 1, unsafe yaml_emitter_emit(emitter, &event) == 1 else { throw problem() }
    }
    private func problem() -> YAMLError {
        let word = unsafe emitter.pointee.problem.map { unsafe String(cString: $0) }
        return YAMLError(description: "libyaml: \(word ?? "no memory")")
    }

    /// Texts that a reader would take for a number, a truth value, null or a date are quoted; long ones stand in a block.
    private static func style(for text: String) -> yaml_scalar_style_t {
        if text.contains("\n"), text.unicodeScalars.allSatisfy({ $0 == "\n" || $0.value >= 0x20 }), text.first != " " {
            return YAML_LITERAL_SCALAR_STYLE
        }
        return readsAsSomethingElse(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE
    }
    private static let words: Set<String> = [
        "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf", "-.inf", "+.inf", "<<",
        "=",
    ]
    private static func readsAsSomethingElse(_ text: String) -> Bool {
        if words.contains(text.lowercased()) { return true }
        guard let first = text.utf8.first else { return true }
        // Numbers, dates, times and sexagesimals all begin so and have nothing but these; a quote too many does no harm.
        let begins = Set("0123456789+-.".utf8), goesOn = Set("0123456789+-.:_eExXoabcdefABCDEFTZ ".utf8)
        return begins.contains(first) && text.utf8.allSatisfy { goesOn.contains($0) }
            && text.utf8.contains { (0x30...0x39).contains($0) }
    }
}

/// Called by libyaml on the thread that emits, with the writer as its data.
private func onOutput(
    _ data: UnsafeMutableRawPointer?,
    _ buffer: UnsafeMutablePointer<UInt8>?,
    _ size: Int
) -> CInt {
    guard let data = unsafe data, let buffer = unsafe buffer else { return 0 }
    unsafe Unmanaged<YAMLWriter>.fromOpaque(data).takeUnretainedValue()
        .append(UnsafeRawBufferPointer(start: buffer, count: size))
    return 1
}
