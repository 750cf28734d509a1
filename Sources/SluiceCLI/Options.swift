import CommandGrammar

/// Options that several commands share, each declared once.
enum Options {
    static let url = Option(
        "url",
        short: "u",
        .string.named("url"),
        default: "http://127.0.0.1:8083",
        env: "SLUICE_URL",
        "REST address of a worker, Sluice's or Kafka Connect's."
    )
    static let timeout = Option("timeout", .duration, default: .seconds(30), "How long to wait for an answer.")
    static let output = Option("output", short: "o", Kind<OutputFormat>.choice, default: .table, "How data is shown.")
    static let bootstrap = Option(
        "bootstrap-server",
        short: "b",
        .string.named("host:port"),
        default: "localhost:9092",
        env: "KAFKA_BOOTSTRAP_SERVERS",
        "Kafka brokers, comma-separated."
    )
    static let commandConfig = Option(
        "command-config",
        .path,
        "Properties file with client settings (security.protocol, sasl.*, ssl.*)."
    )
}

/// What the commands stand on.
struct CommandEnvironment: Sendable {
    let terminal: Terminal
    let transport: any RESTTransport

    func client(_ values: Values) -> ConnectClient {
        ConnectClient(url: values[Options.url], timeout: values[Options.timeout], transport: transport)
    }
}

/// Names given as `NAME…` or, as in kcctl, as `connector NAME…`.
func names(_ values: Values) -> [String] {
    let given = values.arguments
    return given.count > 1 && given[0] == "connector" ? Array(given.dropFirst()) : given
}
