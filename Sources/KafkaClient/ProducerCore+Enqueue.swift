internal import CRDKafka
internal import ConnectModel

/// Handing records to librdkafka, which copies them. Nothing here blocks: the budget has made room before.
extension ProducerCore {
    /// How far the next hand-over goes, and what it costs: about a thousand records or 256 kB.
    static func chunk(of buffer: borrowing RecordBuffer, from start: Int, extra: [Int32]) -> (end: Int, cost: SendCost)
    {
        var cost = SendCost.zero
        var end = start
        unsafe buffer.entries.withUnsafeBufferPointer { entries in
            while end < entries.count, cost.records < 1_024, cost.bytes < 512 << 10 {
                let size = unsafe (entries[end].key?.count ?? 0) + (entries[end].value?.count ?? 0)
                cost += SendCost(records: 1, bytes: size + SendCost.perRecord + (extra.isEmpty ? 0 : Int(extra[end])))
                end += 1
            }
        }
        return (end, cost)
    }

    /// Each record's header bytes, or nothing when there are no headers.
    static func headerCosts(of buffer: borrowing RecordBuffer) -> [Int32] {
        guard !buffer.headers.isEmpty else { return [] }
        return buffer.entries.map { entry in Int32(clamping: headerCost(buffer.headers[entry.headers])) }
    }

    static func headerCost(_ headers: some Collection<RecordBuffer.Header>) -> Int {
        headers.reduce(0) { $0 + 64 + $1.name.utf8.count + ($1.value?.count ?? 0) }
    }

    /// Hands over `range`; returns the records that librdkafka refused, with what they cost.
    func enqueue(
        _ buffer: borrowing RecordBuffer,
        _ range: Range<Int>,
        slot: Int,
        topics: [RDKafkaTopic],
        extra: [Int32]
    ) -> (failures: [Delivery.Failure], cost: SendCost) {
        var failures: [Delivery.Failure] = []
        var refused = SendCost.zero
        let headers = buffer.headers
        unsafe buffer.entries.withUnsafeBufferPointer { entries in
            unsafe buffer.bytes.withUnsafeBytes { bytes in
                for index in range {
                    let entry = unsafe entries[index]
                    let error = unsafe produce(
                        entry,
                        bytes,
                        headers,
                        topics[entry.topic],
                        DeliveryTable.word(slot: slot, index: index)
                    )
                    guard let error else { continue }
                    failures.append((index, error))
                    let size = (entry.key?.count ?? 0) + (entry.value?.count ?? 0) + SendCost.perRecord
                    refused += SendCost(records: 1, bytes: size + (extra.isEmpty ? 0 : Int(extra[index])))
                }
            }
        }
        return (failures, refused)
    }

    private func produce(
        _ entry: RecordBuffer.Entry,
        _ bytes: UnsafeRawBufferPointer,
        _ headers: [RecordBuffer.Header],
        _ topic: RDKafkaTopic,
        _ opaque: UnsafeMutableRawPointer?
    ) -> KafkaClientError? {
        // An empty part is not a missing one: it needs an address, whichever.
        let key = unsafe entry.key.map { unsafe Self.part($0, of: bytes) }
        let value = unsafe entry.value.map { unsafe Self.part($0, of: bytes) }
        if entry.timestamp < 0, entry.headers.isEmpty {
            let status = unsafe topic.withPointer { topic in
                unsafe rd_kafka_produce(
                    topic,
                    entry.partition,
                    RD_KAFKA_MSG_F_COPY,
                    UnsafeMutableRawPointer(mutating: value),
                    entry.value?.count ?? 0,
                    key,
                    entry.key?.count ?? 0,
                    opaque
                )
            }
            if status == 0 { return nil }
            return refusal(rd_kafka_last_error(), topic.name)
        }
        return unsafe produceFull(
            topic,
            entry.partition,
            (key, entry.key?.count ?? 0),
            (value, entry.value?.count ?? 0),
            entry.timestamp,
            headers[entry.headers],
            opaque
        )
    }

    private static func part(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer {
        if let base = bytes.baseAddress { return unsafe base + range.lowerBound }
        return unsafe emptyPart
    }

    /// An address for parts of length 0; never read.
    nonisolated(unsafe) static let emptyPart = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
    )

    func produceFull(
        _ topic: RDKafkaTopic,
        _ partition: Int32,
        _ key: (UnsafeRawPointer?, Int),
        _ value: (UnsafeRawPointer?, Int),
        _ timestamp: Int64,
        _ headers: ArraySlice<RecordBuffer.Header>,
        _ opaque: UnsafeMutableRawPointer?
    ) -> KafkaClientError? {
        let list = unsafe headers.isEmpty ? nil : Self.headers(headers)
        let code = unsafe handle.withPointer { rk in
            unsafe topic.withPointer { topic in
                unsafe rdkafka_produce_full(
                    rk,
                    topic,
                    partition,
                    key.0,
                    key.1,
                    value.0,
                    value.1,
                    max(0, timestamp),
                    list,
                    opaque
                )
            }
        }
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
        if let list = unsafe list { unsafe rd_kafka_headers_destroy(list) }
        return refusal(code, topic.name)
    }

    private static func headers(_ headers: ArraySlice<RecordBuffer.Header>) -> OpaquePointer? {
        let list = unsafe rd_kafka_headers_new(headers.count)
        for header in headers {
            var name = header.name
            name.withUTF8 { name in
                unsafe name.withMemoryRebound(to: CChar.self) { name in
                    guard let value = header.value else {
                        return unsafe _ = rd_kafka_header_add(list, name.baseAddress, name.count, nil, 0)
                    }
                    unsafe value.withUnsafeBytes { value in
                        let address = unsafe value.baseAddress ?? emptyPart
                        unsafe _ = rd_kafka_header_add(list, name.baseAddress, name.count, address, value.count)
                    }
                }
            }
        }
        return unsafe list
    }

    private func refusal(_ code: rd_kafka_resp_err_t, _ topic: String) -> KafkaClientError {
        if code == RD_KAFKA_RESP_ERR__FATAL, let fatal = fatalError { return fatal }
        return KafkaClientError(code, doing: "sending a record to topic \"\(topic)\"")
    }

    /// Why the producer is of no more use, if so.
    var fatalError: KafkaClientError? {
        let (code, text) = unsafe handle.withPointer { rk in
            unsafe withReasonBuffer { unsafe rd_kafka_fatal_error(rk, $0, $1) }
        }
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let known = KafkaClientError(code, doing: "producing", detail: text)
        return KafkaClientError(code: known.code, reason: known.reason, isFatal: true, number: known.number)
    }
}
