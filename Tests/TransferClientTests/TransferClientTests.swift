import Blocking
import ConnectTestKit
import Testing
import TransferClient

@Suite struct TransferSessionTests {
    private func session(_ change: (inout TransferSettings) -> Void = { _ in }) throws -> TransferSession {
        var settings = TransferSettings()
        settings.proxy = ""
        change(&settings)
        return try TransferSession(settings)
    }

    @Test func `sends method, headers and body, and takes status, headers and body`() throws {
        let server = try ScriptedHTTPServer { request in
            .answer(201, headers: ["X-Seen": request.headers["x-mine"] ?? ""], body: "got \(request.text)")
        }
        let session = try session()
        let answer = try session.send(
            TransferRequest(
                "PUT",
                server.url + "/a?b=c",
                headers: [TransferHeader("X-Mine", "1")],
                body: Array("hi".utf8)
            )
        )
        #expect(answer.status == 201)
        #expect(answer.isSuccess)
        #expect(answer.header("x-seen") == "1")
        #expect(answer.text == "got hi")
        let request = try #require(server.requests.first)
        #expect(request.method == "PUT")
        #expect(request.target == "/a?b=c")
        #expect(request.headers["expect"] == nil)
        for method in ["GET", "HEAD", "DELETE"] { _ = try session.send(TransferRequest(method, server.url)) }
        _ = try session.send(TransferRequest("POST", server.url, body: []))
        #expect(server.requests.map(\.method) == ["PUT", "GET", "HEAD", "DELETE", "POST"])
        #expect(server.requests.last?.headers["content-length"] == "0")
    }

    @Test func `several requests are in flight, large bodies arrive whole`() throws {
        let server = try ScriptedHTTPServer { .answer(200, body: "\($0.body.count)") }
        let session = try session()
        for tag in 1...6 {
            let body = [UInt8](repeating: UInt8(tag), count: tag * 700_000)
            try session.start(TransferRequest("POST", server.url, body: body), tag: tag)
        }
        var sizes: [Int: String] = [:]
        while session.inFlight > 0 || sizes.count < 6 {
            let outcomes = session.wait(.seconds(10))
            if outcomes.isEmpty { break }
            for outcome in outcomes { sizes[outcome.tag] = try outcome.result.get().text }
        }
        #expect(sizes == Dictionary(uniqueKeysWithValues: (1...6).map { ($0, "\($0 * 700_000)") }))
    }

    @Test func `credentials go with every request and never into text`() throws {
        let server = try ScriptedHTTPServer { _ in .answer(200) }
        let kinds: [TransferAuthorization] = [.basic(user: "u", password: "p"), .bearer("t"), .apiKey("k")]
        for kind in kinds {
            _ = try session { $0.authorization = { kind } }.send(TransferRequest("GET", server.url))
            #expect(!"\(kind)\(String(reflecting: kind))".contains("p\""))
            var dumped = ""
            dump(kind, to: &dumped)
            #expect(!dumped.contains("\"p\""))
        }
        #expect(server.requests.map { $0.headers["authorization"] } == ["Basic dTpw", "Bearer t", "ApiKey k"])
    }

    @Test func `failures are told apart`() throws {
        let server = try ScriptedHTTPServer { $0.target == "/silence" ? .silence : .hangUp }
        let session = try session()
        func code(_ request: TransferRequest) -> (TransferError.Code, Bool)? {
            do throws(TransferError) { _ = try session.send(request) } catch { return (error.code, error.isRetriable) }
            return nil
        }
        let lost = code(TransferRequest("GET", server.url))
        #expect(lost?.0 == .connectionLost)
        #expect(lost?.1 == true)
        let late = code(TransferRequest("GET", server.url + "/silence", timeout: .milliseconds(50)))
        #expect(late?.0 == .timeout)
        #expect(code(TransferRequest("GET", "http://127.0.0.1:1/"))?.0 == .refused)
        #expect(code(TransferRequest("GET", "http://no.such.host.invalid/"))?.0 == .unknownHost)
        let bad = code(TransferRequest("GET", "file:///etc/passwd"))
        #expect(bad?.0 == .badURL)
        #expect(bad?.1 == false)
    }

    @Test func `nothing moving for a while is a time-out`() throws {
        let server = try ScriptedHTTPServer { _ in .silence }
        let error = #expect(throws: TransferError.self) {
            _ = try session { $0.idleTimeout = .milliseconds(500) }.send(TransferRequest("GET", server.url))
        }
        #expect(error?.code == .timeout)
    }

    @Test func `an answer beyond the limit is refused, a receiver takes it piece by piece`() throws {
        let server = try ScriptedHTTPServer { _ in .answer(200, body: String(repeating: "x", count: 1 << 20)) }
        let session = try session { $0.responseBytesMax = 1 << 19 }
        let error = #expect(throws: TransferError.self) { _ = try session.send(TransferRequest("GET", server.url)) }
        #expect(error?.code == .tooLarge)
        var received = 0
        let answer = try session.send(TransferRequest("GET", server.url)) { piece in
            received += piece.count
            return true
        }
        #expect(received == 1 << 20)
        #expect(answer.body.isEmpty)
        let ended = #expect(throws: TransferError.self) {
            _ = try session.send(TransferRequest("GET", server.url)) { _ in false }
        }
        #expect(ended?.code == .cancelled)
    }

    @Test func `retry after is read, redirects are followed when asked for`() throws {
        let server = try ScriptedHTTPServer { request in
            switch request.target {
            case "/busy": .answer(429, headers: ["Retry-After": "7"])
            case "/old": .answer(302, headers: ["Location": "/new", "X-Old": "1"])
            default: .answer(200, body: "new")
            }
        }
        #expect(try session().send(TransferRequest("GET", server.url + "/busy")).retryAfter == .seconds(7))
        #expect(try session().send(TransferRequest("GET", server.url + "/old")).status == 302)
        let followed = try session { $0.redirectsMax = 3 }.send(TransferRequest("GET", server.url + "/old"))
        #expect(followed.text == "new")
        #expect(followed.header("X-Old") == nil)
    }

    @Test func `a connection that the server closed meanwhile is replaced`() throws {
        let server = try ScriptedHTTPServer { request in
            request.number == 1 ? .hangUp : .answer(200, body: "\(request.number)")
        }
        let session = try session()
        let body = [UInt8](repeating: 1, count: 100)
        #expect(try session.send(TransferRequest("POST", server.url, body: body)).text == "0")
        // libcurl sends again by itself on a connection that was already used: the body goes back to its start.
        #expect(try session.send(TransferRequest("POST", server.url, body: body)).text == "2")
        #expect(server.requests.map(\.body.count) == [100, 100, 100])
    }

    @Test func `cancelled requests leave nothing behind`() throws {
        let server = try ScriptedHTTPServer { $0.target == "/" ? .silence : .answer(200) }
        let session = try session()
        try session.start(TransferRequest("GET", server.url), tag: 1)
        session.cancelAll()
        #expect(session.inFlight == 0)
        #expect(session.wait(.zero).isEmpty)
        #expect(try session.send(TransferRequest("GET", server.url + "/ok")).status == 200)
    }

    @Test func `the client does the same without blocking its caller`() async throws {
        let server = try ScriptedHTTPServer { _ in .answer(200, body: "ok") }
        var settings = TransferSettings()
        settings.proxy = ""
        let client = try TransferClient(settings)
        #expect(try await client.send(TransferRequest("GET", server.url)).text == "ok")
        await #expect(throws: TransferError.self) {
            try await client.send(TransferRequest("GET", "http://127.0.0.1:1"))
        }
    }
}
