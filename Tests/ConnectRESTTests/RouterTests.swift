import ConnectTestKit
import HTTPServer
import Lifecycle
import Testing

@testable import ConnectREST

private enum Failure: Error {
    case unknown(String)
    case busy
}

extension Response {
    fileprivate var text: String {
        if case .bytes(let bytes) = body { return String(decoding: bytes, as: UTF8.self) }
        return "a stream"
    }
}

private struct Thing: Codable, Sendable {
    var name: String
    var counts: [String: Int]?
}

private func makeRouter() -> Router {
    var router = Router { error in
        switch error {
        case Failure.unknown(let name): RESTError(404, "Connector \(name) not found")
        case Failure.busy: RESTError(409, "Cannot complete request")
        default: RESTError(500, "\(error)")
        }
    }
    router.on(.get, "/") { _ in ["version": "1.0"] }
    router.on(.get, "/connectors") { _ in ["a"] }
    router.on(.get, "/connectors/special") { _ in ["special"] }
    router.on(.get, "/connectors/:name") { call in
        if call["name"] == "a/b" { return Thing(name: call["name"]) }
        throw call["name"] == "busy" ? Failure.busy : Failure.unknown(call["name"])
    }
    router.on(.put, "/connectors/:name/flag") { call in
        Response.text("\(try call.flag("on")) \(call.queries("x")) \(call.query("x") ?? "-")")
    }
    router.on(.post, "/connectors") { call in Response.json(try call.body(as: Thing.self), status: 201) }
    return router
}

/// A request in, a response out: no socket, no port, no server.
private func ask(
    _ method: Method,
    _ path: String...,
    query: [(name: String, value: String)] = [],
    body: String = ""
) async -> Response {
    await makeRouter().respond(to: Request(method, path: path, query: query, body: Array(body.utf8)))
}

