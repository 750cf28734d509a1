import Testing
import XMLReading

/// A document as one line: `<name`, `name=text`, `@name=text`, `>`.
func read(_ bytes: [UInt8], chunk: Int = 64 << 10, encoding: XMLEncoding? = nil) throws -> String {
    let reader = try XMLReader(encoding: encoding)
    var parts: [String] = []
    func drain() {
        for index in 0..<reader.eventCount {
            let event = reader[index]
            switch event.kind {
            case .start: parts.append("<\(reader.name(event.name))")
            case .leaf: parts.append("\(reader.name(event.name))=\(reader.string(of: event))")
            case .attribute: parts.append("@\(reader.name(event.name))=\(reader.string(of: event))")
            case .end: parts.append(">")
            }
        }
        reader.discardEvents()
    }
    for start in stride(from: 0, to: bytes.count, by: chunk) {
        let piece = Array(bytes[start..<min(start + chunk, bytes.count)])
        try unsafe reader.feed(piece.span.bytes)
        drain()
    }
    try reader.finish()
    drain()
    return parts.joined(separator: " ")
}

func read(_ text: String, chunk: Int = 64 << 10) throws -> String { try read(Array(text.utf8), chunk: chunk) }

func failure(_ bytes: [UInt8], encoding: XMLEncoding? = nil, chunk: Int = 64 << 10) -> XMLReadingError? {
    do { _ = try read(bytes, chunk: chunk, encoding: encoding) } catch { return error as? XMLReadingError }
    return nil
}

private func utf16(_ text: String, bigEndian: Bool, mark: Bool) -> [UInt8] {
    ((mark ? [0xFEFF] : []) + Array(text.utf16)).flatMap { unit in
        let (high, low) = (UInt8(unit >> 8), UInt8(unit & 255))
        return bigEndian ? [high, low] : [low, high]
    }
}

@Suite struct EventTests {
    static let document = """
        <?xml version="1.0"?><!-- note --><Root a="1" b="&lt;2&gt;">
          <ChainId>729</ChainId><Empty/><Blank>  </Blank>
          <Items Count="2"><Item><Name>milk &amp; "honey" &#x5D0;<![CDATA[ <3]]></Name></Item><Item x="y">line
        two</Item></Items><Late>z</Late></Root>
        """
    static let events = """
        <Root @a=1 @b=<2> ChainId=729 Empty= Blank=   <Items @Count=2 <Item Name=milk & "honey" א <3 > \
        Item=line
        two @x=y > Late=z >
        """

    @Test(arguments: [1, 2, 3, 7, 16, 61, 65_536])
    func `events do not depend on how the bytes come`(chunk: Int) throws {
        #expect(try read(Self.document, chunk: chunk) == Self.events)
    }

    @Test func `names are told by their local part`() throws {
        let text = "<a:r xmlns:a='urn:x'><a:i>1</a:i><i>2</i><unbound:i>3</unbound:i></a:r>"
        #expect(try read(text) == "<r i=1 i=2 i=3 >")
    }

    @Test func `text between elements is counted, not taken`() throws {
        let reader = try XMLReader()
        let bytes = Array("<r>\n<a>1</a>\nstray<b>2</b></r>".utf8)
        try unsafe reader.feed(bytes.span.bytes)
        try reader.finish()
        #expect(reader.strayTexts == (1, 3))
    }

    @Test func `json text is escaped`() throws {
        let reader = try XMLReader()
        let bytes = Array("<r>a\"b\\c\u{1}d\te\nf שלום גרם 100 \"</r>".utf8.filter { $0 != 1 })
        try unsafe reader.feed(bytes.span.bytes)
        try reader.finish()
        var output: [UInt8] = []
        reader.appendJSONText(of: reader[0], to: &output)
        #expect(String(decoding: output, as: UTF8.self) == #"a\"b\\cd\te\nf שלום גרם 100 \""#)
    }

    @Test func `many names and deep carry work`() throws {
        let leaves = (0..<2_000).map { "<n\($0) k=\"v\($0)\">t\($0)</n\($0)>" }.joined()
        let expected = (0..<2_000).map { "n\($0)=t\($0) @k=v\($0)" }.joined(separator: " ")
        #expect(try read("<r>\(leaves)</r>", chunk: 11) == "<r \(expected) >")
    }
}

@Suite struct EncodingTests {
    static let text = "<r><a>חלב 3% ₪ – 😀</a></r>"

    @Test(arguments: [1, 3, 64])
    func `byte order marks decide`(chunk: Int) throws {
        let expected = "<r a=חלב 3% ₪ – 😀 >"
        #expect(try read([0xEF, 0xBB, 0xBF] + Array(Self.text.utf8), chunk: chunk) == expected)
        for bigEndian in [false, true] {
            for mark in [false, true] {
                let bytes = utf16(Self.text, bigEndian: bigEndian, mark: mark)
                #expect(try read(bytes, chunk: chunk) == expected)
            }
        }
        let declared = utf16("<?xml version='1.0' encoding='utf-16'?>\(Self.text)", bigEndian: false, mark: true)
        #expect(try read(declared, chunk: chunk) == expected)
    }

    @Test(arguments: ["ISO-8859-8", "iso-8859-8-i", "ISO-8859-8-E", "windows-1255", "Windows-1255"])
    func `hebrew code pages are windows-1255`(name: String) throws {
        let bytes =
            Array("<?xml version=\"1.0\" encoding=\"\(name)\"?><r><a>".utf8)
            + [0xE7, 0xEC, 0xE1, 0x20, 0x96, 0x92, 0xA0, 0xA4] + Array("</a></r>".utf8)
        #expect(try read(bytes) == "<r a=חלב –’\u{A0}₪ >")
        #expect(try read(bytes, chunk: 1) == "<r a=חלב –’\u{A0}₪ >")
    }

