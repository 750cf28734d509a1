import ConnectModel
import ConnectRuntime
public import HTTPServer
import Synchronization

/// How requests that only the leader can carry out get from a standby to it.
public struct Forwarding: Sendable {
    /// One request for another worker.
    public struct Outgoing: Sendable {
        /// GET and so on.
        public var method: Method
        /// Address with path and query, escaped.
        public var url: String
        /// Header fields to send.
        public var headers: Headers
        /// The body; empty for none.
        public var body: [UInt8]
        /// A limit for all of it.
        public var timeout: Duration
    }
    /// Why there is no answer.
    public struct Failure: Error, Sendable {
        /// In words.
        public var reason: String
        /// Whether the leader cannot have seen the request.
        public var isUnsent: Bool

        /// Makes a failure.
        public init(_ reason: String, isUnsent: Bool) { (self.reason, self.isUnsent) = (reason, isUnsent) }
    }
    /// Sends a request and returns the answer, whatever its status; throws ``Failure``.
    public typealias Send = @Sendable (Outgoing) async throws -> Response

    let send: Send
    let timeout: Duration
    private let slots: Slots

    /// At most `limit` requests are on their way at once; each may take `timeout`.
    public init(limit: Int = 8, timeout: Duration = .seconds(60), send: @escaping Send) {
        (self.send, self.timeout, slots) = (send, timeout, Slots(limit))
    }

    /// One hop is enough: whoever got this header is asked because it leads.
    static let hop = "X-Sluice-Forwarded"

    private final class Slots: Sendable {
        private let free: Mutex<Int>
        init(_ count: Int) { free = Mutex(count) }
        func take() -> Bool {
            free.withLock { free in
                guard free > 0 else { return false }
                free -= 1
                return true
            }
        }
        func give() { free.withLock { $0 += 1 } }
    }

    fileprivate func answer(_ request: Request, to leader: String, from worker: String) async -> Response {
        guard slots.take() else {
            return conflict(leader, "too many requests are on their way to the leader")
        }
        defer { slots.give() }
        var headers: Headers = [Self.hop: worker]
        for name in ["Content-Type", "Accept", "Authorization"] {
            if let value = request.headers[name] { headers.add(name, value) }
        }
        var url = leader.hasSuffix("/") ? String(leader.dropLast()) : leader
        url += "/" + request.path.map(\.percentEncoded).joined(separator: "/")
        if !request.query.isEmpty {
            url +=
                "?"
                + request.query.map { "\($0.name.percentEncoded)=\($0.value.percentEncoded)" }
                .joined(separator: "&")
        }
        let outgoing = Outgoing(
            method: request.method,
            url: url,
            headers: headers,
            body: request.body,
            timeout: timeout
        )
        do { return try await send(outgoing) } catch let failure as Failure where failure.isUnsent {
            return conflict(leader, failure.reason)
        } catch {
            let reason = (error as? Failure)?.reason ?? "\(error)"
            return RESTError(
                500,
                "The leader \(leader) got the request but gave no answer (\(reason)); it may or may not have been carried "
                    + "out. Look before trying again."
            ).response
        }
    }
    private func conflict(_ leader: String, _ reason: String) -> Response {
        RESTError(
            409,
            "Cannot complete request momentarily: this worker stands by, and the leader \(leader) cannot be reached "
                + "(\(reason)). Try again, or ask the leader itself."
        ).response
    }
}

/// Hands what only the leader can do to it, when this worker is not the leader; everything else goes to `next`.
func leaderOnly(_ herder: any Herder, _ forwarding: Forwarding?, next: @escaping Server.Handler) -> Server.Handler {
    { request in
        let isWrite = ![.get, .head, .options].contains(request.method)
        let isAboutTasks = request.path.first == "admin" && ["tasks", "config-directory"].contains(request.path.last)
        guard isWrite ? request.path.first == "connectors" : isAboutTasks else { return await next(request) }
        let cluster = await herder.cluster()
        guard cluster.role != .leader else { return await next(request) }
        let isForwarded = request.headers[Forwarding.hop] != nil
        if let leader = cluster.leaderURL, let forwarding, !isForwarded {
            let response = await forwarding.answer(request, to: leader, from: cluster.workerID)
            // A list of what runs here, nothing, is better than no answer.
            return isWrite || response.status < 400 ? response : await next(request)
        }
        guard isWrite else { return await next(request) }
        // A worker that still reads its topics says so itself.
        guard await herder.health().status == .healthy else { return await next(request) }
        let problem = cluster.problem.map { " This worker runs nothing: \($0)" } ?? ""
        guard let leader = cluster.leaderURL else {
            return RESTError(
                409,
                "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was "
                    + "underway.\(problem)"
            ).response
        }
        let how = isForwarded ? "it was forwarded here, but" : ""
        return RESTError(
            409,
            "Cannot complete request momentarily: \(how) this worker stands by. The leader is \(leader).\(problem)"
        ).response
    }
}
