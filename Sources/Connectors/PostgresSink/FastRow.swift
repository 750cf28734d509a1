import JSONReading

/// Rows whose fields are all copied as they stand: numbers, truth values, nulls, and texts without escapes.
///
/// Nearly all records are like that. Their length is known before a byte is copied, so the row is appended in one go.
enum FastRow {
    /// How a column takes values as they stand.
    enum Class: UInt8, Sendable {
        /// Every scalar.
        case plain
        /// Whole numbers of few digits, and texts.
        case smallint, integer
        /// Texts without an offset from UTC, or with a Z.
        case timestamp
        /// Texts.
        case text
        /// None: its fields need a closer look.
        case never

        init(_ kind: ColumnKind) {
            switch kind {
            case .text, .other, .number, .boolean: self = .plain
            case .integer(_, let max): self = max <= Int64(Int16.max) ? .smallint : .integer
            case .timestamp: self = .timestamp
            case .timestampWithZone, .date, .time: self = .text
            case .json, .bytes, .array: self = .never
            }
        }
    }

    /// The length of the row with all its tabs, or nil when a field needs a closer look.
    @inline(__always)
    static func length(_ fields: JSONFieldTable, _ layout: RowLayout) -> Int? {
        var length = 0
        for place in 0..<layout.sources.count {
            let source = layout.sources[place]
            guard source >= 0 else {
                guard source == RowLayout.Source.null else { return nil }
                length += 3
                continue
            }
            let kind = fields.rawKind(source)
            if kind == JSONKind.null.rawValue {
                length += 3
                continue
            }
            let content = fields.contentLength(source)
            guard isFast(layout.fast[place], kind, content, fields, source) else { return nil }
            length += content + 1
        }
        return length
    }

    @inline(__always)
    private static func isFast(
        _ column: Class,
        _ kind: UInt16,
        _ length: Int,
        _ fields: JSONFieldTable,
        _ source: Int
    ) -> Bool {
        if kind == JSONKind.string.rawValue {
            guard fields.isPlainString(source) else { return false }
            switch column {
            case .plain, .smallint, .integer, .text: return true
            case .timestamp:
                // Shorter than any date-time with an offset, with seconds in the place of one, or in UTC.
                if length <= 19 { return length < 19 || fields.byte(source, at: 16) == UInt8(ascii: ":") }
                return fields.byte(source, at: length - 1) == UInt8(ascii: "Z")
            case .never: return false
            }
        }
        guard kind < JSONKind.string.rawValue else { return false }
        switch column {
        case .plain: return true
        case .smallint: return kind == JSONKind.integer.rawValue && length <= 4
        case .integer: return kind == JSONKind.integer.rawValue && length <= 9
        case .timestamp, .text, .never: return false
        }
    }

    /// Appends a row of that length and gives the end of its key's fields.
    @inline(__always)
    static func append(
        _ fields: JSONFieldTable,
        _ layout: RowLayout,
        length: Int,
        keyCount: Int,
        to bytes: inout [UInt8]
    ) -> Int {
        let start = bytes.count
        var keyEnd = start
        bytes.append(addingCapacity: length) { out in
            unsafe out.withUnsafeMutableBufferPointer { memory, count in
                guard var next = memory.baseAddress else { return }
                for place in 0..<layout.sources.count {
                    let source = layout.sources[place]
                    if source < 0 || fields.rawKind(source) == JSONKind.null.rawValue {
                        unsafe next[0] = backslash
                        unsafe next[1] = UInt8(ascii: "N")
                        unsafe next += 2
                    } else {
                        unsafe fields.copyContent(source, to: next)
                        unsafe next += fields.contentLength(source)
                    }
                    unsafe next[0] = tab
                    unsafe next += 1
                    if place + 1 == keyCount, let base = memory.baseAddress {
                        keyEnd = unsafe start + (next - base)
                    }
                }
                unsafe (next - 1)[0] = lineFeed
                count = length
            }
        }
        return keyEnd
    }
}
