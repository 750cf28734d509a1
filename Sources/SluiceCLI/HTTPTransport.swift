import TransferClient

/// ``RESTTransport`` over libcurl; a connection is kept for the next request.
public struct HTTPTransport: RESTTransport {
    private let client: TransferClient

    /// With `user` and `password` every request carries basic authentication; throws when libcurl cannot start.
    public init(user: String? = nil, password: String? = nil) throws(CLIError) {
        var settings = TransferSettings()
        settings.connectTimeout = .seconds(5)
        if let user, let password { settings.authorization = { .basic(user: user, password: password) } }
        do throws(TransferError) { client = try TransferClient(settings, label: "sluice.cli.http") } catch {
            throw CLIError(.failed, "the HTTP client does not start: \(error)")
        }
    }

    /// Throws ``CLIError/Status/unreachable`` with what to check when there is no answer.
    public func send(
        _ method: String,
        to url: String,
        body: [UInt8]?,
        timeout: Duration
    ) async throws(CLIError) -> (status: Int, body: [UInt8]) {
        var request = TransferRequest(method, url)
        request.body = body
        request.headers = [TransferHeader("Accept", "application/json")]
        if body != nil { request.headers.append(TransferHeader("Content-Type", "application/json")) }
        request.timeout = timeout
        do throws(TransferError) {
            let response = try await client.send(request)
            return (response.status, response.body)
        } catch {
            throw CLIError(
                .unreachable,
                "\(url): \(error.reason). Is the worker running there? Name another with --url or SLUICE_URL."
            )
        }
    }
}
