import ConnectSDK
import PostgresClient

extension TaskFailure {
    /// What a server's error means for the task; names the key or the thing to change.
    ///
    /// `attempt` counts the failures other than outages since the last success, this one among them.
    static func from(
        _ error: PostgresError,
        doing: String,
        attempt: Int,
        _ config: PostgresSinkConfig
    ) -> TaskFailure {
        let because = "\(error)" + (error.hint.map { " (\($0))" } ?? "")
        switch error.kind {
        case .outage: return .retry(after: config.retryBackoff, doing: doing, because: because)
        case .conflict, .other, .poison:
            guard attempt <= config.retriesMax else {
                let gaveUp = "\(because); given up after \(config.retriesMax) retries (max.retries)"
                return .fatal(doing: doing, because: gaveUp)
            }
            return .retry(after: config.retryBackoff, doing: doing, because: because)
        case .config:
            let (key, advice) = advice(error)
            return .config(key, doing: doing, because: "\(because). \(advice)")
        }
    }

    private static func advice(_ error: PostgresError) -> (key: String, advice: String) {
        switch error.sqlState ?? "" {
        case "28P01", "28000":
            ("connection.password", "Check connection.user and connection.password, and the server's pg_hba.conf.")
        case "3D000": ("connection.url", "Create the database, or change connection.url.")
        case "3F000": ("table.name.format", "Create the schema, or change table.name.format.")
        case "42501":
            ("connection.user", "Grant connection.user the right, or use another user; then restart the task.")
        case "42P01": ("table.name.format", "Create the table, or set auto.create=true; then restart the task.")
        case "42703": ("table.name.format", "Add the column, or set auto.evolve=true; then restart the task.")
        case "42804", "42883", "42601": ("statements", "Fix the types or the statement; then restart the task.")
        default: ("connection.url", "Fix the database or the connector's settings; then restart the task.")
        }
    }
}
