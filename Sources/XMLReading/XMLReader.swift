import CLibXML2

/// Reads a document of any size in constant memory: bytes go in piece by piece, events come out.
///
///     let reader = XMLReader()
///     while try source.advance() {
///         try source.withChunk { try reader.feed($0) }
///         for index in 0..<reader.eventCount { rows.take(reader[index]) }
///         reader.discardEvents()
///     }
///     try reader.finish()
///
/// Nothing outside the document is ever opened, a document type declaration is refused (so there are no entities but
/// XML's own five), nesting is limited to 256 and one text to `textLimit`. Invalid bytes are an error, never replaced.
@safe public final class XMLReader {
    /// The encoding that is read; nil until the first bytes told.
    public private(set) var encoding: XMLEncoding?
    /// Whether neither a byte order mark nor a declaration named the encoding, so that UTF-8 is only assumed.
    public private(set) var isEncodingAssumed = false

    private let parser: xmlParserCtxtPtr
    private let tape: UnsafeMutablePointer<Tape>
    private var decoder: TextDecoder?
    private var head: [UInt8] = []
    private let forced: XMLEncoding?
    private var hasFailed = false

    /// Makes a reader for one document.
    ///
    /// `encoding` overrides what the document says (nil: byte order mark, declaration, else UTF-8); `textLimit` is the
    /// most bytes of one text or attribute. Throws ``XMLReadingError`` with `.library` when out of memory.
    public init(encoding: XMLEncoding? = nil, textLimit: Int = 16 << 20) throws(XMLReadingError) {
        Self.startLibrary
        forced = encoding
        let tape = UnsafeMutablePointer<Tape>.allocate(capacity: 1)
        unsafe tape.initialize(to: Tape(textLimit: textLimit))
        var handler = unsafe tapeHandler()
        guard let parser = unsafe xmlCreatePushParserCtxt(&handler, tape, nil, 0, nil) else {
            unsafe tape.pointee.deallocate()
            unsafe tape.deinitialize(count: 1).deallocate()
            throw XMLReadingError(.library, "libxml2 could not start", line: 0)
        }
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_IGNORE_ENC.rawValue
        unsafe _ = xmlCtxtUseOptions(parser, CInt(options))
        unsafe tape.pointee.context = unsafe parser
        unsafe self.parser = unsafe parser
        unsafe self.tape = unsafe tape
    }

    deinit {
        unsafe xmlFreeParserCtxt(parser)
        unsafe tape.pointee.deallocate()
        unsafe tape.deinitialize(count: 1).deallocate()
    }

