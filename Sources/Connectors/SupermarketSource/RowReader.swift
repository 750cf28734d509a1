import XMLReading

/// Finds the rows in a document of any of the published shapes, and writes each as a flat JSON object.
///
/// The rule that reads them all: some element names are lists (which, depends on what the file holds), the elements
/// directly inside are rows, and texts directly inside a list's ancestors are header fields of its rows, also when they
/// come after the list.
struct RowReader {
    /// What was odd about a document that is good all the same.
    struct Oddities {
        /// Lists whose `Count` differs from what is in them: announced and found.
        var wrongCounts: [(announced: Int, found: Int)] = []
        /// Rows without any field.
        var emptyRows = 0
    }
    /// A header field that came after rows: it belongs to the rows of `rows`.
    struct LateHeader {
        var rows: Range<Int>
        /// `,"lastupdatedate":"2024-10-02"`.
        var json: [UInt8]
        var field: FieldTable.Field
    }
    private struct HeaderField {
        var field: FieldTable.Field
        var json: [UInt8]
        var text: String
    }
    /// An open element outside rows.
    private struct Ancestor {
        var headers: Int
        var firstRow: Int
        var isList = false
        var announced: Int?
    }
    private enum AttributeOwner { case none, openList, emptyList }

    /// Which lists are looked for; decided by the first list when the name told nothing.
    private(set) var family: PriceFileType.Family?
    private(set) var rowCount = 0
    private(set) var rootName: String?
    private(set) var lateHeaders: [LateHeader] = []
    private(set) var oddities = Oddities()
    /// A list of another family stands outside rows.
    private(set) var otherFamily: PriceFileType.Family?
    private(set) var hasList = false
    /// `OrderXml` without a `Header` is how one chain says "nothing to report".
    private var hasEnvelope = false
    private var hasDetailHeader = false

    private var table: FieldTable
    private var writer: RowWriter
    private let template: KeyTemplate
    private var fixed: KeyTemplate.Fixed
    private let firstRow: Int
    private var ancestors: [Ancestor] = []
    private var headers: [HeaderField] = []
    /// The header fields of the next row, `"chainid":"729",…,`; rendered again when they change.
    private var prefix: [UInt8]?
    private var frameStart = 0
    private var skipping = 0
    private var attributeOwner = AttributeOwner.none

    /// `skippingRows` are counted but not written; `fixed` has the template's values that no row changes.
    init(
        family: PriceFileType.Family?,
        skippingRows: Int,
        template: KeyTemplate,
        fixed: KeyTemplate.Fixed
    ) {
        (self.family, firstRow, self.template, self.fixed) = (family, skippingRows, template, fixed)
        table = FieldTable(captured: template.fields)
        writer = RowWriter(captures: template.fields.count)
    }

    /// The chain, once folder, name or document told.
    var chain: String? { fixed.chain }

    /// Whether the document may legally have no list at all.
    var isEmptyByConvention: Bool { rootName == "orderxml" && hasEnvelope && !hasDetailHeader }

    /// Reads all waiting events.
    ///
    /// Throws when the document is not a price file or goes beyond a limit.
    mutating func take(_ reader: XMLReader) throws(ImportFailure) {
        for index in 0..<reader.eventCount {
            let event = reader[index]
            switch event.kind {
            case .start: try start(event, reader)
            case .leaf: try leaf(event, reader)
            case .end: end()
            case .attribute: attribute(event, reader)
            }
        }
        guard writer.bytes.count < Self.rowBytesMax else {
            throw ImportFailure(.limit, "a row is larger than \(Self.rowBytesMax >> 20) MiB")
        }
    }

    /// Hands over the finished rows; what is left stays.
    mutating func drain(_ body: ([UInt8]) throws(ImportFailure) -> Void) throws(ImportFailure) {
        guard !writer.isInRow, !writer.bytes.isEmpty else { return }
        try body(writer.bytes)
        writer.bytes.removeAll(keepingCapacity: true)
    }

    private static let rowBytesMax = 32 << 20
    private static let lateHeadersMax = 10_000

    private mutating func start(_ event: XMLEvent, _ reader: XMLReader) throws(ImportFailure) {
        attributeOwner = .none
        if skipping > 0 {
            skipping += 1
            return
        }
        let field = table.field(event.name, reader)
        if writer.isInRow { return writer.startObject(field, table) }
        let isInList = ancestors.last?.isList == true
        if isInList, table.names[field] == "schema" {
            skipping = 1
            return
        }
        try noteRoot(field)
        let isList = noteList(field)
        if isInList, !isList { return startRow(field) }
        ancestors.append(Ancestor(headers: headers.count, firstRow: rowCount, isList: isList))
        if isList { attributeOwner = .openList }
    }

    private mutating func leaf(_ event: XMLEvent, _ reader: XMLReader) throws(ImportFailure) {
        attributeOwner = .none
        guard skipping == 0 else { return }
        let field = table.field(event.name, reader)
        if writer.isInRow { return writer.leaf(event, field, &table, reader) }
        try noteRoot(field)
        if noteList(field) {
            attributeOwner = .emptyList
            return
        }
        let isBlank = reader.isBlank(event)
        if ancestors.last?.isList == true, isBlank || table.names[field] == "schema" {
            if table.names[field] != "schema" { oddities.emptyRows += 1 }
            return
        }
        guard !ancestors.isEmpty else { return }
        try addHeader(event, field, reader)
    }

