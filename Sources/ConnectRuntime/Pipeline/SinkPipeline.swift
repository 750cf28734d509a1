import ConnectConfig
import ConnectModel
import ConnectSDK

/// Turns what was consumed into what a sink takes; pure, used by one caller at a time.
struct SinkPipeline: Sendable {
    let converters: ConverterSet
    let tolerance: ErrorTolerance
    /// Whether the sink takes JSON values as they were consumed.
    var passesJSON = true

    /// A batch ready for the sink.
    struct Prepared: Sendable {
        var batch: SinkBatch
        /// Index of each of the batch's records in `source`.
        var sourceIndex: [Int]
        /// What was consumed; bad records are written to the dead letter queue out of it.
        var source: any PolledRecords
        /// Records that could not be converted.
        var bad: [BadRecord] = []
        /// Per partition the offset behind the last record dealt with.
        var ends: [TopicPartition: Int64] = [:]
        /// The record that ends the task, once those before it are delivered; errors are not tolerated.
        var poison: BadRecord?
        /// Records that a transform left out.
        var filtered = 0
    }

    func prepare(_ source: any PolledRecords) -> Prepared {
        if let formats = converters.rawFormats, passesJSON || formats.value != .json {
            return untouched(source, formats)
        }
        return converted(source)
    }

    /// No byte of the records is looked at.
    private func untouched(_ source: any PolledRecords, _ formats: (key: RawFormat, value: RawFormat)) -> Prepared {
        let count = source.count
        var origins: [RecordOrigin] = []
        origins.reserveCapacity(count)
        var last = [Int](repeating: -1, count: source.partitions.count)
        for index in 0..<count {
            let partition = source.partitionIndex(at: index)
            last[partition] = index
            let time = source.timestamp(at: index).milliseconds
            origins.append(RecordOrigin(partition: partition, offset: source.offset(at: index), timestamp: time))
        }
        var ends: [TopicPartition: Int64] = [:]
        for (partition, index) in last.enumerated() where index >= 0 {
            ends[source.partitions[partition]] = origins[index].offset + 1
        }
        let content = SinkBatch.Content.raw(source, key: formats.key, value: formats.value)
        let batch = SinkBatch(content, partitions: source.partitions, origins: origins)
        return Prepared(batch: batch, sourceIndex: [], source: source, ends: ends)
    }

    private func converted(_ source: any PolledRecords) -> Prepared {
        var result = Prepared(batch: .empty, sourceIndex: [], source: source)
        var records: [ConnectRecord] = []
        var origins: [RecordOrigin] = []
        records.reserveCapacity(source.count)
        origins.reserveCapacity(source.count)
        source.forEach(in: 0..<source.count) { index, key, value in
            guard result.poison == nil else { return }
            let partition = source.partitionIndex(at: index), offset = source.offset(at: index)
            let time = source.timestamp(at: index)
            do throws(RecordError) {
                let place = Place(partition: source.partitions[partition], offset: offset, time: time)
                if let record = try convert(place, key, value, source, index) {
                    records.append(record)
                    origins.append(RecordOrigin(partition: partition, offset: offset, timestamp: time.milliseconds))
                    result.sourceIndex.append(index)
                } else {
                    result.filtered += 1
                }
            } catch {
                let bad = Self.badRecord(error, source, index, key: Self.copy(key), value: Self.copy(value))
                if tolerance == .none {
                    result.poison = bad
                    return
                }
                result.bad.append(bad)
            }
            result.ends[source.partitions[partition]] = offset + 1
        }
        result.batch = SinkBatch(.records(records), partitions: source.partitions, origins: origins)
        return result
    }

    private struct Place {
        var partition: TopicPartition
        var offset: Int64
        var time: (milliseconds: Int64, type: ConnectRecord.TimestampType)
    }

