public import HTTPServer
internal import Logs

private let log = Logger("sluice.rest")

/// Asks for user and password before `next` sees the request; `except` names requests that pass without.
public func basicAuth(
    realm: String,
    except: @escaping @Sendable (Request) -> Bool = { _ in false },
    check: @escaping @Sendable (_ user: String, _ password: String) -> Bool,
    next: @escaping Server.Handler
) -> Server.Handler {
    { request in
        if except(request) { return await next(request) }
        if let (user, password) = request.basicCredentials, check(user, password) { return await next(request) }
        var response = RESTError(401, "User cannot access the resource.").response
        response.headers.add("WWW-Authenticate", "Basic realm=\"\(realm)\"")
        return response
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
public func equalInConstantTime(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    var difference = a.count ^ b.count
    for index in a.indices { difference |= Int(a[index] ^ (index < b.count ? b[index] : 0)) }
    return difference == 0
}

/// Cancels a request that takes longer than `limit` and answers 500 with `message`, as Kafka Connect does.
///
/// The answer waits for the handler, which must mind its cancellation: nothing runs on without an owner. A streamed body
/// has no limit.
public func timeLimit(
    _ limit: Duration,
    message: @escaping @Sendable () -> String = { "Request timed out." },
    next: @escaping Server.Handler
) -> Server.Handler {
    { request in
        await withTaskGroup(of: Response?.self) { group in
            group.addTask { await next(request) }
            group.addTask {
                do { try await Task.sleep(for: limit) } catch { return nil }
                return nil
            }
            var words: String?
            for await response in group {
                group.cancelAll()
                // Done after all is told as it is; an answer of the cancelled kind gives way to the reason.
                if let response { return words.map { answer(response, else: $0) } ?? response }
                if !Task.isCancelled { words = message() }  // the handler still hangs: it can tell on what
            }
            return RESTError(500, words ?? "The request was cancelled").response
        }
    }
}

private func answer(_ response: Response, else words: String) -> Response {
    response.status < 400 ? response : RESTError(500, words).response
}

/// Writes a line for each request, with status and time, at level debug, and at info for requests that change something.
public func accessLog(next: @escaping Server.Handler) -> Server.Handler {
    { request in
        let start = ContinuousClock.now
        let response = await next(request)
        let level: LogLevel = [.get, .head, .options].contains(request.method) ? .debug : .info
        log.log(
            level,
            "Request",
            [
                "method": "\(request.method.rawValue)", "path": "/\(request.path.joined(separator: "/"))",
                "status": .int(response.status), "ms": .int(Int((ContinuousClock.now - start) / .milliseconds(1))),
                "client": "\(request.remoteAddress ?? "")",
            ]
        )
        return response
    }
}
