import ConnectModel
import ConnectSDK
import Testing

@testable import ConnectRuntime

/// Records in arrays, as a consumer would hand them over.
final class ArrayRecords: PolledRecords {
    let values: [String?]
    let partitions = [TopicPartition("a", 0), TopicPartition("b", 1)]
    init(_ values: [String?]) { self.values = values }
    var count: Int { values.count }
    var byteCount: Int { values.reduce(0) { $0 + ($1?.utf8.count ?? 0) } }
    func partitionIndex(at index: Int) -> Int { index % 2 }
    func offset(at index: Int) -> Int64 { Int64(index) * 10 }
    func timestamp(at index: Int) -> (milliseconds: Int64, type: ConnectRecord.TimestampType) {
        (Int64(index), .create)
    }
    func headers(at index: Int) -> [RecordBuffer.Header] { [.init(name: "n", value: [UInt8(index)])] }
    func forEach(
        in range: Range<Int>,
        _ body: (_ index: Int, _ key: RawSpan?, _ value: RawSpan?) throws -> Void
    ) rethrows {
        for index in range {
            guard let value = values[index] else {
                try body(index, nil, nil)
                continue
            }
            let bytes = Array(value.utf8)
            try unsafe body(index, nil, bytes.span.bytes)
        }
    }
}

@Suite struct PipelineTests {
    private func set(raw: Bool, chain: Bool = false) -> ConverterSet {
        let converter = FakeConverter(rawFormat: raw ? .utf8 : nil)
        return ConverterSet(
            key: FakeConverter(rawFormat: .utf8),
            value: converter,
            header: FakeHeaders(),
            chain: chain ? FakeTransform() : nil
        )
    }
    private func values(_ batch: SinkBatch) -> [String?] { FakeSink.rows(batch).map(\.value) }

    @Test func `raw records pass untouched, transforms force conversion`() {
        let source = ArrayRecords(["x", nil, "y"])
        let raw = SinkPipeline(converters: set(raw: true), tolerance: .none).prepare(source)
        guard case .raw(let memory, key: .utf8, value: .utf8) = raw.batch.content else {
            Issue.record("not raw")
            return
        }
        #expect(memory === source)
        #expect(raw.batch.origins.map(\.offset) == [0, 10, 20])
        #expect(raw.ends == [TopicPartition("a", 0): 21, TopicPartition("b", 1): 11])
        let converted = SinkPipeline(converters: set(raw: true, chain: true), tolerance: .none).prepare(source)
        guard case .records(let records) = converted.batch.content else {
            Issue.record("not converted")
            return
        }
        #expect(records.count == 3 && records[2].topic == "a" && records[2].offset == 20)
        #expect(records[2].headers.map(\.name) == ["n"])
        #expect(converted.ends == raw.ends)
    }

    @Test func `bad, filtered and good records add up, and ends cover them all`() {
        let source = ArrayRecords(["x", "bad", "drop", "poison", "y"])
        let pipeline = SinkPipeline(converters: set(raw: false, chain: true), tolerance: .all)
        let made = pipeline.prepare(source)
        #expect(values(made.batch) == ["x", "y"])
        #expect(made.bad.map(\.error.stage) == [.valueConverter, .transformation])
        #expect(made.bad.map(\.offset) == [10, 30])
        #expect(made.bad[0].value == Array("bad".utf8) && made.bad[0].headers == source.headers(at: 1))
        #expect(made.filtered == 1)
        #expect(made.ends == [TopicPartition("a", 0): 41, TopicPartition("b", 1): 31])
        #expect(made.sourceIndex == [0, 4])
        let named = made.bad([RecordFault(index: 1, kind: "k", reason: "r")], by: pipeline)
        #expect(named.map(\.offset) == [40] && named[0].value == Array("y".utf8))
    }

    @Test func `what a sink refuses and the converter would have refused is the converter's refusal`() {
        let pipeline = SinkPipeline(converters: set(raw: true), tolerance: .all)
        let made = pipeline.prepare(ArrayRecords(["x", "bad"]))
        let faults = (0...1).map { RecordFault(index: $0, kind: "k", reason: "r") }
        let bad = made.bad(faults, by: pipeline)
        #expect(bad.map(\.error.stage) == [.taskPut, .valueConverter])
        #expect(bad.map(\.error.message) == ["r", "begins with bad"])
    }

    @Test func `without tolerance a batch ends before its first bad record`() {
        let made = SinkPipeline(converters: set(raw: false), tolerance: .none).prepare(
            ArrayRecords(["x", "y", "bad", "z"])
        )
        #expect(values(made.batch) == ["x", "y"])
        #expect(made.poison?.offset == 20)
        #expect(made.ends == [TopicPartition("a", 0): 1, TopicPartition("b", 1): 11])
        #expect(made.poison?.failure.doing == "converting the value of record at offset 20 of a-0")
    }

    @Test func `purging and dropping keep the right records, raw or not`() {
        for raw in [true, false] {
            let source = ArrayRecords(["0", "1", "2", "3", "4", "5", "6"])
            let pipeline = SinkPipeline(converters: set(raw: raw), tolerance: .all)
            var made = pipeline.prepare(source)
            made.drop([2, 3])
            #expect(values(made.batch) == ["0", "1", "4", "5", "6"])
            #expect(made.bad([RecordFault(index: 2, kind: "", reason: "")], by: pipeline)[0].offset == 40)
            made.purge([TopicPartition("b", 1)])
            #expect(values(made.batch) == ["0", "4", "6"])
            #expect(made.batch.origins.map(\.offset) == [0, 40, 60])
            #expect(made.bad([RecordFault(index: 2, kind: "", reason: "")], by: pipeline)[0].offset == 60)
            #expect(made.ends == [TopicPartition("a", 0): 61])
            if case .raw(let memory, _, _) = made.batch.content { #expect(memory.headers(at: 2)[0].value == [6]) }
        }
    }

    @Test func `a source's raw bytes pass when the converter takes the format as it is`() {
        var buffer = RecordBuffer()
        let topic = buffer.index(ofTopic: "t")
        buffer.append(topic: topic, key: Array("k".utf8), value: Array("v".utf8))
        let batch = SourceBatch(.raw(buffer, format: .utf8), positions: [])
        let passing = SourcePipeline(converters: set(raw: true), tolerance: .none, json: nil).prepare(batch)
        #expect(passing.buffer.bytes == buffer.bytes && passing.buffer.count == 1)
        let converted = SourcePipeline(converters: set(raw: false), tolerance: .none, json: nil).prepare(batch)
        #expect(converted.buffer.bytes == buffer.bytes)
        buffer.append(topic: topic, key: nil as [UInt8]?, value: Array("bad".utf8))
        buffer.append(topic: topic, key: nil as [UInt8]?, value: Array("drop".utf8))
        let mixed = SourceBatch(.raw(buffer, format: .utf8), positions: [])
        let tolerant = SourcePipeline(converters: set(raw: false, chain: true), tolerance: .all, json: nil).prepare(
            mixed
        )
        #expect(tolerant.buffer.count == 1 && tolerant.bad.count == 1 && tolerant.filtered == 1)
        let strict = SourcePipeline(converters: set(raw: false), tolerance: .none, json: nil).prepare(mixed)
        #expect(strict.poison?.value == Array("bad".utf8))
    }
}
