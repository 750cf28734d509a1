import ConnectTestKit
import Lifecycle
import Synchronization
import Testing

@testable import HTTPServer

/// Runs a server around `body`, which gets its port and the latch that stops it; fails when it does not end in order.
func withServer(
    _ options: Server.Options = .init(),
    handler: @escaping Server.Handler,
    _ body: @escaping @Sendable (_ port: Int, _ stop: Latch) async throws -> Void
) async throws {
    let server = try Server(options, handler: handler), stop = Latch()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run(until: stop) }
        group.addTask {
            defer { stop.open() }  // also when an expectation throws
            try await body(server.port, stop)
        }
        try await group.waitForAll()
    }
}

private func described(_ request: Request) -> Response {
    let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    let body = String(decoding: request.body, as: UTF8.self)
    return .text("\(request.method.rawValue) \(request.path) [\(query)] \(body)")
}

@Suite(.timeLimit(.minutes(1))) struct ServerTests {
    @Test func requestsOnOneConnection() async throws {
        try await withServer(handler: { described($0) }) { port, _ in
            let client = RawClient(port: port)
            client.send("GET /a%2Fb/c%20d/?x=1&y=a%20b+c%2B&z HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = await client.readResponse()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("Content-Type: text/plain; charset=utf-8\r\n"))
            #expect(answer.hasSuffix("GET [\"a/b\", \"c d\"] [x=1&y=a b c+&z=] "))
            client.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
            #expect(await client.readResponse().hasSuffix("POST [\"p\"] [] hello"))
            client.send(
                "PUT /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            )
            #expect(await client.readResponse().hasSuffix("PUT [\"p\"] [] abcde"))
            client.send("HEAD /p HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await client.read(until: "\r\n\r\n").contains("Content-Length: 14\r\n"))
            client.send("PATCH /1 HTTP/1.1\r\nHost: h\r\n\r\nPATCH /2 HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await client.readResponse().hasSuffix("PATCH [\"1\"] [] "))
            #expect(await client.readResponse().hasSuffix("PATCH [\"2\"] [] "))
        }
    }

    @Test func addressHeadersAndStatus() async throws {
        let handler: Server.Handler = { request in
            Response(
                201,
                headers: ["X-From": request.remoteAddress ?? "?", "X-Got": request.headers["x-sent"] ?? "?"],
                body: .bytes(Array("ok".utf8))
            )
        }
        try await withServer(handler: handler) { port, _ in
            let client = RawClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\nX-SENT: ü\r\n\r\n")
            let answer = await client.readResponse()
            #expect(answer.hasPrefix("HTTP/1.1 201 Created\r\n") && answer.contains("X-From: 127.0.0.1\r\n"))
            #expect(answer.contains("X-Got: ü\r\n") && answer.hasSuffix("\r\n\r\nok"))
        }
    }

    @Test func limitsAndNonsense() async throws {
        var options = Server.Options()
        options.bodyBytesMax = 10
        try await withServer(options, handler: { described($0) }) { port, _ in
            let announced = RawClient(port: port)
            announced.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n")
            #expect(await announced.readResponse().hasPrefix("HTTP/1.1 413 "))
            let chunked = RawClient(port: port)
            chunked.send(
                "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n0\r\n\r\n"
            )
            let refusal = await chunked.readResponse()
            #expect(refusal.hasPrefix("HTTP/1.1 413 ") && refusal.hasSuffix("larger than 10 bytes\n"))
            let endless = RawClient(port: port)
            endless.send("POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            while endless.send("5\r\nabcde\r\n") {}  // ends because the server hangs up
            let path = RawClient(port: port)
            path.send("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await path.readResponse().hasPrefix("HTTP/1.1 400 "))
            let noHTTP = RawClient(port: port)
            noHTTP.send("\u{1}\u{2}nonsense\r\n\r\n")
            _ = await noHTTP.readAll()
            let exact = RawClient(port: port)
            exact.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789")
            #expect(await exact.readResponse().hasSuffix("0123456789"))
        }
    }

    @Test func manyAtOnce() async throws {
        var options = Server.Options()
        options.requests = 4
        try await withServer(options, handler: { described($0) }) { port, _ in
            await withTaskGroup(of: Void.self) { group in
                for client in 0..<16 {
                    group.addTask {
                        let raw = RawClient(port: port)
                        for n in 0..<20 {
                            raw.send("GET /\(client)/\(n) HTTP/1.1\r\nHost: h\r\n\r\n")
                            #expect(await raw.readResponse().hasSuffix("GET [\"\(client)\", \"\(n)\"] [] "))
                        }
                    }
                }
            }
        }
    }

    @Test func aPortInUseIsExplained() throws {
        let first = try Server(.init(), handler: { described($0) })
        let error = #expect(throws: ServerError.self) {
            try Server(.init(port: first.port), handler: { described($0) })
        }
        let port = first.port
        #expect(error?.description == "port \(port) on 127.0.0.1 is in use; set listeners=… to another port")
        let elsewhere = #expect(throws: ServerError.self) {
            try Server(.init(host: "192.0.2.1"), handler: { described($0) })
        }
        #expect(elsewhere?.description.hasPrefix("192.0.2.1 is no address of this machine") == true)
        let nowhere = #expect(throws: ServerError.self) {
            try Server(.init(host: "no such host"), handler: { described($0) })
        }
        #expect(nowhere?.description.hasPrefix("cannot listen on host \"no such host\": ") == true)
    }

    @Test func allAddresses() async throws {
        try await withServer(.init(host: ""), handler: { described($0) }) { port, _ in
            let client = RawClient(port: port)
            client.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await client.readResponse().hasSuffix("GET [\"x\"] [] "))
        }
    }

    @Test func runsOnce() async throws {
        let server = try Server(.init(), handler: { described($0) }), stop = Latch()
        stop.open()
        try await server.run(until: stop)
        await #expect(throws: ServerError.self) { try await server.run(until: stop) }
    }
}

@Suite(.timeLimit(.minutes(1))) struct StopTests {
    @Test func aRequestUnderWayIsFinished() async throws {
        let (entered, goOn) = (Latch(), Latch())
        let handler: Server.Handler = { _ in
            entered.open()
            await goOn.wait()
            return .text("done")
        }
        try await withServer(handler: handler) { port, stop in
            let client = RawClient(port: port), idle = RawClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await entered.wait()
            stop.open()
            goOn.open()
            let answer = await client.readAll()
            #expect(answer.hasSuffix("done"))
            #expect(await idle.readAll() == "", "a connection without a request is closed")
        }
    }

    @Test func outOfTimeCancelsTheHandler() async throws {
        let entered = Latch()
        var options = Server.Options()
        options.grace = .milliseconds(1)
        let handler: Server.Handler = { _ in
            entered.open()
            await Latch().wait()
            return .text("cancelled: \(Task.isCancelled)")
        }
        try await withServer(options, handler: handler) { port, stop in
            let client = RawClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await entered.wait()
            stop.open()
            _ = await client.readAll()
        }
    }

    @Test func waitingRequestsAreRefused() async throws {
        let entered = Latch()
        var options = Server.Options()
        (options.requests, options.grace) = (1, .milliseconds(1))
        let handler: Server.Handler = { _ in
            entered.open()
            await Latch().wait()
            return .text("late")
        }
        try await withServer(options, handler: handler) { port, stop in
            let clients = (0..<5).map { _ in RawClient(port: port) }
            for client in clients { client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n") }
            await entered.wait()
            stop.open()
            for client in clients { _ = await client.readAll() }
        }
    }
}