    /// Parses more of the document; its events are added to those not yet discarded.
    ///
    /// Throws ``XMLReadingError``; after that the reader takes nothing more.
    public func feed(_ bytes: RawSpan) throws(XMLReadingError) {
        var failure: XMLReadingError?
        unsafe bytes.withUnsafeBytes { input in
            do throws(XMLReadingError) { try unsafe take(input) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Says that the document is over.
    ///
    /// Throws when it is not complete.
    public func finish() throws(XMLReadingError) {
        if decoder == nil { try startDecoding(isComplete: true) }
        do throws(XMLReadingError) { try decoder?.finish() } catch {
            throw XMLReadingError(error.code, error.reason, line: lineOfEnd, byteOffset: error.byteOffset)
        }
        unsafe _ = xmlParseChunk(parser, nil, 0, 1)
        try check(isAtEnd: true)
    }

    /// How many events wait to be read.
    public var eventCount: Int { unsafe tape.pointee.resolved }

    /// One of the waiting events.
    public subscript(index: Int) -> XMLEvent {
        precondition(index >= 0 && index < eventCount, "event \(index) of \(eventCount)")
        return unsafe tape.pointee.events[index]
    }

    /// Forgets the waiting events, whose texts are gone with them.
    public func discardEvents() { unsafe tape.pointee.discard() }

    /// How many different element and attribute names there were so far.
    public var nameCount: Int { unsafe tape.pointee.names.names.count }

    /// The local name with this number.
    public func name(_ number: Int32) -> String { unsafe tape.pointee.names.names[Int(number)] }

    /// Appends the text of a leaf or attribute as UTF-8.
    public func appendText(of event: XMLEvent, to output: inout [UInt8]) {
        unsafe output.append(contentsOf: text(event))
    }

    /// Appends the text of a leaf or attribute as it stands between the quotes of a JSON string.
    public func appendJSONText(of event: XMLEvent, to output: inout [UInt8]) {
        unsafe JSONText.append(text(event), to: &output)
    }

    /// The text of a leaf or attribute.
    public func string(of event: XMLEvent) -> String { unsafe String(decoding: text(event), as: UTF8.self) }

    /// Whether the text of a leaf or attribute has nothing but blanks and line breaks.
    public func isBlank(_ event: XMLEvent) -> Bool { unsafe text(event).allSatisfy { $0 <= 0x20 } }

    /// How many texts stood between elements, where only leaves should have text, and the line of the first one.
    ///
    /// They are not part of any event.
    public var strayTexts: (count: Int, line: Int) { unsafe (tape.pointee.strayTexts, tape.pointee.strayLine) }

    private func text(_ event: XMLEvent) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: tape.pointee.text + Int(event.textStart), count: Int(event.textCount))
    }

    private func take(_ input: UnsafeRawBufferPointer) throws(XMLReadingError) {
        if decoder != nil { return try unsafe decode(input) }
        unsafe head.append(contentsOf: input)
        if !EncodingGuess.needsMore(head) { try startDecoding(isComplete: false) }
    }

    private func startDecoding(isComplete: Bool) throws(XMLReadingError) {
        if EncodingGuess.isHTML(head) {
            throw XMLReadingError(.html, "the document is an HTML page", line: 1)
        }
        var guess = try EncodingGuess(head)
        if let forced {
            guess.encoding = forced
            if forced == .windows1255 { guess.markLength = 0 }
        } else {
            isEncodingAssumed = guess.origin == .none
        }
        encoding = guess.encoding
        decoder = TextDecoder(guess.encoding, offset: guess.markLength)
        let waiting = Array(head.dropFirst(guess.markLength))
        head = []
        var failure: XMLReadingError?
        unsafe waiting.withUnsafeBytes { bytes in
            do throws(XMLReadingError) { try unsafe decode(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func decode(_ input: UnsafeRawBufferPointer) throws(XMLReadingError) {
        guard !hasFailed else { throw XMLReadingError(.malformed, "the document was already refused", line: 0) }
        do {
            try unsafe decoder?.decode(input) { bytes throws(XMLReadingError) in try unsafe parse(bytes) }
        } catch {
            hasFailed = true
            guard error.line == 0 else { throw error }
            throw XMLReadingError(error.code, error.reason, line: lineOfEnd, byteOffset: error.byteOffset)
        }
    }

    /// The line of the last byte fed: the parser's own plus what it has not looked at yet.
    private var lineOfEnd: Int {
        guard let input = unsafe parser.pointee.input else { return 0 }
        let waiting = unsafe UnsafeBufferPointer(start: input.pointee.cur, count: input.pointee.end - input.pointee.cur)
        return unsafe Int(input.pointee.line) + waiting.count { $0 == 0x0A }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) throws(XMLReadingError) {
        guard unsafe !bytes.isEmpty else { return }
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        unsafe _ = xmlParseChunk(parser, start, CInt(bytes.count), 0)
        try check()
    }

    /// Throws what the parser or a callback found wrong.
    private func check(isAtEnd: Bool = false) throws(XMLReadingError) {
        let line = unsafe Int(parser.pointee.input?.pointee.line ?? 0)
        switch unsafe tape.pointee.refusal {
        case .documentType(let name):
            let reason = "the document has a document type declaration (\(name)), which is refused"
            throw XMLReadingError(.documentType, reason, line: line)
        case .tooLong:
            throw XMLReadingError(.tooLong, "a text is longer than \(unsafe tape.pointee.textLimit) bytes", line: line)
        case .tooDeep:
            throw XMLReadingError(.malformed, "elements are nested deeper than \(Tape.depthLimit)", line: line)
        case nil: break
        }
        if let failure = unsafe tape.pointee.failure {
            // At the end, libxml2 words a missing end like too much content; the open element tells them apart.
            if isAtEnd, unsafe tape.pointee.depth > 0 || !tape.pointee.hasRoot {
                let place = unsafe parser.pointee.name.map { unsafe " inside <\(String(cString: $0))>" } ?? ""
                throw XMLReadingError(.truncated, "the document ends too early\(place)", line: line)
            }
            throw XMLReadingError(.malformed, failure.message, line: failure.line, column: failure.column)
        }
        guard unsafe parser.pointee.wellFormed != 0 else {
            throw XMLReadingError(.malformed, "the document is not well-formed", line: line)
        }
    }

    /// libxml2 asks to be initialised once before threads use it.
    private static let startLibrary: Void = xmlInitParser()
}
