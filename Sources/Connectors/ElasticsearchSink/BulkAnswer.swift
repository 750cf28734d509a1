import ConnectModel
import JSONReading

/// What the server said about one item of a `_bulk` request.
struct BulkItem: Hashable {
    var status: Int
    /// The error's type; empty without one.
    var type = ""
    /// The error's reason, without the document's values.
    var reason = ""

    /// What to do about it.
    enum Verdict: Hashable {
        case done
        /// The document has a version that is not older: ours from an earlier delivery, or a later record's.
        case conflict
        /// The server cannot take it now.
        case later
        /// The index is gone.
        case noIndex
        /// The document can never be indexed.
        case bad
        /// Credentials without the right to write.
        case forbidden
    }

    /// By status and type, never by the text of the reason.
    var verdict: Verdict {
        switch (status, type) {
        case (200...299, ""): .done
        case (404, ""): .done  // deleting what is not there
        case (409, _): .conflict
        case (_, "index_not_found_exception"): .noIndex
        case (_, "cluster_block_exception"), (_, "index_closed_exception"): .later
        case (401, _), (403, _): .forbidden
        case (408, _), (429, _), (500..., _): .later
        default: .bad
        }
    }

    /// The versions that a conflict's reason names: what the index has, and what we sent.
    var isRepeated: Bool {
        guard let range = reason.firstRange(of: "current version ["),
            let provided = reason.firstRange(of: "provided [")
        else { return false }
        func number(_ index: String.Index) -> Substring { reason[index...].prefix { $0.isNumber } }
        return number(range.upperBound) == number(provided.upperBound)
    }
}

/// The answer to a `_bulk` request, asked for with ``filter``.
struct BulkAnswer {
    /// Keeps the answer small: the items' order, their status and why they failed.
    static let filter = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,error,status"

    /// One per item; empty when all succeeded.
    let items: [BulkItem]

    /// Nil when the text is no answer to `_bulk`.
    init?(_ body: [UInt8]) {
        if body.prefix(200).firstRange(of: Array(#""errors":false"#.utf8)) != nil {
            items = []
            return
        }
        guard case .map(let answer)? = try? JSONParser().parse(body), case .array(let items)? = answer["items"] else {
            return nil
        }
        self.items = items.map { item in
            guard case .map(let actions) = item, case .map(let result)? = actions.entries.first?.value else {
                return BulkItem(status: 0, type: "no_answer")
            }
            var status = 0
            if case .int64(let number)? = result["status"] { status = Int(number) }
            let error = Self.error(result["error"])
            return BulkItem(status: status, type: error.type, reason: error.reason)
        }
    }

    /// Type and reason of an error object, also of an answer that is no `_bulk` answer.
    static func error(_ value: Value?) -> (type: String, reason: String) {
        if case .string(let text)? = value { return ("error", text) }
        guard case .map(let error)? = value else { return ("", "") }
        var (type, reason) = ("", "")
        if case .string(let text)? = error["type"] { type = text }
        if case .string(let text)? = error["reason"] { reason = withoutValues(text) }
        return (type, reason)
    }

    /// Type and reason of an answer with an error status.
    static func error(in body: [UInt8]) -> (type: String, reason: String) {
        guard case .map(let answer)? = try? JSONParser().parse(body) else { return ("", "") }
        return error(answer["error"])
    }

    /// Servers quote the value that they could not parse; it belongs to the record, not into logs and headers.
    static func withoutValues(_ reason: String) -> String {
        guard let quote = reason.firstRange(of: " Preview of field's value:") else { return reason }
        return String(reason[..<quote.lowerBound])
    }
}
