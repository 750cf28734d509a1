internal import CPCRE2

/// A `pcre2_code`, which PCRE2 documents as safe to share between threads once it is compiled.
@safe final class Code: Sendable {
    nonisolated(unsafe) private let code: OpaquePointer
    nonisolated(unsafe) private let limits: OpaquePointer
    private let source: String
    let groupCount: Int
    let groupNames: [String: Int]

    /// Far more than honest patterns need for a name or a field; about a tenth of a second.
    private static let stepsMax: UInt32 = 1_000_000

    init(_ source: String, ignoringCase: Bool) throws(PatternError) {
        let translated = try JavaSyntax.translated(source)
        var (error, offset): (Int32, Int) = (0, 0)
        var options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK
        if ignoringCase { options |= PCRE2_CASELESS }
        let context = unsafe pcre2_compile_context_create_8(nil)
        unsafe pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_ANY))  // Java's line terminators, and a few more
        defer { unsafe pcre2_compile_context_free_8(context) }
        let bytes = Array(translated.utf8)
        let made = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe pcre2_compile_8(buffer.baseAddress, buffer.count, options, &error, &offset, context)
        }
        guard let made = unsafe made, let limits = unsafe pcre2_match_context_create_8(nil) else {
            let place = String(decoding: bytes.prefix(offset), as: UTF8.self)
            throw PatternError(
                code: .syntax,
                description: "pattern \"\(source)\": \(Self.message(error)), after \"\(place)\""
            )
        }
        unsafe pcre2_jit_compile_8(made, PCRE2_JIT_COMPLETE)  // without JIT it is slower, not wrong
        unsafe pcre2_set_match_limit_8(limits, Self.stepsMax)
        unsafe pcre2_set_heap_limit_8(limits, 16 << 10)  // KiB
        unsafe code = unsafe made
        unsafe self.limits = unsafe limits
        self.source = source
        (groupCount, groupNames) = unsafe Self.groups(made)
    }
    deinit {
        unsafe pcre2_code_free_8(code)
        unsafe pcre2_match_context_free_8(limits)
    }

    /// Pairs of UTF-8 offsets, one pair a group, -1 for groups that took no part; nil without a match.
    func match(_ text: String, from: Int, whole: Bool) throws(PatternError) -> [Int]? {
        var text = text
        let pairs = groupCount + 1
        let (status, offsets) = text.withUTF8 { bytes -> (Int32, [Int]) in
            guard let data = unsafe pcre2_match_data_create_8(UInt32(pairs), nil) else {
                return (PCRE2_ERROR_NOMEMORY, [])
            }
            defer { unsafe pcre2_match_data_free_8(data) }
            // The text of a Swift string is valid UTF-8: no need to look again.
            let options = PCRE2_NO_UTF_CHECK | (whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0)
            // An empty string may have no address, which PCRE2 does not take.
            var nothing: UInt8 = 0
            let status = unsafe withUnsafePointer(to: &nothing) { nothing in
                let start = unsafe bytes.baseAddress ?? nothing
                let fast = unsafe pcre2_match_8(code, start, bytes.count, from, options, data, limits)
                guard fast == PCRE2_ERROR_JIT_STACKLIMIT else { return fast }
                return unsafe pcre2_match_8(code, start, bytes.count, from, options | PCRE2_NO_JIT, data, limits)
            }
            guard status > 0, let vector = unsafe pcre2_get_ovector_pointer_8(data) else { return (status, []) }
            return unsafe (status, Array(UnsafeBufferPointer(start: vector, count: pairs * 2)))
        }
        if status == PCRE2_ERROR_NOMATCH { return nil }
        if status > 0 { return offsets }
        throw PatternError(
            code: .tooHard,
            description: "pattern \"\(source)\" on a text of \(text.utf8.count) bytes: \(Self.message(status)); "
                + "write it so that it backtracks less"
        )
    }

    private static func groups(_ code: OpaquePointer) -> (Int, [String: Int]) {
        var (count, names, size): (UInt32, UInt32, UInt32) = (0, 0, 0)
        var table: UnsafePointer<UInt8>?
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &names)
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size)
        _ = unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        var found: [String: Int] = [:]
        guard let table = unsafe table else { return (Int(count), found) }
        for index in 0..<Int(names) {
            // An entry is the group's number in two bytes, the higher one first, and the name with a zero at its end.
            let entry = unsafe table + index * Int(size)
            let number = unsafe Int(entry[0]) << 8 | Int(entry[1])
            let name = unsafe UnsafeBufferPointer(start: entry + 2, count: Int(size) - 2).prefix { $0 != 0 }
            found[String(decoding: name, as: UTF8.self)] = number
        }
        return (Int(count), found)
    }
    private static func message(_ code: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = unsafe pcre2_get_error_message_8(code, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self)
    }
}
