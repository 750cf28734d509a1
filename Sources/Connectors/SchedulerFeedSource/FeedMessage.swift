import ConnectModel

/// Writes the messages of both topics, field by field, out of an item of a feed: pure.
///
/// What the item has is taken as it is, numbers with their text; what it lacks is computed.
struct FeedMessage {
    let config: SchedulerFeedConfig
    /// Milliseconds since 1970, for items without a time.
    let now: Int64

    /// The ASIN; nil for an item that cannot be a message, which has none or has no positive price.
    static func asin(of item: MapValue) -> String? {
        guard case .string(let asin)? = item["asin"], !asin.isEmpty, let price = number(price(of: item)), price > 0
        else { return nil }
        return asin
    }

    /// The price as the item has it.
    static func price(of item: MapValue) -> Value? { item["current_price"] ?? item["price"] }

    /// Appends a message of 10 fields to the price topic; `last` is the price sent before, for items that do not say it.
    func appendPrice(_ item: MapValue, last: Value?, to json: inout [UInt8]) {
        let current = Self.price(of: item) ?? .null
        let previous = item["previous_price"] ?? last ?? .null
        append(
            [
                ("asin", item["asin"]), ("product_title", title(of: item)), ("current_price", current),
                ("target_price", item["target_price"]), ("previous_price", previous),
                ("price_change", item["price_change"] ?? Self.change(from: previous, to: current)),
                ("domain", item["domain"] ?? .string(config.domain)),
                ("currency", item["currency"] ?? .string(config.currency)),
                ("timestamp", item["timestamp"] ?? .string(time)),
                ("event_type", item["event_type"] ?? .string("price_update")),
            ],
            to: &json
        )
    }

    /// Appends a message of 11 fields to the deal topic.
    func appendDeal(_ item: MapValue, to json: inout [UInt8]) {
        let current = Self.price(of: item) ?? .null
        let original = item["original_price"] ?? .null
        append(
            [
                ("asin", item["asin"]), ("product_title", title(of: item)), ("current_price", current),
                ("original_price", original),
                ("discount_percent", item["discount_percent"] ?? Self.discount(from: original, to: current)),
                ("rating", item["rating"]), ("review_count", item["review_count"]), ("sales_rank", item["sales_rank"]),
                ("domain", item["domain"] ?? .string(config.domain)),
                ("timestamp", item["timestamp"] ?? .string(time)),
                ("event_type", item["event_type"] ?? .string("deal_update")),
            ],
            to: &json
        )
    }

    private func append(_ fields: [(String, Value?)], to json: inout [UInt8]) {
        json.append(UInt8(ascii: "{"))
        for (index, (name, value)) in fields.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            JSONWriter.append(string: name, to: &json)
            json.append(UInt8(ascii: ":"))
            let start = json.count
            do { try JSONWriter(decimals: .numeric, lenient: true).append(value ?? .null, to: &json) } catch {
                json.removeSubrange(start...)  // nothing that was read as JSON gets here
                json += Array("null".utf8)
            }
        }
        json.append(UInt8(ascii: "}"))
    }

    private func title(of item: MapValue) -> Value { item["product_title"] ?? item["title"] ?? .string("") }

    /// Percent by which the price fell, two digits; 0 without a previous price (positive: it is cheaper now).
    static func change(from previous: Value, to current: Value) -> Value {
        guard let before = number(previous), before > 0, let after = number(current) else { return .int64(0) }
        return rounded((before - after) / before * 100, digits: 2)
    }
    /// Percent below the original price, one digit; null without one.
    static func discount(from original: Value, to current: Value) -> Value {
        guard let before = number(original), before > 0, let after = number(current) else { return .null }
        return rounded((before - after) / before * 100, digits: 1)
    }

    static func number(_ value: Value?) -> Double? {
        switch value {
        case .int64(let number)?: Double(number)
        case .number(let number)?: number.doubleValue
        default: nil
        }
    }
    private static func rounded(_ value: Double, digits: Int) -> Value {
        let factor = digits == 2 ? 100.0 : 10.0
        return .float64((value * factor).rounded(.toNearestOrEven) / factor)
    }

    /// `2026-02-20T12:30:00.250000`, UTC, with `Z` if wanted.
    var time: String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let civil = CivilTime(milliseconds: now)
        let date = "\(padded(Int(civil.year), 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))"
        let time = "\(padded(civil.hour, 2)):\(padded(civil.minute, 2)):\(padded(civil.second, 2))"
        return "\(date)T\(time).\(padded(civil.millisecond, 3))000" + (config.zone == .utc ? "Z" : "")
    }
}
