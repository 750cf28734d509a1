import ConnectModel
import ConnectSDK
import JSONReading
import PostgresClient

/// Turns the records of one table into rows of COPY text, grouped by shape; knows no database.
final class TableWriter {
    /// What became of a record.
    enum Outcome {
        case written(shape: Int)
        /// It can never be written; the column and the reason, or the whole record's problem.
        case refused(String)
        /// A field has no column.
        case unknownField(String)
        /// A number does not fit a column that could be widened.
        case tooNarrow(String)
        /// What is gathered must be sent first: the same key comes again with other columns.
        case sendFirst
    }
    let plan: TablePlan
    private(set) var shapes: [RowShape] = []
    /// Rows by shape; the caller sends and empties them.
    private(set) var groups: [RowGroup] = []
    private(set) var rows: [KeyedRow] = []
    /// Whether anything is gathered.
    var isEmpty: Bool { groups.allSatisfy(\.bytes.isEmpty) }

    private let config: PostgresSinkConfig
    /// The record key's fields, UTF-8, for the key columns in order.
    private let keyNames: [[UInt8]]
    private let keyPlaces: [Int: Int]
    private let kafkaColumns: [String: Int]
    private let generated: Set<String>
    private var layouts = LayoutCache()
    private var shapeIndex: [[Int]: Int] = [:]
    private var keys = KeyTable()
    private var deleteShape: Int?

    init(_ plan: TablePlan, _ table: PostgresTable, keys: [String], _ config: PostgresSinkConfig) {
        (self.plan, self.config) = (plan, config)
        let isFromKey = config.keyMode == .recordKey
        keyNames = isFromKey ? keys.map { Array($0.utf8) } : []
        keyPlaces = Dictionary(
            (isFromKey ? keys : []).enumerated().compactMap { index, name in
                plan.column(config.column(forField: name)).map { ($0, index) }
            }
        ) { first, _ in first }
        let sources = [RowLayout.Source.topic, RowLayout.Source.partition, RowLayout.Source.offset]
        let names = config.keyMode == .kafka ? config.kafkaColumns : []
        kafkaColumns = Dictionary(zip(names, sources)) { first, _ in first }
        generated = Set(table.columns.filter { column in plan.column(column.name) == nil }.map(\.name))
    }

    /// Forgets all rows, keeping the memory.
    func removeRows() {
        for group in groups { group.removeAll() }
        rows.removeAll(keepingCapacity: true)
        keys.removeAll()
    }

    /// Appends a record's row; `batch` and `index` say where the record came from.
    func add(_ record: JSONObjectReader, key: RecordKey, _ batch: SinkBatch, _ index: Int) -> Outcome {
        var outcome: Outcome?
        record.withFields { fields in
            guard let layout = layouts.last, layout.unknown.isEmpty, layout.matches(fields),
                let length = FastRow.length(fields, layout), length > 0
            else { return }
            let group = groups[layout.shape]
            let start = group.bytes.count
            let keyCount = plan.keyCount
            let keyEnd = FastRow.append(fields, layout, length: length, keyCount: keyCount, to: &group.bytes)
            outcome = keyCount > 0 ? note(layout.shape, start, keyEnd) : .written(shape: layout.shape)
        }
        return outcome ?? addSlowly(record, key, batch, index)
    }

    private func addSlowly(
        _ record: JSONObjectReader,
        _ key: RecordKey,
        _ batch: SinkBatch,
        _ index: Int
    ) -> Outcome {
        let names = (0..<record.count).map(record.key)
        let layout = layouts.layout(names) { makeLayout(names) }
        for field in layout.unknown where record.kind(field) != .null {
            if config.isAutoEvolve || config.unknownFields == .fail { return .unknownField(names[field]) }
        }
        let group = groups[layout.shape], columns = shapes[layout.shape].columns
        let start = group.bytes.count
        var keyEnd = start
        for (place, source) in layout.sources.enumerated() {
            let column = columns[place]
            let kind = plan.columns[column].kind
            let outcome: FieldOutcome
            if source >= 0 {
                outcome = record.withContent(source) { content in
                    record.withRaw(source) { raw in
                        encodeField(record.kind(source), content: content, raw: raw, as: kind, into: &group.bytes)
                    }
                }
            } else {
                outcome = encode(special: source, as: kind, key, batch, index, into: &group.bytes)
            }
            guard outcome == .written else {
                group.bytes.removeSubrange(start...)
                return refusal(outcome, column)
            }
            group.bytes.append(tab)
            if place + 1 == plan.keyCount { keyEnd = group.bytes.count }
        }
        if layout.sources.isEmpty { return .refused("no field of the record has a column in \(plan.table)") }
        group.bytes[group.bytes.count - 1] = lineFeed
        return plan.keyCount > 0 ? note(layout.shape, start, keyEnd) : .written(shape: layout.shape)
    }

