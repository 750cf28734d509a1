import Compression
import Testing

/// A ZIP archive of one file made by hand: `method` 0 or 8, sizes in the header or in a descriptor behind the data.
private func archive(
    _ content: [UInt8],
    method: UInt16,
    flags: UInt16 = 0,
    storedSize: UInt32? = nil,
    directoryFirst: Bool = false
) throws -> [UInt8] {
    let gzip = try compress(content, .gzip)
    let body = method == 8 ? Array(gzip[10..<(gzip.count - 8)]) : content
    let checksum = Array(gzip[(gzip.count - 8)..<(gzip.count - 4)])
    let hasDescriptor = flags & 8 != 0
    var bytes: [UInt8] = []
    if directoryFirst { bytes += header("folder/", 0, 0, [0, 0, 0, 0], 0, 0) }
    let known = !hasDescriptor
    bytes += header(
        "prices.xml",
        flags,
        method,
        known ? checksum : [0, 0, 0, 0],
        known ? storedSize ?? UInt32(body.count) : 0,
        known ? UInt32(content.count) : 0
    )
    bytes += body
    if hasDescriptor {
        bytes += [0x50, 0x4B, 0x07, 0x08] + checksum + word(UInt32(body.count)) + word(UInt32(content.count))
    }
    return bytes + [0x50, 0x4B, 0x01, 0x02] + [UInt8](repeating: 0, count: 42)
}

private func header(
    _ name: String,
    _ flags: UInt16,
    _ method: UInt16,
    _ checksum: [UInt8],
    _ stored: UInt32,
    _ length: UInt32
) -> [UInt8] {
    [0x50, 0x4B, 0x03, 0x04] + half(20) + half(flags) + half(method) + half(0) + half(0) + checksum + word(stored)
        + word(length) + half(UInt16(name.utf8.count)) + half(0) + Array(name.utf8)
}

private func half(_ value: UInt16) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8)] }
private func word(_ value: UInt32) -> [UInt8] {
    half(UInt16(truncatingIfNeeded: value)) + half(UInt16(truncatingIfNeeded: value >> 16))
}

@Suite struct ZipTests {
    static let content = sample(150_000, seed: 3)

    @Test(arguments: [(0, 0), (8, 0), (8, 8)] as [(UInt16, UInt16)])
    func `the first file is read`(method: UInt16, flags: UInt16) throws {
        #expect(try decode(archive(Self.content, method: method, flags: flags)) == Self.content)
        let nested = try archive(Self.content, method: method, flags: flags, directoryFirst: true)
        #expect(try decode(nested) == Self.content)
    }

    @Test(arguments: [0, 8] as [UInt16])
    func `sizes that fill whole chunks are checked too`(method: UInt16) throws {
        let content = sample(ByteChunk.size * 2, seed: 4)
        #expect(try decode(archive(content, method: method)) == content)
        var wrong = try archive(content, method: method)
        wrong[14] ^= 1
        let error = #expect(throws: CompressionError.self) { _ = try decode(wrong) }
        #expect(error?.code == .corrupt)
    }

    @Test(arguments: [0, 8] as [UInt16])
    func `a truncated archive is reported`(method: UInt16) throws {
        let stored = try archive(Self.content, method: method)
        let error = #expect(throws: CompressionError.self) { _ = try decode(Array(stored[0..<(stored.count / 2)])) }
        #expect(error?.code == .truncated)
    }

    @Test func `what is not read here is refused by name`() throws {
        let cases: [([UInt8], String)] = [
            (try archive(Self.content, method: 8, flags: 1), "encrypted"),
            (try archive(Self.content, method: 8, storedSize: .max), "zip64"),
            (try archive(Self.content, method: 12), "method 12"),
            (try archive(Self.content, method: 0, flags: 8), "unknown length"),
            ([0x50, 0x4B, 0x05, 0x06] + [UInt8](repeating: 0, count: 18), "no file"),
        ]
        for (bytes, word) in cases {
            let error = #expect(throws: CompressionError.self) { _ = try decode(bytes) }
            #expect(error?.code == .unsupported)
            #expect(error?.reason.contains(word) == true)
        }
    }
}
