import ConnectREST
import HTTPServer
import Metrics
import Testing

/// Which routes answer where, and what goes along in headers.
@Suite struct SurfaceTests {
    private func ask(
        _ surface: RESTAPI.Surface,
        _ method: HTTPServer.Method,
        _ path: String,
        _ body: String = ""
    ) async throws -> Response {
        var options = RESTAPI.Options()
        options.surface = surface
        let api = try RESTAPI(herder: FakeHerder(), metrics: MetricsRegistry(), options: options) { "http://h:1" }
        return await api.respond(
            to: Request(method, path: path.split(separator: "/").map(String.init), body: Array(body.utf8))
        )
    }

    @Test(arguments: [
        ("/health", 200, 200, 200), ("/metrics", 200, 200, 200), ("/", 200, 200, 200),
        ("/connectors", 200, 200, 404), ("/connector-plugins", 200, 200, 404), ("/admin/loggers", 200, 404, 200),
        ("/admin/tasks", 200, 404, 200),
    ])
    func `admin routes may live elsewhere`(path: String, all: Int, withoutAdmin: Int, onlyAdmin: Int) async throws {
        #expect(try await ask(.all, .get, path).status == all)
        #expect(try await ask(.withoutAdmin, .get, path).status == withoutAdmin)
        #expect(try await ask(.onlyAdmin, .get, path).status == onlyAdmin)
    }

    @Test func `keys that nothing knows go along as warnings, bodies stay Kafka Connect's`() async throws {
        let answer = try await ask(.all, .put, "/connectors/n/config", #"{"tp\"ic":"x"}"#)
        #expect(answer.status == 201)
        #expect(answer.headers.all("Warning") == [#"299 sluice "Unknown configuration tp\"ic.""#])
        let fine = try await ask(.all, .put, "/connectors/n/config", #"{"topic":"x"}"#)
        #expect(fine.headers.all("Warning") == [])
        let validated = try await ask(
            .all,
            .put,
            "/connector-plugins/FileStreamSink/config/validate",
            #"{"tp\"ic":"x"}"#
        )
        #expect(validated.headers.all("Warning").count == 1)
    }

    @Test func `Kafka Connect's package means all of our loggers`() async throws {
        let answer = try await ask(.all, .put, "/admin/loggers/org.apache.kafka.connect", #"{"level":"INFO"}"#)
        guard case .bytes(let bytes) = answer.body else { throw RESTError(0, "a stream") }
        #expect(String(decoding: bytes, as: UTF8.self).contains(#""sluice"#))
    }
}