@Suite struct RouterTests {
    @Test(arguments: [
        ("a/b", 200, #"{"name":"a/b"}"#), ("special", 200, #"["special"]"#),
        ("zz", 404, #"{"error_code":404,"message":"Connector zz not found"}"#),
        ("busy", 409, #"{"error_code":409,"message":"Cannot complete request"}"#),
    ]) func answers(name: String, status: Int, text: String) async {
        let response = await ask(.get, "connectors", name)
        #expect(response.status == status && response.text == text)
        #expect(response.headers["content-type"] == "application/json")
    }

    @Test func unknownPathAndMethod() async {
        #expect(await ask(.get, "nope").text == #"{"error_code":404,"message":"HTTP 404 Not Found"}"#)
        #expect(await ask(.get).text == #"{"version":"1.0"}"#)
        let wrong = await ask(.delete, "connectors")
        #expect(wrong.text == #"{"error_code":405,"message":"HTTP 405 Method Not Allowed"}"#)
        #expect(wrong.status == 405 && wrong.headers["Allow"] == "GET,HEAD,OPTIONS,POST")
        let options = await ask(.options, "connectors")
        #expect(options.status == 200 && options.headers["Allow"] == "GET,HEAD,OPTIONS,POST")
        #expect(await ask(.post, "connectors", "a", "flag").headers["Allow"] == "OPTIONS,PUT")
        #expect(await ask(.head, "connectors").status == 200)
    }

    @Test func queries() async {
        #expect(await ask(.put, "connectors", "a", "flag").text == "false [] -")
        let two = await ask(.put, "connectors", "a", "flag", query: [("on", "TRUE"), ("x", "1"), ("x", "2")])
        #expect(two.text == #"true ["1", "2"] 1"#)
        let bad = await ask(.put, "connectors", "a", "flag", query: [("on", "maybe")])
        #expect(bad.status == 400)
    }

    @Test(arguments: [
        ("", "The request body is empty, JSON is expected"), ("{", "The request body is not valid JSON"),
        ("[]", "The request body is not what is expected here: the value is no object"),
        ("{}", #"The request body is not what is expected here: \"name\" is missing"#),
        (#"{"name":null}"#, "The request body is not what is expected here: null is no string at name"),
        (#"{"name":1}"#, "The request body is not what is expected here: the value is no string at name"),
        (
            #"{"name":"n","counts":{"x":"y"}}"#,
            "The request body is not what is expected here: the value is no whole number at counts.x"
        ),
    ]) func badBodies(body: String, message: String) async {
        let response = await ask(.post, "connectors", body: body)
        #expect(response.status == 400 && response.text == #"{"error_code":400,"message":"\#(message)"}"#)
    }

    @Test func goodBody() async {
        let response = await ask(.post, "connectors", body: #"{"name":"n","counts":{"b":2,"a":1}}"#)
        #expect(response.status == 201 && response.text == #"{"counts":{"a":1,"b":2},"name":"n"}"#)
    }

    /// One test goes through the socket; it proves the wiring, not the routes.
    @Test(.timeLimit(.minutes(1))) func overTheSocket() async throws {
        let server = try Server(.init(), handler: makeRouter().respond), stop = Latch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run(until: stop) }
            defer { stop.open() }  // also when an expectation throws
            let client = RawClient(port: server.port)
            client.send("GET /connectors/a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = await client.readResponse()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix(#"{"name":"a/b"}"#))
            client.hangUp(abruptly: false)
            stop.open()
            try await group.waitForAll()
        }
    }
}

@Suite struct GateTests {
    private static let ok: Server.Handler = { _ in Response(204) }

    @Test func credentials() async {
        let guarded = basicAuth(
            realm: "r",
            except: { $0.path == ["health"] },
            check: { equalInConstantTime($0, "ada") && equalInConstantTime($1, "x:y") },
            next: Self.ok
        )
        var request = Request(.get, path: [])
        let refused = await guarded(request)
        #expect(refused.status == 401 && refused.headers["WWW-Authenticate"] == #"Basic realm="r""#)
        #expect(refused.text == #"{"error_code":401,"message":"User cannot access the resource."}"#)
        #expect(await guarded(Request(.get, path: ["health"])).status == 204)
        request.headers["authorization"] = "Basic YWRhOng6eQ=="
        #expect(await guarded(request).status == 204)
        request.headers["authorization"] = "Basic YWRhOng="
        #expect(await guarded(request).status == 401)
        #expect(!equalInConstantTime("a", "ab") && !equalInConstantTime("ab", "a") && equalInConstantTime("", ""))
    }

    @Test(.timeLimit(.minutes(1))) func timeLimits() async {
        let slow = timeLimit(.milliseconds(1), message: { "Request timed out. Busy." }) { _ in
            await Latch().wait()
            return RESTError(500, "cancelled").response
        }
        let late = await slow(Request(.get, path: []))
        #expect(late.status == 500)
        #expect(late.text == #"{"error_code":500,"message":"Request timed out. Busy."}"#)
        #expect(await timeLimit(.seconds(60), next: Self.ok)(Request(.get, path: [])).status == 204)
    }

    @Test func crossOrigin() async throws {
        #expect(CORS(origins: " ,", methods: "GET") == nil)
        let cors = try #require(CORS(origins: "http://a.example, https://*.b.example", methods: "GET, PUT"))
        let handler = cors(next: Self.ok)
        func send(_ method: Method, _ origin: String?, asks: String? = nil) async -> Response {
            var request = Request(method, path: [])
            request.headers["Origin"] = origin
            request.headers["Access-Control-Request-Method"] = asks
            return await handler(request)
        }
        let same = await send(.get, nil)
        #expect(same.status == 204 && same.headers["Access-Control-Allow-Origin"] == nil)
        #expect(await send(.get, "http://evil.example").headers["Access-Control-Allow-Origin"] == nil)
        let plain = await send(.put, "https://x.b.example")
        #expect(plain.status == 204 && plain.headers["Access-Control-Allow-Origin"] == "https://x.b.example")
        #expect(plain.headers["Access-Control-Allow-Credentials"] == "true" && plain.headers["Vary"] == "Origin")
        let preflight = await send(.options, "http://a.example", asks: "PUT")
        #expect(preflight.status == 200 && preflight.headers["Access-Control-Allow-Methods"] == "GET,PUT")
        let any = try #require(CORS(origins: "*", methods: ""))
        let open = await any(next: Self.ok)(Request(.get, path: [], headers: ["Origin": "http://q"]))
        #expect(open.headers["Access-Control-Allow-Origin"] == "*")
        #expect(open.headers["Access-Control-Allow-Credentials"] == nil)
    }

    @Test(arguments: [
        ("https://*.b.example", "https://x.y.b.example", true), ("https://*.b.example", "https://b.example", false),
        ("http://*:80*", "http://h:8080", true), ("a*a", "a", false), ("a*b*c", "a1b2c", true), ("a*b*c", "acb", false),
    ]) func origins(pattern: String, origin: String, isAllowed: Bool) throws {
        #expect(try #require(CORS(origins: pattern, methods: "")).allows(origin) == isAllowed)
    }

    @Test func responseHeaders() async throws {
        let text = #"add X-A: 1; mode=b , "set Cache-Control: no-cache, no-store",set content-type:x, setDate E: 1000"#
        let headers = try ResponseHeaders(text)
        var response = Response(200, headers: ["Content-Type": "old", "X-A": "0"])
        headers.apply(to: &response, at: 784_111_776_000)
        #expect(response.headers.all("X-A") == ["0", "1; mode=b"] && response.headers.all("Content-Type") == ["x"])
        #expect(response.headers["Cache-Control"] == "no-cache, no-store")
        #expect(response.headers["E"] == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(await headers(next: Self.ok)(Request(.get, path: [])).headers["X-A"] == "1; mode=b")
        #expect(try await ResponseHeaders("")(next: Self.ok)(Request(.get, path: [])).status == 204)
    }

    @Test(arguments: [
        ("X-A", "Invalid format of header config 'X-A'. Expected: '[action] [header name]:[header value]'"),
        ("put X: 1", "Invalid header config action: 'put'. Expected one of [set, add, setDate, addDate]"),
        (
            "set X-A 1",
            "The format of header name and value pair 'X-A 1' is invalid. Expected: '[header name]:[header value]'"
        ),
        ("set X A: 1", "Invalid header name 'X A'. The '[header name]' cannot contain whitespace"),
        ("setDate X: soon", "Invalid header value 'soon'. setDate takes milliseconds from now"),
    ]) func badResponseHeaders(text: String, message: String) {
        let error = #expect(throws: ResponseHeaders.Invalid.self) { try ResponseHeaders(text) }
        #expect(error?.description == message)
    }
}
