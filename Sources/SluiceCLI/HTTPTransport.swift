import ConnectConfig
import TransferClient

/// ``RESTTransport`` over libcurl; a connection is kept for the next request.
public struct HTTPTransport: RESTTransport {
    private let client: TransferClient

    /// With user and password every request carries basic authentication; throws when libcurl cannot start.
    public init(_ access: RESTAccess = RESTAccess()) throws(CLIError) {
        var settings = TransferSettings()
        settings.connectTimeout = .seconds(5)
        settings.tls.authorities = access.authorities
        if let user = access.user, let password = access.password {
            settings.authorization = { password.reveal { .basic(user: user, password: $0) } }
        }
        do throws(TransferError) { client = try TransferClient(settings, label: "sluice.cli.http") } catch {
            throw CLIError(.failed, "the HTTP client does not start: \(error)")
        }
    }

    /// A client of its own.
    public func with(_ access: RESTAccess) throws(CLIError) -> any RESTTransport { try HTTPTransport(access) }

    /// Throws ``CLIError/Status/unreachable`` with what to check when there is no answer.
    public func send(
        _ method: String,
        to url: String,
        body: [UInt8]?,
        timeout: Duration
    ) async throws(CLIError) -> RESTAnswer {
        var request = TransferRequest(method, url)
        request.body = body
        request.headers = [TransferHeader("Accept", "application/json")]
        if body != nil { request.headers.append(TransferHeader("Content-Type", "application/json")) }
        request.timeout = timeout
        do throws(TransferError) {
            let response = try await client.send(request)
            let warnings = response.headers.filter { $0.name.lowercased() == "warning" }
            return RESTAnswer(
                status: response.status,
                body: response.body,
                warnings: warnings.compactMap { Self.text(ofWarning: $0.value) }
            )
        } catch {
            throw CLIError(
                .unreachable,
                "\(url): \(error.reason). \(Self.hint(url, error.reason))"
            )
        }
    }

    /// What stands in quotes in `299 sluice "text"`.
    private static func text(ofWarning value: String) -> String? {
        guard let start = value.firstIndex(of: "\""), value.hasSuffix("\"") else { return nil }
        var text = "", isEscaped = false
        for character in value[value.index(after: start)...].dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                text.append(character)
                isEscaped = false
            }
        }
        return text
    }
    private static func hint(_ url: String, _ reason: String) -> String {
        let isAboutTrust = url.hasPrefix("https:") && reason.lowercased().contains("certificate")
        return isAboutTrust
            ? "Name the PEM file of the authority that signed it with --ca-file or SLUICE_CA_FILE."
            : "Is the worker running there? Name another with --url or SLUICE_URL."
    }
}
