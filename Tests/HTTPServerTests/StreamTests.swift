import ConnectTestKit
import Lifecycle
import Synchronization
import Testing

@testable import HTTPServer

@Suite(.timeLimit(.minutes(1))) struct StreamTests {
    private struct Broken: Error {}

    @Test func piecesAsTheyCome() async throws {
        let more = Latch()
        let handler: Server.Handler = { _ in
            Response(
                200,
                body: .stream { writer in
                    try await writer.write("first ")
                    try await writer.write("")
                    await more.wait()
                    try await writer.write("second")
                }
            )
        }
        try await withServer(handler: handler) { port, _ in
            let client = RawClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let start = await client.read(until: "first ")
            #expect(start.contains("Transfer-Encoding: chunked\r\n"))
            more.open()
            #expect(await client.read(until: "0\r\n\r\n").contains("second"))
        }
    }

    @Test func aLargeBodyArrivesWhole() async throws {
        let piece = [UInt8](repeating: 0x78, count: 10_000)
        let handler: Server.Handler = { _ in
            Response(200, body: .stream { writer in for _ in 0..<500 { try await writer.write(piece) } })
        }
        try await withServer(handler: handler) { port, _ in
            let client = RawClient(port: port)
            client.send("GET / HTTP/1.0\r\n\r\n")
            let answer = await client.readAll()
            #expect(answer.utf8.count { $0 == 0x78 } == 5_000_000)
        }
    }

    @Test func anErrorBreaksTheBodyOff() async throws {
        let handler: Server.Handler = { _ in
            Response(
                200,
                body: .stream { writer in
                    try await writer.write("part")
                    throw Broken()
                }
            )
        }
        try await withServer(handler: handler) { port, _ in
            let client = RawClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await client.readAll().hasSuffix("0\r\n\r\n") == false)
        }
    }

    @Test func aClientThatGoesEndsTheProducer() async throws {
        let ended = Latch()
        let handler: Server.Handler = { _ in
            Response(
                200,
                body: .stream { writer in
                    defer { ended.open() }
                    while true { try await writer.write(Array(repeating: 0x2E, count: 5_000)) }
                }
            )
        }
        try await withServer(handler: handler) { port, _ in
            let client = RawClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = await client.read(until: "...")
            client.hangUp(abruptly: true)
            await ended.wait()
        }
    }

    @Test func anEndlessStreamEndsWithTheServer() async throws {
        let handler: Server.Handler = { _ in
            Response(
                200,
                body: .stream { writer in
                    try await writer.write("event\n")
                    await writer.stop.wait()
                    try await writer.write("bye\n")
                }
            )
        }
        try await withServer(handler: handler) { port, stop in
            let client = RawClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = await client.read(until: "event\n")
            stop.open()
            #expect(await client.readAll().contains("bye\n"))
        }
    }

    @Test func aProducerThatHangsIsCancelledOutOfTime() async throws {
        var options = Server.Options()
        options.grace = .milliseconds(1)
        let handler: Server.Handler = { _ in
            Response(
                200,
                body: .stream { writer in
                    try await writer.write("event\n")
                    await Latch().wait()
                    try Task.checkCancellation()
                }
            )
        }
        try await withServer(options, handler: handler) { port, stop in
            let client = RawClient(port: port)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = await client.read(until: "event\n")
            stop.open()
            #expect(await client.readAll().hasSuffix("0\r\n\r\n") == false)
        }
    }

    @Test func headOfAStreamHasNoBody() async throws {
        let handler: Server.Handler = { _ in Response(200, body: .stream { try await $0.write("body") }) }
        try await withServer(handler: handler) { port, _ in
            let client = RawClient(port: port)
            client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(await client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(await client.read(until: "0\r\n\r\n").contains("body"))
        }
    }
}