    /// Appends the key of a row to delete.
    func addDelete(_ key: RecordKey, _ batch: SinkBatch, _ index: Int) -> Outcome {
        let shape = deleteShape ?? makeDeleteShape()
        let group = groups[shape]
        let start = group.bytes.count
        for column in 0..<plan.keyCount {
            let kind = plan.columns[column].kind
            let outcome = encode(special: keySource(column), as: kind, key, batch, index, into: &group.bytes)
            guard outcome == .written else {
                group.bytes.removeSubrange(start...)
                return refusal(outcome, column)
            }
            group.bytes.append(tab)
        }
        let keyEnd = group.bytes.count
        group.bytes[keyEnd - 1] = lineFeed
        if hasNull(group.bytes, start..<keyEnd) {
            group.bytes.removeSubrange(start...)
            return .refused("a field of the key is null: no row to delete")
        }
        return note(shape, start, keyEnd)
    }

    /// Whether one of the fields, each ended by a tab or a line feed, is NULL.
    private func hasNull(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        var isStart = true
        for index in range {
            // A text with a backslash has two of them, so this can only be NULL.
            if isStart, bytes[index] == backslash, bytes[index + 1] == UInt8(ascii: "N") { return true }
            isStart = bytes[index] == tab
        }
        return false
    }

    /// Enters the last row of a group by its key: the last one of a key wins.
    private func note(_ shape: Int, _ start: Int, _ keyEnd: Int) -> Outcome {
        let group = groups[shape]
        // The byte after the key is a tab or the end of the row.
        let key = start..<(keyEnd - 1)
        var hash = FNV()
        hash.add(group.bytes, key)
        rows.append(
            KeyedRow(shape: shape, range: start..<group.bytes.count, keyEnd: key.upperBound, hash: hash.value)
        )
        // NULL equals nothing, itself neither: such rows are each inserted, or refused by the server.
        if hasNull(group.bytes, key) { return .written(shape: shape) }
        let row = rows.count - 1
        let earlier = keys.replace(row, rows) { other in
            let old = rows[other]
            let from = old.range.lowerBound
            guard old.keyEnd - from == key.count else { return false }
            let bytes = groups[old.shape].bytes
            for index in 0..<key.count where bytes[from + index] != group.bytes[start + index] { return false }
            return true
        }
        guard let earlier else { return .written(shape: shape) }
        if rows[earlier].shape != shape && !shapes[shape].isDelete {
            // Other columns of the same row: both count, one after the other.
            _ = keys.replace(earlier, rows) { $0 == row }
            rows.removeLast()
            group.bytes.removeSubrange(start...)
            return .sendFirst
        }
        rows[earlier].isAlive = false
        return .written(shape: shape)
    }

    /// The rows of a shape that count, in pieces of `groups[shape]` as long as possible.
    func liveRanges(_ shape: Int) -> [Range<Int>] {
        guard plan.keyCount > 0 else { return groups[shape].bytes.isEmpty ? [] : [0..<groups[shape].bytes.count] }
        var ranges: [Range<Int>] = []
        for row in rows where row.shape == shape && row.isAlive {
            if let last = ranges.last, last.upperBound == row.range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<row.range.upperBound
            } else {
                ranges.append(row.range)
            }
        }
        return ranges
    }
}

