import ConnectModel
import ConnectSDK

/// One batch on its way: which records still have to go, which are on their way, which are refused for good.
struct BulkDelivery {
    /// A request's body and the records in it.
    struct Body {
        var bytes: [UInt8] = []
        var records: [Int] = []
    }

    let batch: SinkBatch
    private(set) var faults: [RecordFault] = []
    /// Records that go again, before new ones; each group in a request of its own, at most.
    private var again: [ArraySlice<Int>] = []
    private var next = 0
    /// What is on its way, by the tag of its request.
    private(set) var sent: [Int: Body] = [:]
    private var lastTag = 0

    init(_ batch: SinkBatch) { self.batch = batch }

    /// Whether every record was put into a request.
    var isAllSent: Bool { again.isEmpty && next == batch.count }
    /// How many records are on their way.
    var recordsInFlight: Int { sent.values.reduce(0) { $0 + $1.records.count } }

    /// Builds the next request; nil when nothing is left to send.
    ///
    /// Groups that go again are not joined.
    mutating func nextBody(_ plan: BulkPlan, records most: Int, bytes: Int) -> Body? {
        while !isAllSent {
            let isRepeat = !again.isEmpty
            var source = isRepeat ? again.removeFirst() : ArraySlice(next..<min(batch.count, next + most))
            let body = build(from: &source, plan, records: most, bytes: bytes)
            if !isRepeat {
                next = source.first ?? min(batch.count, next + most)
            } else if !source.isEmpty {
                again.insert(source, at: 0)
            }
            if !body.records.isEmpty { return body }
        }
        return nil
    }

    private mutating func build(
        from source: inout ArraySlice<Int>,
        _ plan: BulkPlan,
        records most: Int,
        bytes: Int
    ) -> Body {
        var body = Body()
        body.records.reserveCapacity(source.count)
        body.bytes.reserveCapacity(min(bytes, source.count * 512))
        while body.records.count < most, let index = source.first {
            let start = body.bytes.count
            switch plan.append(index, of: batch, to: &body.bytes) {
            case .ignored: break
            case .refused(let fault): refuse(index, fault.kind, fault.reason)
            case .appended where body.bytes.count > bytes && !body.records.isEmpty:
                body.bytes.removeSubrange(start...)
                return body
            case .appended: body.records.append(index)
            }
            source.removeFirst()
        }
        return body
    }

    /// Notes a request that was started and gives its tag.
    mutating func started(_ body: Body) -> Int {
        lastTag += 1
        sent[lastTag] = body
        return lastTag
    }
    /// The body of a request that has ended.
    mutating func ended(_ tag: Int) -> Body? { sent.removeValue(forKey: tag) }

    /// These go again, ahead of all others, in order.
    mutating func repeatLater(_ records: [Int]) { if !records.isEmpty { again.insert(records[...], at: 0) } }

    /// These go again in two requests, to find the one that the server cannot read.
    mutating func repeatSplit(_ records: [Int]) {
        let middle = records.count / 2
        again.insert(contentsOf: [records[..<middle], records[middle...]], at: 0)
    }

    /// This record can never be delivered.
    mutating func refuse(_ index: Int, _ kind: String, _ reason: String) {
        faults.append(RecordFault(index: index, kind: kind, reason: reason))
    }
}
