public import ConnectModel
internal import FoundationEssentials

/// Decodes JSON values of consumed records into a type.
///
/// ```swift
/// let orders = TypedParser<Order>()
/// for message in orders.parse(batch, onFailure: { failure in failed.append(failure) }) { total += message.payload.total }
/// ```
public struct TypedParser<Payload: Decodable & Sendable>: Sendable {
    /// A record whose value was decoded.
    public struct Message: Sendable {
        /// Where it was read.
        public let partition: TopicPartition
        /// Its offset.
        public let offset: Int64
        /// The serialized key.
        public let key: [UInt8]?
        /// The decoded value.
        public let payload: Payload
        /// The record's index in its batch.
        public let index: Int
    }

    /// Why a value gave no payload.
    public enum Reason: Error, Sendable, Hashable, CustomStringConvertible {
        /// The record is a tombstone.
        case missing
        /// The value is no JSON.
        case notJSON
        /// The value is JSON, but not of this type; the text names the place.
        case mismatch(String)

        /// In words, without the value.
        public var description: String {
            switch self {
            case .missing: "the value is null"
            case .notJSON: "the value is not JSON"
            case .mismatch(let text): "the value is JSON of another shape: \(text)"
            }
        }
    }

    /// A record whose value could not be decoded.
    public struct Failure: Sendable {
        /// Where it was read.
        public let partition: TopicPartition
        /// Its offset.
        public let offset: Int64
        /// The record's index in its batch.
        public let index: Int
        /// Why.
        public let reason: Reason
    }

    /// A parser for `Payload`.
    public init(_ type: Payload.Type = Payload.self) {}

    /// Decodes one value.
    public func parse(_ value: [UInt8]?) throws(Reason) -> Payload {
        guard let value else { throw .missing }
        do {
            return try JSONDecoder().decode(Payload.self, from: Data(value))
        } catch let DecodingError.dataCorrupted(context) where context.codingPath.isEmpty {
            throw .notJSON
        } catch let error as DecodingError {
            throw .mismatch(Self.place(of: error))
        } catch {
            throw .notJSON
        }
    }

    /// Decodes all values of a batch in order; records that cannot be decoded go to `onFailure`, none is skipped silently.
    public func parse(_ batch: MessageBatch, onFailure: (Failure) throws -> Void) rethrows -> [Message] {
        var messages: [Message] = []
        messages.reserveCapacity(batch.count)
        for index in 0..<batch.count {
            let (partition, offset) = (batch.topicPartition(at: index), batch.offset(at: index))
            do {
                let payload = try parse(batch.value(at: index))
                messages.append(
                    Message(
                        partition: partition,
                        offset: offset,
                        key: batch.key(at: index),
                        payload: payload,
                        index: index
                    )
                )
            } catch {
                try onFailure(Failure(partition: partition, offset: offset, index: index, reason: error))
            }
        }
        return messages
    }

    /// The path and kind of a mismatch; never the value itself.
    private static func place(of error: DecodingError) -> String {
        func path(_ keys: [any CodingKey]) -> String {
            keys.isEmpty
                ? "the top level" : keys.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(path(context.codingPath)) lacks \"\(key.stringValue)\""
        case .typeMismatch(let type, let context): "\(path(context.codingPath)) is not a \(type)"
        case .valueNotFound(let type, let context): "\(path(context.codingPath)) is null, not a \(type)"
        case .dataCorrupted(let context): "\(path(context.codingPath)) has an impossible value"
        @unknown default: "unknown mismatch"
        }
    }
}
