import Compression
import ConnectModel
import ConnectSDK
import XMLReading

/// One file on its way through: read to its end in slices, then sent batch by batch.
final class FileImport {
    let file: FoundFile
    private let config: SupermarketSourceConfig
    private let firstRow: Int
    private var spool: RowSpool
    private var rows: RowReader
    private var source: DecodedFile?
    private var xml: XMLReader?
    private var encoding: XMLEncoding?
    private var family: PriceFileType.Family?
    /// What went wrong as UTF-8 before windows-1255 was tried.
    private var firstError: XMLReadingError?
    private var nextRow: Int
    private var suffix = HeaderSuffix()
    private var finishedReading = false

    /// Rows before `firstRow` have been delivered earlier.
    init(_ file: FoundFile, _ config: SupermarketSourceConfig, firstRow: Int) {
        (self.file, self.config, self.firstRow, nextRow) = (file, config, firstRow, firstRow)
        family = file.name.type?.family
        spool = Self.spool(config)
        rows = Self.rows(file, config, family, firstRow)
    }

    /// How many rows the file has, once it is read.
    var rowCount: Int { rows.rowCount }
    /// What was odd about the document.
    var oddities: RowReader.Oddities { rows.oddities }
    /// Texts between elements, which are not part of any row.
    private(set) var strayTexts = 0
    /// The bytes of the document so far, decompressed.
    private(set) var documentBytes = 0
    /// Whether name and document disagree about what the file holds.
    var typeIsFromDocument: Bool { file.name.type != nil && file.name.type?.family != rows.family && rows.hasList }

    /// What the file holds: the name's word unless the document has lists of another kind.
    var type: PriceFileType? {
        guard let family = rows.family, rows.hasList else { return file.name.type }
        if let named = file.name.type, named.family == family { return named }
        return PriceFileType(family, isFull: file.name.type?.isFull ?? false)
    }

    /// Reads on for about `bytes` of the document; true when it has been read to its end and all rows are known.
    ///
    /// Throws when the file gives no rows at all; then nothing of it has been handed out.
    func read(bytes: Int) throws(ImportFailure) -> Bool {
        guard !finishedReading else { return true }
        let target = documentBytes + bytes
        while documentBytes < target {
            do throws(ImportFailure) {
                if try readChunk() { continue }
                guard try finishDocument() else { continue }
                finishedReading = true
                spool.finish()
                return true
            } catch {
                if try !startAgain(after: error) { throw error }
            }
        }
        return false
    }

    /// One piece of the document; false at its end.
    private func readChunk() throws(ImportFailure) -> Bool {
        if source == nil {
            do throws(CompressionError) { source = try DecodedFile(path: file.path) } catch {
                throw ImportFailure(error)
            }
            do throws(XMLReadingError) { xml = try XMLReader(encoding: encoding) } catch { throw ImportFailure(error) }
        }
        guard let source, let xml else { return false }
        let more: Bool
        do throws(CompressionError) { more = try source.advance() } catch { throw ImportFailure(error) }
        guard more else { return false }
        try source.withChunk { bytes throws(ImportFailure) in
            documentBytes += bytes.byteCount
            do throws(XMLReadingError) { try xml.feed(bytes) } catch { throw refused(error) }
        }
        try takeEvents(xml)
        return true
    }

    /// Completes the document; false when it has to be read again for another kind of list.
    private func finishDocument() throws(ImportFailure) -> Bool {
        guard let xml else { return true }
        do throws(XMLReadingError) { try xml.finish() } catch { throw refused(error) }
        try takeEvents(xml)
        strayTexts = xml.strayTexts.count
        if !rows.hasList, let other = rows.otherFamily, other != family {
            family = other
            restart()
            return false
        }
        guard rows.hasList || rows.isEmptyByConvention else {
            let seen = (0..<min(xml.nameCount, 12)).map { xml.name(Int32($0)) }.joined(separator: ", ")
            throw ImportFailure(
                .notPrices,
                "there is no list of prices, promotions or stores in the document; its elements are \(seen)"
            )
        }
        guard try !FoundFile.hasChanged(file) else {
            throw ImportFailure(.changed, "the file changed while it was read")
        }
        return true
    }

    private func takeEvents(_ xml: XMLReader) throws(ImportFailure) {
        try rows.take(xml)
        xml.discardEvents()
        try rows.drain { frames throws(ImportFailure) in try spool.append(frames) }
    }

    private func refused(_ error: XMLReadingError) -> ImportFailure {
        guard error.code == .invalidBytes, xml?.isEncodingAssumed == true || encoding == .windows1255 else {
            return ImportFailure(error)
        }
        guard let firstError else {
            firstError = error
            return ImportFailure(error)
        }
        return ImportFailure(
            .encoding,
            "no encoding is declared, and the text is neither UTF-8 (\(firstError)) nor windows-1255 (\(error))"
        )
    }

    /// Whether the file is worth a second reading: as windows-1255, when nothing named UTF-8.
    private func startAgain(after error: ImportFailure) throws(ImportFailure) -> Bool {
        guard error.kind == .encoding, firstError != nil, encoding == nil else { return false }
        encoding = .windows1255
        restart()
        return true
    }

    private func restart() {
        (source, xml) = (nil, nil)
        spool = Self.spool(config)
        rows = Self.rows(file, config, family, firstRow)
    }

    private static func spool(_ config: SupermarketSourceConfig) -> RowSpool {
        RowSpool(directory: config.spoolDirectory, memoryMax: 4 << 20)
    }

