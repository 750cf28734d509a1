public import ConnectConfig
import FoundationEssentials

/// What a worker's properties say about where REST listens, with which certificate, and whom it lets in.
public struct RESTSettings: Sendable {
    /// One of `listeners`: `http://host:port` or `https://host:port`.
    public struct Listener: Sendable, Hashable, CustomStringConvertible {
        /// HTTPS.
        public let isSecure: Bool
        /// Name or address; empty for all addresses.
        public let host: String
        /// The port; 0 for any free one.
        public let port: Int
        /// `http` or `https`.
        public var scheme: String { isSecure ? "https" : "http" }
        /// As it is written in the properties.
        public var description: String { "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)" }

        /// Nil when the text is no listener.
        public init?(_ text: String) {
            let lower = text.lowercased()
            guard let scheme = ["http://", "https://"].first(where: lower.hasPrefix),
                let colon = text.lastIndex(of: ":"), text.distance(from: text.startIndex, to: colon) >= scheme.count,
                let port = Int(text[text.index(after: colon)...].prefix { $0 != "/" }), (0...65_535).contains(port)
            else { return nil }
            let host = text[text.index(text.startIndex, offsetBy: scheme.count)..<colon]
            isSecure = scheme == "https://"
            self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
            self.port = port
        }
    }
    /// Certificate and private key of an HTTPS listener, in PEM.
    public struct Certificate: Sendable {
        /// The certificate, then those between it and a trusted one.
        public let chain: String
        /// The private key.
        public let key: Secret
        /// What opens the private key; nil when it is not locked.
        public let password: Secret?
    }

    /// `listeners`; never empty.
    public internal(set) var listeners: [Listener]
    /// `admin.listeners`; nil for the same as ``listeners``, empty for nowhere.
    public internal(set) var adminListeners: [Listener]?
    /// For secure ``listeners``.
    public internal(set) var certificate: Certificate?
    /// For secure ``adminListeners``.
    public internal(set) var adminCertificate: Certificate?
    /// PEM file of those that may have signed the certificates of the cluster's other workers; nil for the system's.
    public internal(set) var authorities: String?
    /// Users with their passwords; nil lets everybody in.
    public internal(set) var users: [String: Secret]?
    /// `rest.advertised.listener`: the scheme that others should use; nil for that of the first listener.
    public internal(set) var advertisedScheme: String?

    static let usual = Listener("http://127.0.0.1:8083")
}

/// Reads the REST properties; what is wrong is noted with the key to change.
struct RESTSettingsReader {
    private let raw: [String: String]
    private(set) var issues: [ConfigIssue] = []
    private static let keystore = [
        "ssl.keystore.type", "ssl.keystore.location", "ssl.keystore.certificate.chain", "ssl.keystore.key",
        "ssl.key.password", "ssl.client.auth",
    ]

    init(_ raw: [String: String]) { self.raw = raw }

    mutating func settings(
        _ listeners: [String],
        admin: [String]?,
        credentials: String?,
        isAsking: Bool
    ) -> RESTSettings {
        let main = read(WorkerKeys.listeners.name, listeners)
        var settings = RESTSettings(listeners: main.isEmpty ? [RESTSettings.usual].compactMap(\.self) : main)
        settings.adminListeners = admin.map { read(WorkerKeys.adminListeners.name, $0) }
        if settings.listeners.contains(where: \.isSecure) {
            settings.certificate = certificate(["listeners.https.", ""])
        }
        if settings.adminListeners?.contains(where: \.isSecure) == true {
            settings.adminCertificate = certificate(["admin.listeners.https.", "listeners.https.", ""])
        }
        if settings.listeners.contains(where: \.isSecure) { settings.authorities = authorities() }
        settings.users = users(credentials, isAsking: isAsking)
        if let scheme = raw[WorkerKeys.advertisedListener.name]?.lowercased(), !scheme.isEmpty {
            if settings.listeners.contains(where: { $0.scheme == scheme }) {
                settings.advertisedScheme = scheme
            } else {
                note(
                    WorkerKeys.advertisedListener.name,
                    scheme,
                    "Must be http or https, and one of the listeners' schemes"
                )
            }
        }
        return settings
    }

    private mutating func read(_ key: String, _ texts: [String]) -> [RESTSettings.Listener] {
        texts.compactMap { text in
            if let listener = RESTSettings.Listener(text) { return listener }
            note(key, text, "Expected http://host:port or https://host:port, for example http://127.0.0.1:8083")
            return nil
        }
    }

