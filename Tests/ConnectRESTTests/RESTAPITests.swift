import ConnectREST
import HTTPServer
import Metrics
import Testing

/// A request in, a response out: no socket, no port, no server.
private func ask(
    _ method: HTTPServer.Method,
    _ path: String,
    _ body: String = "",
    of herder: FakeHerder = FakeHerder()
) async -> Answer {
    guard let api = try? RESTAPI(herder: herder, metrics: MetricsRegistry(), advertisedURL: { "http://h:1" }) else {
        return Answer(status: 0, text: "no API", location: nil)
    }
    let parts = path.split(separator: "?", maxSplits: 1)
    let query = (parts.count > 1 ? parts[1].split(separator: "&") : []).map { pair in
        let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
        return (name: sides[0], value: sides.count > 1 ? sides[1] : "")
    }
    let request = Request(
        method,
        path: parts[0].split(separator: "/").map { String($0.replacing("%2F", with: "/")) },
        query: query,
        body: Array(body.utf8)
    )
    let response = await api.respond(to: request)
    guard case .bytes(let bytes) = response.body else { return Answer(status: 0, text: "a stream", location: nil) }
    let text = String(decoding: bytes, as: UTF8.self)
    return Answer(status: response.status, text: text, location: response.headers["Location"])
}

private struct Answer: Equatable {
    var status: Int, text: String, location: String?
}

