import Compression
import FoundationEssentials
import Testing

/// A file in a directory of its own that vanishes with the value.
final class ScratchFile {
    let directory: URL
    var path: String { directory.appending(path: "file").path }

    init(_ bytes: [UInt8]) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Data(bytes).write(to: directory.appending(path: "file"))
    }

    deinit { try? FileManager.default.removeItem(at: directory) }
}

/// All that a file decodes to.
func decode(_ stored: [UInt8]) throws -> [UInt8] {
    let file = try ScratchFile(stored)
    let source = try DecodedFile(path: file.path)
    var all: [UInt8] = []
    while try source.advance() {
        source.withChunk { chunk in
            #expect(chunk.byteCount > 0 && chunk.byteCount <= ByteChunk.size)
            unsafe chunk.withUnsafeBytes { unsafe all.append(contentsOf: $0) }
        }
    }
    return all
}

/// Bytes that compress, but not to nothing.
func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { index in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return index % 7 == 0 ? UInt8(truncatingIfNeeded: state >> 40) : UInt8(ascii: "a") + UInt8(index % 23)
    }
}

func compress(_ bytes: [UInt8], _ format: StreamCompressor.Format) throws -> [UInt8] {
    var compressor = try StreamCompressor(format)
    var output: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 10_000) {
        try compressor.write(Array(bytes[start..<min(start + 10_000, bytes.count)]), into: &output)
    }
    try compressor.finish(into: &output)
    return output
}

@Suite struct RoundTripTests {
    @Test(arguments: StreamCompressor.Format.allCases, [0, 1, 100, ByteChunk.size, 300_001])
    func `what is written is read back`(format: StreamCompressor.Format, count: Int) throws {
        #expect(try decode(compress(sample(count), format)) == sample(count))
    }

    @Test(arguments: StreamCompressor.Format.allCases)
    func `members and frames join`(format: StreamCompressor.Format) throws {
        var compressor = try StreamCompressor(format)
        var output: [UInt8] = []
        for part in ["one\n", "two\n", "three\n"] {
            try compressor.write(Array(part.utf8), into: &output)
            try compressor.flush(into: &output)
            try compressor.finish(into: &output)
        }
        #expect(try decode(output) == Array("one\ntwo\nthree\n".utf8))
    }

    @Test func `a flushed but unfinished gzip holds all that was written`() throws {
        var compressor = try StreamCompressor(.gzip)
        var output: [UInt8] = []
        try compressor.write(Array("kept\n".utf8), into: &output)
        try compressor.flush(into: &output)
        let file = try ScratchFile(output)
        let source = try DecodedFile(path: file.path)
        let error = #expect(throws: CompressionError.self) { while try source.advance() {} }
        #expect(error?.code == .truncated)
    }

    @Test func `a wrong level is refused`() {
        #expect(throws: CompressionError.self) { _ = try StreamCompressor(.zstd, level: 99) }
        #expect(throws: CompressionError.self) { _ = try StreamCompressor(.gzip, level: 99) }
    }

    @Test func `equal input gives equal gzip`() throws {
        #expect(try compress(sample(5_000), .gzip) == compress(sample(5_000), .gzip))
    }
}

@Suite struct DamageTests {
    static let content = sample(200_000)

    @Test(arguments: [StreamCompressor.Format.gzip, .zstd], 1...20)
    func `a truncated file is reported, never shortened`(format: StreamCompressor.Format, cut: Int) throws {
        let stored = try compress(Self.content, format)
        let length = max(5, stored.count - 1 - (stored.count - 6) * (cut - 1) / 20)
        let error = #expect(throws: CompressionError.self) { _ = try decode(Array(stored[0..<length])) }
        #expect(error?.code == .truncated)
        #expect("\(try #require(error))".contains("truncated"))
    }

    @Test(arguments: 0..<40)
    func `a flipped bit never gives other content`(seed: Int) throws {
        var stored = try compress(Self.content, .gzip)
        let index = 10 + seed * (stored.count - 10) / 40
        stored[index] ^= 1 << UInt8(seed % 8)
        do {
            #expect(try decode(stored) == Self.content)
        } catch let error as CompressionError {
            #expect([.corrupt, .truncated].contains(error.code))
            #expect(error.offset != nil)
        }
    }

    @Test func `zero padding is taken, other bytes after the data are not`() throws {
        let stored = try compress(Array("text".utf8), .gzip)
        #expect(try decode(stored + [0, 0, 0]) == Array("text".utf8))
        let error = #expect(throws: CompressionError.self) { _ = try decode(stored + [7]) }
        #expect(error?.code == .corrupt)
    }

    @Test func `a missing file is a system error`() {
        let error = #expect(throws: CompressionError.self) { _ = try DecodedFile(path: "/nonexistent/file") }
        #expect(error?.code == .system)
    }

    @Test func `plain bytes pass`() throws {
        #expect(try decode(Array("<Root/>".utf8)) == Array("<Root/>".utf8))
        #expect(try decode([]) == [])
    }
}

@Suite struct SpoolTests {
    @Test func `bytes come back in order`() throws {
        let spool = try SpoolFile(directory: FileManager.default.temporaryDirectory.path)
        let bytes = sample(100_000)
        for start in stride(from: 0, to: bytes.count, by: 30_000) {
            let part = Array(bytes[start..<min(start + 30_000, bytes.count)])
            try unsafe spool.append(part.span.bytes)
        }
        #expect(spool.count == bytes.count)
        var back: [UInt8] = []
        try spool.read(at: 1_000, most: 50_000, into: &back)
        #expect(back == Array(bytes[1_000..<51_000]))
        try spool.read(at: 99_000, most: 50_000, into: &back)
        #expect(back == Array(bytes[99_000...]))
    }

    @Test func `a missing directory is a system error`() {
        let error = #expect(throws: CompressionError.self) { _ = try SpoolFile(directory: "/nonexistent") }
        #expect(error?.code == .system)
    }
}
