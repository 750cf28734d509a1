/// What all requests of a session have in common.
public struct TransferSettings: Sendable {
    /// Longest time until a connection is made, name look-up and TLS included.
    public var connectTimeout: Duration = .seconds(10)
    /// Longest time without a single byte moving in either direction; rounded up to whole seconds.
    public var idleTimeout: Duration = .seconds(60)
    /// Most bytes of an answer that are kept; a larger answer is an error.
    public var responseBytesMax = 64 << 20
    /// Most connections to one host at a time; further requests wait for one.
    public var connectionsMax = 16
    /// How an idle connection ends: older ones are not used again.
    public var idleConnectionAge: Duration = .seconds(60)
    /// Whether answers may come compressed; they are handed on uncompressed.
    public var acceptsCompressed = true
    /// How often an answer may lead elsewhere; 0 hands redirects to the caller.
    public var redirectsMax = 0
    /// What the server is told about us.
    public var userAgent = "sluice"
    /// `http://host:port`; nil takes it from the environment (`https_proxy`, `no_proxy`), empty uses none.
    public var proxy: String?
    /// Who we are to the proxy.
    public var proxyAuthorization: (@Sendable () -> TransferAuthorization?)?
    /// Certificates.
    public var tls = TransferTLS()
    /// Who we are, asked for at every request, so that a changed secret counts at once.
    public var authorization: (@Sendable () -> TransferAuthorization?)?

    /// The defaults.
    public init() {}
}

/// Certificates of both sides, as PEM files.
public struct TransferTLS: Sendable {
    /// Authorities that may have signed the server's certificate; nil for the system's.
    public var authorities: String?
    /// Our own certificate.
    public var certificate: String?
    /// The key of our certificate.
    public var key: String?
    /// The password of that key.
    public var keyPassword: (@Sendable () -> String?)?
    /// Whether the server's certificate must be valid.
    public var verifiesCertificate = true
    /// Whether the certificate must bear the host's name.
    public var verifiesHostName = true

    /// The system's authorities, and no certificate of our own.
    public init() {}
}

/// Who we are to a server; printing shows the kind only.
public enum TransferAuthorization: Sendable, CustomStringConvertible, CustomReflectable {
    /// A user name and a password.
    case basic(user: String, password: String)
    /// `Authorization: Bearer …`.
    case bearer(String)
    /// `Authorization: ApiKey …` (Elasticsearch).
    case apiKey(String)

    /// The kind.
    public var description: String {
        switch self {
        case .basic: "basic [hidden]"
        case .bearer: "bearer [hidden]"
        case .apiKey: "api key [hidden]"
        }
    }
    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
