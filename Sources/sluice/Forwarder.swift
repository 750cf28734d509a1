import ConnectREST
import HTTPServer
import Synchronization
import TransferClient

/// Sends requests to another worker, over a few connections that are kept.
final class Forwarder: Sendable {
    private let idle = Mutex<[TransferClient]>([])
    private let settings: TransferSettings

    /// For the REST API of a worker.
    ///
    /// `authorities` is a PEM file of those that may have signed the other workers' certificates; nil for the system's.
    static func forwarding(authorities: String?) throws -> Forwarding {
        var settings = TransferSettings()
        settings.tls.authorities = authorities
        settings.connectTimeout = .seconds(3)
        settings.proxy = ""
        settings.acceptsCompressed = false
        let forwarder = Forwarder(settings)
        return Forwarding { request in try await forwarder.send(request) }
    }
    private static let kept: Set = ["content-type", "location", "warning"]
    private init(_ settings: TransferSettings) { self.settings = settings }

    private func send(_ request: Forwarding.Outgoing) async throws -> Response {
        let client = try idle.withLock { $0.popLast() } ?? TransferClient(settings, label: "sluice.forward")
        defer { idle.withLock { $0.append(client) } }
        let outgoing = TransferRequest(
            request.method.rawValue,
            request.url,
            headers: request.headers.map { TransferHeader($0.name, $0.value) },
            body: request.body.isEmpty ? nil : request.body,
            timeout: request.timeout
        )
        do throws(TransferError) {
            let answer = try await client.send(outgoing)
            var headers: Headers = [:]
            for field in answer.headers where Self.kept.contains(field.name.lowercased()) {
                headers.add(field.name, field.value)
            }
            return Response(answer.status, headers: headers, body: .bytes(answer.body))
        } catch {
            let unsent: [TransferError.Code] = [.refused, .unknownHost, .badURL]
            throw Forwarding.Failure(error.reason, isUnsent: unsent.contains(error.code))
        }
    }
}