    private static func rows(
        _ file: FoundFile,
        _ config: SupermarketSourceConfig,
        _ family: PriceFileType.Family?,
        _ firstRow: Int
    ) -> RowReader {
        RowReader(
            family: family,
            skippingRows: firstRow,
            template: config.key,
            fixed: KeyTemplate.Fixed(
                type: file.name.type,
                chain: file.chain,
                file: file.fileName,
                store: file.name.store
            )
        )
    }
}

extension FileImport {
    /// The next rows as records; the last batch of a file says so in its position, and an empty file gives one empty batch.
    func nextBatch(now: Int64) throws(ImportFailure) -> (batch: SourceBatch, isLast: Bool) {
        var fixed = KeyTemplate.Fixed(type: type, chain: rows.chain, file: file.fileName, store: file.name.store)
        if fixed.chain == nil { fixed.chain = file.name.chainID }
        var buffer = RecordBuffer(reservingBytes: 1 << 20, records: 2_000)
        let topic = buffer.index(ofTopic: config.topic.text(fixed) ?? "")
        let fileKey = config.key.text(fixed).map { Array($0.utf8) }
        let values = RowValue(file: file, config: config, now: now)
        let headers = config.provenance ? provenance(fixed) : []
        while buffer.count < config.batchRows, buffer.bytes.count < Self.batchBytesMax {
            suffix.move(to: nextRow, rows.lateHeaders)
            let row = nextRow
            let tail = suffix.json
            let more = try spool.next { bytes, body, key in
                var rowHeaders = headers
                if config.provenance { rowHeaders.append(.init(name: "supermarket.row", value: Array("\(row)".utf8))) }
                buffer.append(
                    topic: topic,
                    timestamp: now,
                    key: fileKey ?? Array(bytes[key]),
                    headers: rowHeaders
                ) { output in
                    values.append(row: row, body: bytes[body], suffix: tail, to: &output)
                }
            }
            guard more else { break }
            nextRow += 1
        }
        let isLast = nextRow >= rows.rowCount
        if config.controlMessages { appendControl(to: &buffer, topic: topic, isLast: isLast, now: now) }
        return (
            SourceBatch(.raw(buffer, format: .json), positions: [file.position(row: nextRow, done: isLast)]), isLast
        )
    }

    private static let batchBytesMax = 2 << 20

    private func provenance(_ fixed: KeyTemplate.Fixed) -> [RecordBuffer.Header] {
        var headers: [RecordBuffer.Header] = []
        func add(_ name: String, _ value: String?) {
            guard let value else { return }
            headers.append(.init(name: "supermarket.\(name)", value: Array(value.utf8)))
        }
        add("file", file.relativePath)
        add("type", fixed.type?.rawValue)
        add("chain", fixed.chain)
        add("store", file.name.store)
        add("file.timestamp", file.name.timestamp)
        return headers
    }

    /// The messages that readers of the upstream uploader know and drop.
    private func appendControl(to buffer: inout RecordBuffer, topic: Int, isLast: Bool, now: Int64) {
        let key = Array(file.fileName.utf8)
        if !buffer.isEmpty {
            buffer.append(topic: topic, timestamp: now, key: key) { $0 += Array(#"{"flush":"true"}"#.utf8) }
        }
        guard isLast else { return }
        buffer.append(topic: topic, timestamp: now, key: key) { output in
            output += Array(#"{"file_complete":"true","file_name":"#.utf8)
            JSONWriter.append(string: file.fileName, to: &output)
            output += Array(",\"total_expected_records\":\(rowCount)}".utf8)
        }
    }
}

/// Writes a record's value around a row's fields, in one of the two styles.
struct RowValue {
    private let opening: [UInt8]
    private let closing: [UInt8]
    private let isWrapped: Bool

    init(file: FoundFile, config: SupermarketSourceConfig, now: Int64) {
        isWrapped = config.style == .row
        var opening: [UInt8] = []
        if isWrapped {
            opening += Array(",\"found_folder\":".utf8)
            JSONWriter.append(string: file.folder, to: &opening)
            opening += Array(",\"file_name\":".utf8)
            JSONWriter.append(string: file.fileName, to: &opening)
            opening += Array(",\"content\":".utf8)
        }
        var closing: [UInt8] = []
        if let field = config.timestampField {
            closing.append(UInt8(ascii: ","))
            JSONWriter.append(string: field, to: &closing)
            closing += Array(":\(now)".utf8)
        }
        closing.append(UInt8(ascii: "}"))
        if isWrapped { closing.append(UInt8(ascii: "}")) }
        (self.opening, self.closing) = (opening, closing)
    }

    func append(row: Int, body: ArraySlice<UInt8>, suffix: [UInt8], to output: inout [UInt8]) {
        if isWrapped {
            output.append(contentsOf: "{\"row_index\":\(row)".utf8)
            output.append(contentsOf: opening)
        }
        output.append(contentsOf: body)
        output.append(contentsOf: suffix)
        output.append(contentsOf: closing)
    }
}

/// The late header fields of the row at hand; their row ranges are nested or apart, like the elements they stand in.
struct HeaderSuffix {
    private(set) var json: [UInt8] = []
    private var validUntil = 0

    mutating func move(to row: Int, _ headers: [RowReader.LateHeader]) {
        guard !headers.isEmpty, row >= validUntil else { return }
        json = headers.filter { $0.rows.contains(row) }.flatMap(\.json)
        let edges = headers.flatMap { [$0.rows.lowerBound, $0.rows.upperBound] }.filter { $0 > row }
        validUntil = edges.min() ?? Int.max
    }
}
