import JSONReading
import Testing

@Suite struct JSONFieldTableTests {
    @Test func `the table agrees with the reader`() throws {
        let reader = JSONObjectReader()
        try reader.read(Array(#" {"a":"x\ny","bc":"שלום","d":null,"e":-1.5,"f":[1],"":true,"g":""} "#.utf8))
        let names = "abcdefg", ends = [1, 3, 4, 5, 6, 6, 7]
        var seen = 0
        reader.withFields { table in
            #expect(table.count == reader.count)
            #expect(table.haveNames(Array(names.utf8), ends: ends))
            #expect(!table.haveNames(Array("abcdefh".utf8), ends: ends))
            #expect(!table.haveNames(Array("abcdef".utf8), ends: [1, 3, 4, 5, 6, 6]))
            for field in 0..<table.count {
                #expect(table.rawKind(field) == reader.kind(field).rawValue)
                var copy = [UInt8](repeating: 0, count: table.contentLength(field))
                unsafe copy.withUnsafeMutableBufferPointer { buffer in
                    if let base = buffer.baseAddress { unsafe table.copyContent(field, to: base) }
                }
                #expect(String(decoding: copy, as: UTF8.self) == reader.text(field))
                for index in copy.indices { #expect(table.byte(field, at: index) == copy[index]) }
                #expect(table.isPlainString(field) == [1, 6].contains(field))
                seen += 1
            }
        }
        #expect(seen == 7)
    }
}
