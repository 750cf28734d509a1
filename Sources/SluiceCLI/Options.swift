import CommandGrammar
import ConnectConfig
import FoundationEssentials

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
    static let authorities = Option(
        "ca-file",
        .path,
        env: "SLUICE_CA_FILE",
        "PEM file of the authority that signed the worker's certificate; the system's authorities without it."
    )
    static let user = Option(
        "user",
        .string.named("name"),
        env: "SLUICE_USER",
        "User for basic authentication; the password is in SLUICE_PASSWORD or in --password-file."
    )
    static let passwordFile = Option(
        "password-file",
        .path,
        env: "SLUICE_PASSWORD_FILE",
        "File whose first line is the password."
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
    /// From the environment, never from the command line, which other users of the machine can read.
    let password: Secret?

    func client(_ values: Values) throws(CLIError) -> ConnectClient {
        var access = RESTAccess()
        access.authorities = values[Options.authorities]
        access.user = values[Options.user]
        access.password = try password(values)
        if access.user != nil, access.password == nil {
            throw CLIError(.failed, "--user needs a password: set SLUICE_PASSWORD, or name a file with --password-file")
        }
        if let file = access.authorities, !FileManager.default.isReadableFile(atPath: file) {
            throw CLIError(.notFound, "\(file): cannot be read; it should be a PEM file with certificates")
        }
        let transport = try transport.with(access)
        return ConnectClient(url: values[Options.url], timeout: values[Options.timeout], transport: transport)
    }
    private func password(_ values: Values) throws(CLIError) -> Secret? {
        guard let file = values[Options.passwordFile] else { return password }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CLIError(.notFound, "\(file): cannot be read; its first line should be the password")
        }
        let line = String(decoding: data, as: UTF8.self).split(separator: /\r\n|\n|\r/, maxSplits: 1).first ?? ""
        return Secret(String(line))
    }
}

/// Names given as `NAME…` or, as in kcctl, as `connector NAME…`.
func names(_ values: Values) -> [String] {
    let given = values.arguments
    return given.count > 1 && given[0] == "connector" ? Array(given.dropFirst()) : given
}