    private mutating func end() {
        attributeOwner = .none
        if skipping > 0 {
            skipping -= 1
            return
        }
        if writer.isInRow {
            if writer.end(&table) { endRow() }
            return
        }
        guard let ancestor = ancestors.popLast() else { return }
        if let announced = ancestor.announced, announced != rowCount - ancestor.firstRow {
            oddities.wrongCounts.append((announced, rowCount - ancestor.firstRow))
        }
        if headers.count > ancestor.headers {
            headers.removeSubrange(ancestor.headers...)
            prefix = nil
        }
    }

    private mutating func attribute(_ event: XMLEvent, _ reader: XMLReader) {
        guard attributeOwner != .none, reader.name(event.name).lowercased() == "count" else { return }
        guard let announced = Int(reader.string(of: event).filter { $0 != " " }) else { return }
        if attributeOwner == .openList {
            ancestors[ancestors.count - 1].announced = announced
        } else if announced != 0 {
            oddities.wrongCounts.append((announced, 0))
        }
    }

    private mutating func noteRoot(_ field: FieldTable.Field) throws(ImportFailure) {
        let name = table.names[field]
        if rootName == nil {
            rootName = name
            if name == "html" {
                throw ImportFailure(.notPrices, "the file is an HTML page (an error page of the portal), not prices")
            }
        }
        if name == "envelope" { hasEnvelope = true }
        if name == "header" { hasDetailHeader = true }
    }

    /// Whether this element is a list of rows here.
    private mutating func noteList(_ field: FieldTable.Field) -> Bool {
        guard table.lists[field] != 0 else { return false }
        if family == nil { family = PriceFileType.Family.allCases.first { table.isList(field, $0) } }
        guard table.isList(field, family) else {
            otherFamily = otherFamily ?? PriceFileType.Family.allCases.first { table.isList(field, $0) }
            return false
        }
        hasList = true
        return true
    }

    private mutating func addHeader(
        _ event: XMLEvent,
        _ field: FieldTable.Field,
        _ reader: XMLReader
    ) throws(ImportFailure) {
        var json = table.keys[field]
        json.append(UInt8(ascii: "\""))
        reader.appendJSONText(of: event, to: &json)
        json.append(UInt8(ascii: "\""))
        let firstRow = ancestors[ancestors.count - 1].firstRow
        guard firstRow < rowCount else {
            headers.append(HeaderField(field: field, json: json, text: reader.string(of: event)))
            prefix = nil
            return
        }
        // Rows win over a header that comes after them, and so does a header that came before.
        let isKnown =
            table.isInRows[field] || headers.contains { $0.field == field }
            || lateHeaders.contains { $0.field == field && $0.rows.overlaps(firstRow..<rowCount) }
        guard !isKnown else { return }
        guard lateHeaders.count < Self.lateHeadersMax else {
            throw ImportFailure(.limit, "more than \(Self.lateHeadersMax) header fields come after their rows")
        }
        lateHeaders.append(
            LateHeader(rows: firstRow..<rowCount, json: [UInt8(ascii: ",")] + json, field: field)
        )
    }

    private mutating func startRow(_ field: FieldTable.Field) {
        if fixed.chain == nil { fixed.chain = chainOfDocument() }
        frameStart = writer.bytes.count
        writer.bytes.append(contentsOf: [0, 0, 0, 0, 0, 0, 0, 0, UInt8(ascii: "{")])
        if prefix == nil { prefix = renderPrefix { _ in false } }
        if let prefix { writer.bytes.append(contentsOf: prefix) }
        writer.startRow(field)
    }

    private mutating func endRow() {
        defer {
            writer.closeRow()
            rowCount += 1
        }
        guard rowCount >= firstRow else {
            writer.bytes.removeSubrange(frameStart...)
            return
        }
        if headers.contains(where: { writer.hasField($0.field) }) {
            let own = renderPrefix { writer.hasField($0) }
            writer.bytes.replaceSubrange((frameStart + 9)..<writer.rowStart, with: own)
        }
        if writer.bytes.last == UInt8(ascii: ",") { writer.bytes.removeLast() }
        let bodyEnd = writer.bytes.count
        template.appendRowPart(to: &writer.bytes, fixed: fixed, captured: writer.captured) { name in
            headers.last { table.names[$0.field] == name }?.text
        }
        RowFrame.write(
            body: bodyEnd - frameStart - RowFrame.headSize,
            key: writer.bytes.count - bodyEnd,
            at: frameStart,
            in: &writer.bytes
        )
    }

    /// The header fields, the inner one of equal names, without those that `isHidden`.
    private func renderPrefix(_ isHidden: (FieldTable.Field) -> Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, header) in headers.enumerated() where !isHidden(header.field) {
            if headers[(index + 1)...].contains(where: { $0.field == header.field }) { continue }
            bytes += header.json
            bytes.append(UInt8(ascii: ","))
        }
        return bytes
    }

    private func chainOfDocument() -> String? {
        guard let id = headers.last(where: { table.names[$0.field] == "chainid" })?.text else { return nil }
        let digits = id.filter { $0.isASCII && $0.isNumber }
        return digits.isEmpty ? nil : Chains.named(byID: digits) ?? digits
    }
}