extension TableWriter {
    private func refusal(_ outcome: FieldOutcome, _ column: Int) -> Outcome {
        let name = plan.columns[column].name
        if outcome == .tooNarrow, config.isAutoEvolve, config.widening == .numbers { return .tooNarrow(name) }
        return .refused("column \"\(name)\" of table \"\(plan.table)\": \(outcome.reason)")
    }

    private func encode(
        special source: Int,
        as kind: ColumnKind,
        _ key: RecordKey,
        _ batch: SinkBatch,
        _ index: Int,
        into out: inout [UInt8]
    ) -> FieldOutcome {
        switch source {
        case RowLayout.Source.null: appendNull(to: &out)
        case RowLayout.Source.topic:
            return appendEscaped(batch.topicPartition(at: index).topic, to: &out) ? .written : .hasNUL
        case RowLayout.Source.partition: append(Int64(batch.topicPartition(at: index).partition), to: &out)
        case RowLayout.Source.offset: append(batch.origins[index].offset, to: &out)
        default:
            let name = keyNames[RowLayout.Source.keyField - source]
            var outcome = FieldOutcome.written
            let isThere = key.with(name) { value, content, raw in
                // A key that is bytes or text of its own has no quotes: only the content counts.
                outcome = encodeKey(value, content: content, raw: raw, as: kind, into: &out)
            }
            if !isThere { appendNull(to: &out) }
            return outcome
        }
        return .written
    }

    private func encodeKey(
        _ value: JSONKind,
        content: RawSpan,
        raw: RawSpan,
        as kind: ColumnKind,
        into out: inout [UInt8]
    ) -> FieldOutcome {
        if value == .string, raw.byteCount == content.byteCount, kind != .bytes {
            return appendEscaped(content, to: &out) ? .written : .hasNUL
        }
        return encodeField(value, content: content, raw: raw, as: kind, into: &out)
    }

    private func keySource(_ column: Int) -> Int {
        keyPlaces[column].map { RowLayout.Source.keyField - $0 } ?? RowLayout.Source.null
    }

    private func makeLayout(_ names: [String]) -> RowLayout {
        var fieldOf: [Int: Int] = [:]
        var unknown: [Int] = []
        for (field, name) in names.enumerated() {
            let column = config.column(forField: name)
            let place = plan.column(column)
            let isKey = place.map { $0 < plan.keyCount } ?? false
            if !config.whitelist.isEmpty, !config.whitelist.contains(name), !isKey { continue }
            if let place {
                // Key columns that come from elsewhere are not the value's to fill.
                if keyPlaces[place] == nil, kafkaColumns[column] == nil { fieldOf[place] = field }
            } else if !generated.contains(column) {
                unknown.append(field)
            }
        }
        var columns: [Int] = [], sources: [Int] = []
        for (place, column) in plan.columns.enumerated() {
            let source: Int
            if let kafka = kafkaColumns[column.name] {
                source = kafka
            } else if keyPlaces[place] != nil {
                source = keySource(place)
            } else if let field = fieldOf[place] {
                source = field
            } else if place < plan.keyCount || plan.mode == .insert && !column.hasDefault {
                source = RowLayout.Source.null
            } else {
                continue
            }
            columns.append(place)
            sources.append(source)
        }
        let fast = columns.map { FastRow.Class(plan.columns[$0].kind) }
        return RowLayout(names: names, sources: sources, fast: fast, shape: shape(columns), unknown: unknown)
    }

    private func shape(_ columns: [Int]) -> Int {
        if let known = shapeIndex[columns] { return known }
        shapes.append(RowShape(columns: columns, copy: plan.copy(columns), merge: plan.merge(columns)))
        groups.append(RowGroup())
        shapeIndex[columns] = shapes.count - 1
        return shapes.count - 1
    }

    private func makeDeleteShape() -> Int {
        let columns = Array(0..<plan.keyCount)
        shapes.append(RowShape(columns: columns, copy: plan.copy(columns), merge: plan.delete, isDelete: true))
        groups.append(RowGroup())
        deleteShape = shapes.count - 1
        return shapes.count - 1
    }
}