@Suite struct RESTAPITests {
    @Test(arguments: [
        ("/", 200, #"{"commit":"c","kafka_cluster_id":"k","version":"4.3.1"}"#),
        ("/connectors", 200, #"["a/b","fs","gone"]"#),
        (
            "/connectors/fs", 200,
            #"{"config":{"topic":"t1"},"name":"fs","tasks":[{"connector":"fs","task":0}],"type":"source"}"#
        ),
        ("/connectors/a%2Fb/config", 200, #"{"topic":"t1"}"#),
        ("/connectors/nope", 404, #"{"error_code":404,"message":"Connector nope not found"}"#),
        (
            "/connectors/fs/status", 200,
            #"{"connector":{"state":"RUNNING","version":"1","worker_id":"h:1"},"name":"fs","tasks":[{"id":0,"#
                + #""state":"FAILED","trace":"why","worker_id":"h:1"}],"type":"source"}"#
        ),
        ("/connectors/fs/tasks", 200, #"[{"config":{"topic":"t1"},"id":{"connector":"fs","task":0}}]"#),
        ("/connectors/fs/tasks/0/status", 200, #"{"id":0,"note":"retrying","state":"RUNNING","worker_id":"h:1"}"#),
        ("/connectors/fs/tasks/7/status", 404, #"{"error_code":404,"message":"No status found for task fs-7"}"#),
        ("/connectors/fs/tasks/x/status", 404, #"{"error_code":404,"message":"HTTP 404 Not Found"}"#),
        ("/connectors/fs/topics", 200, #"{"fs":{"topics":["t1"]}}"#),
        ("/connectors/fs/offsets", 200, #"{"offsets":[{"partition":{"filename":"/in"},"offset":{"position":7}}]}"#),
        ("/connector-plugins", 200, #"[{"class":"FileStreamSink","type":"sink","version":"1"}]"#),
        ("/connector-plugins/Nope/config", 404, #"{"error_code":404,"message":"Unknown plugin Nope."}"#),
        ("/admin/loggers/nope", 404, #"{"error_code":404,"message":"Logger nope not found."}"#),
        ("/admin/config-directory", 200, #"[{"column":1,"file":"x.json","line":3,"reason":"expected a value"}]"#),
        ("/nope", 404, #"{"error_code":404,"message":"HTTP 404 Not Found"}"#),
    ]) func get(path: String, status: Int, text: String) async {
        #expect(await ask(.get, path) == Answer(status: status, text: text, location: nil))
    }

    @Test func `expand leaves out what has vanished`() async {
        let answer = await ask(.get, "/connectors?expand=status&expand=info")
        #expect(answer.text.contains(#""fs":{"info":"#) && !answer.text.contains("gone"))
        #expect(await ask(.get, "/connectors?expand=bogus").text == #"{"a/b":{},"fs":{},"gone":{}}"#)
    }

    @Test func `create answers 201 with a Location and keeps the order of keys`() async {
        let herder = FakeHerder()
        let body = #"{"name":" n/m ","config":{"topic":"t","file":"f","tasks.max":1},"initial_state":"stopped"}"#
        let answer = await ask(.post, "/connectors", body, of: herder)
        #expect(answer.status == 201 && answer.location == "http://h:1/connectors/n%2Fm")
        #expect(herder.calls == [#"create n/m ["topic", "file", "tasks.max"] STOPPED"#])
        #expect(await ask(.post, "/connectors", #"{"name":"fs","config":{}}"#).status == 409)
    }

    @Test(arguments: [
        ("", "The request has no body; expected a JSON object"),
        (#"{"name":"#, "The request body is not JSON: line 1"),
        (#"{"name":"x"}"#, "The request body has no \\\"config\\\""),
        (#"{"name":"x","config":{},"bogus":1}"#, "Unrecognized field \\\"bogus\\\""),
        (#"{"name":"x","config":{"a":{}}}"#, "Config key \\\"a\\\": expected a text"),
        (#"{"name":"x","config":{},"initial_state":"BOGUS"}"#, "must be one of RUNNING, PAUSED, STOPPED"),
    ]) func `a client's mistake is a 400 that says what is wrong`(body: String, said: String) async {
        let answer = await ask(.post, "/connectors", body)
        #expect(answer.status == 400 && answer.text.contains(said), "\(answer.text)")
    }

    @Test func `put tells new from changed and lists every error`() async {
        #expect(await ask(.put, "/connectors/n/config", "{}").status == 201)
        #expect(await ask(.put, "/connectors/fs/config", "{}").status == 200)
        let invalid = await ask(.put, "/connectors/n/config", #"{"tasks.max":0}"#)
        #expect(invalid.status == 400)
        #expect(
            invalid.text.contains(
                #"contains the following 2 error(s):\nInvalid value 0 for configuration tasks.max: Value must be at least 1"#
            )
        )
    }

    @Test func `states change with Kafka Connect's codes`() async {
        #expect(await ask(.put, "/connectors/fs/pause") == Answer(status: 202, text: "", location: nil))
        #expect(await ask(.put, "/connectors/fs/resume").status == 202)
        #expect(await ask(.put, "/connectors/fs/stop").status == 204)
        #expect(await ask(.delete, "/connectors/fs").status == 204)
        #expect(await ask(.post, "/connectors/fs/restart").status == 204)
        #expect(await ask(.post, "/connectors/fs/restart?includeTasks=true").status == 202)
        #expect(await ask(.post, "/connectors/fs/restart?includeTasks=maybe").status == 400)
        #expect(await ask(.post, "/connectors/fs/tasks/0/restart").status == 204)
        #expect(await ask(.put, "/connectors/nope/pause").text.contains("Unknown connector nope"))
        #expect(await ask(.put, "/connectors/fs/topics/reset").status == 403)
    }

    @Test func `patch and offsets pass nulls on`() async {
        let herder = FakeHerder()
        _ = await ask(.patch, "/connectors/fs/config", #"{"a":null,"b":2}"#, of: herder)
        let offsets =
            #"{"offsets":[{"partition":{"p":1},"offset":{"position":10}},{"partition":{"p":2},"offset":null}]}"#
        #expect(await ask(.patch, "/connectors/fs/offsets", offsets, of: herder).text == #"{"message":"altered"}"#)
        #expect(herder.calls == [#"patch ["a=null", "b=2"]"#, #"alter ["1:10", "1:-1"]"#])
        let none = await ask(.patch, "/connectors/fs/offsets", #"{"offsets":[]}"#)
        #expect(none.text.contains("Partitions / offsets need to be provided for an alter offsets request"))
    }

    @Test func `validation answers 200 and counts errors`() async {
        let answer = await ask(.put, "/connector-plugins/FileStreamSink/config/validate", #"{"tasks.max":"0"}"#)
        #expect(answer.status == 200 && answer.text.contains(#""error_count":1"#))
        #expect(answer.text.contains(#""default_value":"1""#) && answer.text.contains(#""group":"Common""#))
    }

    @Test func `a worker that is still starting says so`() async {
        let herder = FakeHerder(isStarting: true)
        #expect(await ask(.get, "/health", of: herder).status == 503)
        #expect(await ask(.get, "/connectors/fs", of: herder).status == 503)
    }

    @Test func `loggers change here or everywhere`() async {
        let herder = FakeHerder()
        #expect(await ask(.put, "/admin/loggers/rest.test", #"{"level":"DEBUG"}"#).text == #"["rest.test"]"#)
        #expect(await ask(.get, "/admin/loggers/rest.test").text.contains(#""level":"DEBUG""#))
        #expect(await ask(.put, "/admin/loggers/rest.test", #"{"level":"BOGUS"}"#).status == 404)
        #expect(await ask(.put, "/admin/loggers/rest.test", "{}").status == 400)
        let everywhere = await ask(.put, "/admin/loggers/x?scope=cluster", #"{"level":"info"}"#, of: herder)
        #expect(everywhere.status == 204 && herder.calls == ["x=INFO"])
    }
}
