public import ConnectConfig
public import ConnectModel

/// Why the herder refused or could not do what was asked; `ConnectREST` turns each case into status and body in one place.
///
/// Texts are Kafka Connect 4.3's where it has one, byte for byte.
public enum HerderError: Error, Sendable, Hashable {
    /// 404: there is no such connector.
    case unknownConnector(String, UnknownWording)
    /// 404: there is no such task.
    case unknownTask(TaskID)
    /// 404: neither connector nor task has a status.
    case noStatus(String)
    /// 404: something else is not there; the text says what.
    case notFound(String)
    /// 409: the connector exists already.
    case alreadyExists(String)
    /// 400: the request makes no sense; the text says why.
    case badRequest(String)
    /// 400: a config with these issues, in order.
    case invalidConfig([ConfigIssue])
    /// 403: a setting of the worker forbids it.
    case forbidden(String)
    /// 409: not now, try again (a rebalance, another change under way).
    case conflict(String)
    /// 503: the worker has not read its topics yet; the text says what it waits for.
    case starting(String)
    /// 500: not done in time; `stage` is what the worker was doing, `since` when that began (ISO 8601).
    case timeout(stage: String, since: String)
    /// 500: something failed that should not; the text says what and what helps.
    case internalError(String)

    /// Kafka Connect has three texts for one thing; tools match only the status, people like to find the text again.
    public enum UnknownWording: Sendable, Hashable {
        /// `Connector nope not found`.
        case notFound
        /// `Unknown connector nope`.
        case unknown
        /// `Unknown connector: nope`.
        case unknownColon
    }

    /// What the answer's `message` says.
    public var message: String {
        switch self {
        case .unknownConnector(let name, .notFound): "Connector \(name) not found"
        case .unknownConnector(let name, .unknown): "Unknown connector \(name)"
        case .unknownConnector(let name, .unknownColon): "Unknown connector: \(name)"
        case .unknownTask(let id): "Unknown task: \(id)"
        case .noStatus(let what): "No status found for \(what)"
        case .alreadyExists(let name): "Connector \(name) already exists"
        case .invalidConfig(let issues):
            "Connector configuration is invalid and contains the following \(issues.count) error(s):\n"
                + issues.map { $0.message + "\n" }.joined()
                + "You can also find the above list of errors at the endpoint "
                + "`/connector-plugins/{connectorType}/config/validate`"
        case .timeout(let stage, let since):
            "Request timed out. The worker is currently \(stage), which began at \(since)."
        case .notFound(let text), .badRequest(let text), .forbidden(let text), .conflict(let text),
            .starting(let text), .internalError(let text):
            text
        }
    }
}

extension HerderError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
