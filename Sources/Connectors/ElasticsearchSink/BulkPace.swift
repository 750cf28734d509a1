/// How large requests are and how many are on their way: less after every refusal, slowly more after successes.
struct BulkPace: Hashable {
    private let recordsMax: Int
    private let bytesMax: Int
    private let inFlightMax: Int
    /// Most records in the next request.
    private(set) var records: Int
    /// Most bytes in the next request.
    private(set) var bytes: Int
    /// Most requests on their way.
    private(set) var inFlight: Int
    private var successes = 0

    init(records: Int, bytes: Int, inFlight: Int) {
        (recordsMax, bytesMax, inFlightMax) = (records, bytes, inFlight)
        (self.records, self.bytes, self.inFlight) = (records, bytes, inFlight)
    }

    /// The server refused records of a request of `count` for the time being.
    mutating func overloaded(_ count: Int) {
        records = max(1, min(records, count) / 2)
        inFlight = max(1, inFlight / 2)
        successes = 0
    }

    /// A request of `size` bytes was too large for the server, which will not change its mind.
    mutating func tooLarge(_ size: Int) { bytes = max(1_024, min(bytes, size) / 2) }

    /// A request was taken whole.
    mutating func succeeded() {
        records = min(recordsMax, records + max(1, recordsMax / 20))
        successes += 1
        if successes >= inFlight {
            inFlight = min(inFlightMax, inFlight + 1)
            successes = 0
        }
    }
}
