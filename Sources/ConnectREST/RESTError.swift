internal import FoundationEssentials
public import HTTPServer

/// The one shape of a failed call, as Kafka Connect words it: `{"error_code":404,"message":"…"}`.
public struct RESTError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status, which is `error_code` too.
    public var status: Int
    /// What went wrong, for the caller.
    public var message: String

    /// A failure with its status.
    public init(_ status: Int, _ message: String) { (self.status, self.message) = (status, message) }

    /// Status and message.
    public var description: String { "\(status) \(message)" }
    /// The answer that tells it.
    public var response: Response { .json(Body(code: status, message: message), status: status) }

    private struct Body: Encodable {
        var code: Int
        var message: String
        enum CodingKeys: String, CodingKey {
            case code = "error_code"
            case message
        }
    }
}

extension Response {
    /// A JSON body; keys sorted, so that golden files hold.
    public static func json(_ value: some Encodable, status: Int = 200) -> Self {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let bytes = Array(try encoder.encode(value))
            return .init(status, headers: ["Content-Type": "application/json"], body: .bytes(bytes))
        } catch { preconditionFailure("a response body does not encode: \(error)") }
    }
}

extension RESTError {
    /// 400 with the place and the reason in the caller's own terms, not the decoder's.
    static func unreadableBody(_ error: any Error) -> RESTError {
        func words(_ context: DecodingError.Context, _ reason: String) -> RESTError {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            let place = path.isEmpty ? "" : " at \(path.joined(separator: "."))"
            return RESTError(400, "The request body is not what is expected here: \(reason)\(place)")
        }
        switch error as? DecodingError {
        case .typeMismatch(let type, let context): return words(context, "the value is no \(name(of: type))")
        case .valueNotFound(let type, let context): return words(context, "null is no \(name(of: type))")
        case .keyNotFound(let key, let context): return words(context, "\"\(key.stringValue)\" is missing")
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            return RESTError(400, "The request body is not valid JSON")
        case .dataCorrupted(let context): return words(context, context.debugDescription)
        default: return RESTError(400, "The request body is not what is expected here: \(error)")
        }
    }
    private static func name(of type: any Any.Type) -> String {
        switch "\(type)" {
        case "String": "string"
        case "Bool": "boolean"
        case let text where text.hasPrefix("Int") || text.hasPrefix("UInt"): "whole number"
        case "Double", "Float", "Decimal": "number"
        case let text where text.hasPrefix("Array"): "list"
        default: "object"
        }
    }
}
