import Testing

@testable import HTTPServer

@Suite struct RequestTests {
    @Test(arguments: [
        ("/", []), ("", []), ("/a", ["a"]), ("/a/", ["a"]), ("/a%2Fb/c", ["a/b", "c"]), ("/a//b", ["a", "", "b"]),
        ("/%C3%BC+%25", ["ü+%"]), ("//", [""]),
    ]) func paths(path: String, parts: [String]) { #expect(segments(of: path) == parts) }

    @Test(arguments: ["/%", "/%2", "/%zz", "/%ff", "/a/%00"]) func badPaths(path: String) {
        #expect(segments(of: path) == nil)
    }

    @Test func headersIgnoreCase() {
        var headers: Headers = ["Content-Type": "a", "X": "1", "x": "2"]
        #expect(headers["content-type"] == "a" && headers["X"] == "1" && headers.all("x") == ["1", "2"])
        headers["x"] = "3"
        headers.add("Y", "4")
        #expect(headers.map(\.name) == ["Content-Type", "x", "Y"] && headers["y"] == "4")
        headers["CONTENT-TYPE"] = nil
        #expect(headers["Content-Type"] == nil && headers["none"] == nil)
    }

    @Test(arguments: [
        ("Basic YWRhOng6eQ==", "ada|x:y"), ("basic  YWRhOg==", "ada|"), ("Bearer YWRhOng6eQ==", nil), ("Basic", nil),
        ("Basic YWRh", nil), ("Basic ?", nil), ("Basic /zo6", nil),
    ]) func credentials(header: String, wanted: String?) {
        let request = Request(.get, path: [], headers: ["Authorization": header])
        #expect(request.basicCredentials.map { "\($0.user)|\($0.password)" } == wanted)
    }
}
