import Compression
import Testing

/// Good numbers from a seed, so that a failure is replayed by its argument.
private struct SplitMix64 {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

private let samples = [
    "goodpharm_promofull.xml", "ramilevy_pricefull.xml", "shufersal_stores.xml", "product.xml.gz", "promo.xml.gz",
    "item.xml",
]

/// Damaged files never crash the importer, and nothing of a file that lost or changed its structure comes out.
@Suite struct DamageTests {
    @Test(arguments: (0 as UInt64)..<240)
    func `a truncated file gives nothing`(seed: UInt64) async throws {
        var random = SplitMix64(state: seed)
        let name = samples[Int(seed) % samples.count]
        var bytes = try sample(name)
        // Blanks after the document do not count: cut into the document itself.
        while let last = bytes.last, last <= 0x20, !name.hasSuffix(".gz") { bytes.removeLast() }
        if seed % 2 == 1, !name.hasSuffix(".gz") { bytes = try gzip(bytes) }
        let length = 1 + random.below(bytes.count - 1)
        let inbox = try Inbox()
        let target = "PriceFull7290875100001-066-202601051222.xml"
        try inbox.put(target, Array(bytes[0..<length]))
        let context = FakeContext()
        let records = try await run(inbox.config(["errors.directory": inbox.errors]), context: context)
        #expect(records.isEmpty)
        #expect(context.sum("connect_source_files_failed_total") == 1)
        #expect(inbox.exists("errors/\(target).reason"))
    }

    @Test(arguments: (0 as UInt64)..<240)
    func `a compressed file with a flipped bit gives all or nothing`(seed: UInt64) async throws {
        var random = SplitMix64(state: seed)
        let name = samples[Int(seed) % 3]
        var bytes = try gzip(try sample(name))
        bytes[10 + random.below(bytes.count - 10)] ^= UInt8(1 << random.below(8))
        let inbox = try Inbox()
        try inbox.put(name, bytes)
        let records = try await run(inbox.config(["errors.directory": inbox.errors]))
        let whole = try Inbox()
        try whole.put(name, try sample(name))
        let undamaged = try await run(whole.config()).map(\.value)
        #expect(records.isEmpty || records.map(\.value) == undamaged)
    }

    @Test(arguments: (0 as UInt64)..<400)
    func `a plain file with wrong bytes never crashes and stays valid`(seed: UInt64) async throws {
        var random = SplitMix64(state: seed)
        let name = samples[Int(seed) % 3]
        var bytes = try sample(name)
        for _ in 0...random.below(3) {
            switch random.below(3) {
            case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
            case 1: bytes.remove(at: random.below(bytes.count))
            default: bytes.insert(UInt8(random.below(256)), at: random.below(bytes.count))
            }
        }
        let inbox = try Inbox()
        try inbox.put(name, bytes)
        for record in try await run(inbox.config()) {
            // Text was decoded strictly: nothing was replaced on the way.
            #expect(!record.value.contains("\u{FFFD}"))
            #expect(record.value.hasPrefix("{") && record.value.hasSuffix("}"))
        }
    }

    private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        var compressor = try StreamCompressor(.gzip)
        var output: [UInt8] = []
        try compressor.write(bytes, into: &output)
        try compressor.finish(into: &output)
        return output
    }
}