    /// As Kafka Connect looks keys up: those under the first prefix that has any, all or nothing.
    private mutating func certificate(_ prefixes: [String]) -> RESTSettings.Certificate? {
        let prefix = prefixes.first { prefix in Self.keystore.contains { raw[prefix + $0] != nil } } ?? prefixes[0]
        func value(_ key: String) -> String? { raw[prefix + key].flatMap { $0.isEmpty ? nil : $0 } }
        if let demand = value("ssl.client.auth")?.lowercased(), demand != "none" {
            note(
                prefix + "ssl.client.auth",
                demand,
                "Certificates of clients are not asked for here. Use \(WorkerKeys.restCredentials.name) to ask for a password"
            )
        }
        if let type = value("ssl.keystore.type"), type.uppercased() != "PEM" {
            note(
                prefix + "ssl.keystore.type",
                type,
                "Must be PEM. Turn a Java keystore into one with: keytool -importkeystore -srckeystore OLD -destkeystore NEW.p12 "
                    + "-deststoretype PKCS12; openssl pkcs12 -in NEW.p12 -nodes -out NEW.pem"
            )
            return nil
        }
        let password = value("ssl.key.password").map(Secret.init)
        if let chain = value("ssl.keystore.certificate.chain") {
            guard let key = value("ssl.keystore.key") else {
                issues.append(.missing(prefix + "ssl.keystore.key"))
                return nil
            }
            return RESTSettings.Certificate(chain: chain, key: Secret(key), password: password)
        }
        let location = prefix + "ssl.keystore.location"
        guard let path = value("ssl.keystore.location") else {
            issues.append(
                ConfigIssue(
                    key: location,
                    message:
                        "Missing required configuration \"\(location)\": an https listener needs a PEM file with the "
                        + "private key and the certificate."
                )
            )
            return nil
        }
        guard let text = text(of: path, for: location) else { return nil }
        guard text.contains("PRIVATE KEY-----"), text.contains("-----BEGIN CERTIFICATE-----") else {
            note(location, path, "The file must hold both a private key and a certificate, in PEM")
            return nil
        }
        return RESTSettings.Certificate(chain: text, key: Secret(text), password: password)
    }

    /// Kafka Connect's truststore for requests between workers.
    private mutating func authorities() -> String? {
        let prefix = ["listeners.https.", ""].first { raw["\($0)ssl.truststore.location"] != nil }
        guard let prefix, let path = raw[prefix + "ssl.truststore.location"], !path.isEmpty else { return nil }
        if let type = raw[prefix + "ssl.truststore.type"], type.uppercased() != "PEM" {
            // The plain keys may be meant for Kafka alone.
            if !prefix.isEmpty { note(prefix + "ssl.truststore.type", type, "Must be PEM") }
            return nil
        }
        return text(of: path, for: prefix + "ssl.truststore.location") == nil ? nil : path
    }

    /// The properties file of Kafka Connect's PropertyFileLoginModule: `user=password`.
    private mutating func users(_ path: String?, isAsking: Bool) -> [String: Secret]? {
        let key = WorkerKeys.restCredentials.name
        guard let path, !path.isEmpty else {
            if isAsking {
                issues.append(
                    ConfigIssue(
                        key: key,
                        message:
                            "Missing required configuration \"\(key)\": \(WorkerKeys.restExtensions.name) asks for basic "
                            + "authentication; name the file with the lines user=password."
                    )
                )
            }
            return nil
        }
        guard let text = text(of: path, for: key) else { return [:] }
        do throws(PropertiesFile.Fault) {
            let users = try PropertiesFile(text, name: path).values.filter { !$0.value.isEmpty }
            if users.isEmpty { note(key, path, "The file has no line user=password, so nobody could enter") }
            return users.mapValues(Secret.init)
        } catch {
            note(key, path, "\(error)")
            return [:]
        }
    }
    private mutating func text(of path: String, for key: String) -> String? {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            note(key, path, "The file cannot be read by this process")
            return nil
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            note(key, path, "The file is not text in UTF-8")
            return nil
        }
        return text
    }
    private mutating func note(_ key: String, _ value: String, _ reason: String) {
        issues.append(.invalid(key, value: value, reason))
    }
}