    @Test func `bytes that the encoding does not know are an error with place`() throws {
        let declared = Array("<?xml version=\"1.0\" encoding=\"windows-1255\"?>\n<r>\n<a>".utf8)
        let error = failure(declared + [0xE7, 0xD9] + Array("</a></r>".utf8))
        #expect(error?.code == .invalidBytes)
        #expect(error?.line == 3)
        #expect(error?.byteOffset == declared.count + 1)
        #expect(error?.reason == "byte 0xD9 is not valid windows-1255")

        for chunk in [1, 5, 1_000] {
            let start = Array("<r>\n<a>א".utf8)
            let utf8 = failure(start + [0xE0, 0x80, 0x80] + Array("</a></r>".utf8), chunk: chunk)
            #expect(utf8?.code == .invalidBytes)
            #expect(utf8?.line == 2)
            #expect(utf8?.byteOffset == start.count)
        }
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0x80], [0xC3, 0x28],
            [0xF4, 0x90, 0x80, 0x80],
        ] as [[UInt8]]
    )
    func `overlong forms, surrogates and strays are invalid`(bad: [UInt8]) {
        for chunk in [1, 1_000] {
            let error = failure(Array("<r>".utf8) + bad + Array("</r>".utf8), chunk: chunk)
            #expect(error?.code == .invalidBytes)
            #expect(error?.byteOffset == 3)
        }
    }

    @Test func `lone surrogates of UTF-16 are invalid`() {
        var bytes = utf16("<r>x</r>", bigEndian: false, mark: true)
        bytes[8] = 0x00
        bytes[9] = 0xDC
        #expect(failure(bytes)?.code == .invalidBytes)
        bytes[9] = 0xD8
        #expect(failure(bytes)?.code == .invalidBytes)
    }

    @Test func `an assumed encoding can be replaced`() throws {
        let bytes = Array("<r><a>".utf8) + [0xE7, 0xEC, 0xE1] + Array("</a></r>".utf8)
        let reader = try XMLReader()
        #expect(throws: XMLReadingError.self) { try unsafe reader.feed(bytes.span.bytes) }
        #expect(reader.isEncodingAssumed)
        #expect(try read(bytes, encoding: .windows1255) == "<r a=חלב >")
    }

    @Test func `UTF-8 Hebrew is not mistaken for windows-1255`() {
        #expect(failure(Array("<r>לחם אחיד</r>".utf8), encoding: .windows1255)?.code == .invalidBytes)
    }

    @Test func `other encodings are refused by name`() {
        let error = failure(Array("<?xml version='1.0' encoding='koi8-r'?><r/>".utf8))
        #expect(error?.code == .unsupportedEncoding)
        #expect(error?.reason.contains("koi8-r") == true)
        #expect(failure([0xFF, 0xFE, 0, 0, 0x3C, 0, 0, 0])?.code == .unsupportedEncoding)
    }
}

@Suite struct RefusalTests {
    @Test func `malformed documents name line and column`() {
        let error = failure(Array("<r>\n  <a>1</b>\n</r>".utf8))
        #expect(error?.code == .malformed)
        #expect(error?.line == 2)
        #expect(error?.column != nil)
        #expect(failure(Array("<r/><r/>".utf8))?.code == .malformed)
        #expect(failure(Array("<r>&nbsp;</r>".utf8))?.code == .malformed)
        #expect(failure(Array("<r>\u{0}</r>".utf8))?.code == .malformed)
        #expect(failure(Array("text".utf8))?.code != nil)
    }

    @Test func `every cut of a document is noticed`() {
        let whole = Array(EventTests.document.utf8)
        for length in 0..<whole.count {
            #expect(failure(Array(whole[0..<length])) != nil, "cut at \(length)")
        }
    }

    @Test func `document types and their entities are refused`() {
        let bomb = """
            <!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><r>&b;</r>
            """
        #expect(failure(Array(bomb.utf8))?.code == .documentType)
        let outside = "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>"
        #expect(failure(Array(outside.utf8))?.code == .documentType)
        let page = failure(Array("<!DOCTYPE html><html><body>expired</body></html>".utf8))
        #expect(page?.code == .html)
        #expect(failure(Array("\n<!doctype HTML><p>".utf8))?.code == .html)
    }

    @Test func `nesting and texts have limits`() throws {
        let deep = String(repeating: "<a>", count: 300) + String(repeating: "</a>", count: 300)
        #expect(failure(Array(deep.utf8))?.code == .malformed)
        let reader = try XMLReader(textLimit: 1_000)
        let long = Array("<r>\(String(repeating: "x", count: 5_000))</r>".utf8)
        let error = #expect(throws: XMLReadingError.self) { try unsafe reader.feed(long.span.bytes) }
        #expect(error?.code == .tooLong)
    }

    @Test(arguments: (0 as UInt64)..<300)
    func `random damage never crashes`(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
        var bytes = Array(EventTests.document.utf8)
        for _ in 0..<(1 + random(4)) { bytes[random(bytes.count)] = UInt8(random(256)) }
        let small = try? read(bytes, chunk: 1 + random(9))
        #expect(small == (try? read(bytes)))
    }
}