    /// In Kafka Connect's order: key, value, headers, then the chain.
    private func convert(
        _ place: Place,
        _ key: RawSpan?,
        _ value: RawSpan?,
        _ source: any PolledRecords,
        _ index: Int
    ) throws(RecordError) -> ConnectRecord? {
        let topic = place.partition.topic, names = converters.names
        let keyData: SchemaAndValue
        do throws(DataError) { keyData = try converters.key.toConnect(topic: topic, bytes: key) } catch {
            throw RecordError(error, .keyConverter, names.key)
        }
        let valueData: SchemaAndValue
        do throws(DataError) { valueData = try converters.value.toConnect(topic: topic, bytes: value) } catch {
            throw RecordError(error, .valueConverter, names.value)
        }
        var headers: [ConnectHeader] = []
        do throws(DataError) {
            for header in source.headers(at: index) {
                let (name, bytes) = (header.name, header.value)
                let value = try converters.header.toConnectHeader(topic: topic, name: name, bytes: bytes)
                headers.append(ConnectHeader(name: name, value: value))
            }
        } catch { throw RecordError(error, .headerConverter, names.header) }
        let record = ConnectRecord(
            topic: topic,
            partition: place.partition.partition,
            key: keyData,
            value: valueData,
            timestamp: place.time.type == .none ? nil : place.time.milliseconds,
            headers: headers,
            origin: .init(place.partition, offset: place.offset, timestampType: place.time.type)
        )
        guard let chain = converters.chain else { return record }
        do throws(DataError) { return try chain.apply(record) } catch {
            throw RecordError(error, .transformation, names.chain)
        }
    }

    /// What the converters say to a record that passed without them; nil when they would take it.
    fileprivate func refusal(_ topic: String, _ key: [UInt8]?, _ value: [UInt8]?) -> RecordError? {
        guard converters.rawFormats != nil else { return nil }
        func check(_ bytes: [UInt8]?, _ converter: any Converter) throws(DataError) {
            guard let bytes else { return }
            _ = try unsafe converter.toConnect(topic: topic, bytes: bytes.span.bytes)
        }
        do throws(DataError) { try check(key, converters.key) } catch {
            return RecordError(error, .keyConverter, converters.names.key)
        }
        do throws(DataError) { try check(value, converters.value) } catch {
            return RecordError(error, .valueConverter, converters.names.value)
        }
        return nil
    }

    static func copy(_ bytes: RawSpan?) -> [UInt8]? {
        guard let bytes else { return nil }
        return unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }

    static func badRecord(
        _ error: RecordError,
        _ source: any PolledRecords,
        _ index: Int,
        key: [UInt8]?,
        value: [UInt8]?
    ) -> BadRecord {
        let time = source.timestamp(at: index)
        return BadRecord(
            error: error,
            origin: source.partitions[source.partitionIndex(at: index)],
            offset: source.offset(at: index),
            timestamp: time.type == .none ? nil : time.milliseconds,
            key: key,
            value: value,
            headers: source.headers(at: index)
        )
    }
}

extension SinkPipeline.Prepared {
    /// Where a record of the batch lies in what was consumed.
    func index(inSource index: Int) -> Int { sourceIndex.isEmpty ? index : sourceIndex[index] }

    /// The records that the sink named, with their bytes as they were consumed.
    ///
    /// What a converter would have refused, had the bytes not passed by it, is told as Kafka Connect tells it.
    func bad(_ faults: [RecordFault], by pipeline: SinkPipeline) -> [BadRecord] {
        faults.filter { batch.origins.indices.contains($0.index) }.map { fault in
            let place = index(inSource: fault.index)
            var parts: (key: [UInt8]?, value: [UInt8]?)
            source.forEach(in: place..<(place + 1)) { _, key, value in
                parts = (SinkPipeline.copy(key), SinkPipeline.copy(value))
            }
            let topic = batch.topicPartition(at: fault.index).topic
            let error =
                pipeline.refusal(topic, parts.key, parts.value)
                ?? RecordError(
                    stage: .taskPut,
                    className: pipeline.converters.names.task,
                    exceptionClass: fault.kind,
                    message: fault.reason
                )
            return SinkPipeline.badRecord(error, source, place, key: parts.key, value: parts.value)
        }
    }

    /// Takes the records with these indices out of the batch.
    mutating func drop(_ indices: Set<Int>) { select((0..<batch.count).filter { !indices.contains($0) }) }

    /// Forgets everything of partitions that are someone else's now.
    mutating func purge(_ gone: Set<TopicPartition>) {
        select((0..<batch.count).filter { !gone.contains(batch.topicPartition(at: $0)) })
        bad.removeAll { $0.origin.map(gone.contains) ?? false }
        if let origin = poison?.origin, gone.contains(origin) { poison = nil }
        ends = ends.filter { !gone.contains($0.key) }
    }

    private mutating func select(_ kept: [Int]) {
        guard kept.count < batch.count else { return }
        let places = kept.map { index(inSource: $0) }
        batch = batch.selecting(kept)
        sourceIndex = places
    }
}
