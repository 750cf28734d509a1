import Dispatch
import Glibc
import Synchronization

/// An HTTP server on a free port of 127.0.0.1 that answers as a closure says; for clients under test.
///
///     let server = try ScriptedHTTPServer { request in .answer(200, body: "{}") }
///     let url = server.url + "/path"
public final class ScriptedHTTPServer: Sendable {
    /// What a client asked.
    public struct Request: Sendable {
        /// The HTTP method.
        public var method: String
        /// Path and query.
        public var target: String
        /// Headers with lower-case names.
        public var headers: [String: String]
        /// The content.
        public var body: [UInt8]
        /// How many requests came before this one, on all connections.
        public var number: Int
        /// The content as text.
        public var text: String { String(decoding: body, as: UTF8.self) }
    }
    /// What the server does about it.
    public enum Reply: Sendable {
        /// Answers.
        case answer(Int, headers: [String: String] = [:], body: String = "")
        /// Closes the connection without an answer.
        case hangUp
        /// Keeps the connection open and never answers.
        case silence
    }

    /// `http://127.0.0.1:port`.
    public let url: String
    private let listener: Int32
    private let asked = Mutex<[Request]>([])
    private let connections = Mutex<Set<Int32>>([])
    private let reply: @Sendable (Request) -> Reply

    /// Starts listening at once.
    public init(_ reply: @escaping @Sendable (Request) -> Reply) throws(SocketError) {
        self.reply = reply
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isUp = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        guard isUp else { throw SocketError(number: errno) }
        DispatchQueue(label: "test.http.accept").async { [weak self] in Self.accept(listener) { self?.serve($0) } }
    }
    deinit { close() }

    /// Why there is no server.
    public struct SocketError: Error, Sendable {
        /// The system's error number.
        public let number: Int32
    }

    /// What was asked so far.
    public var requests: [Request] { asked.withLock { $0 } }

    /// Stops listening and breaks all connections.
    public func close() {
        _ = shutdown(listener, Int32(SHUT_RDWR))
        connections.withLock { open in
            for connection in open { _ = shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    private static func accept(_ listener: Int32, _ serve: @escaping @Sendable (Int32) -> Void) {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { break }
            DispatchQueue(label: "test.http.connection").async {
                serve(connection)
                _ = Glibc.close(connection)
            }
        }
        _ = Glibc.close(listener)
    }

    private func serve(_ connection: Int32) {
        connections.withLock { _ = $0.insert(connection) }
        defer { connections.withLock { _ = $0.remove(connection) } }
        var received: [UInt8] = []
        while let request = read(connection, &received) {
            switch reply(request) {
            case .hangUp: return
            case .silence: _ = receive(connection, &received)
            case .answer(let status, let headers, let body):
                let hasBody = request.method != "HEAD" && status != 304
                var text = "HTTP/1.1 \(status) Scripted\r\n"
                for (name, value) in headers { text += "\(name): \(value)\r\n" }
                text += "Content-Length: \(hasBody ? body.utf8.count : 0)\r\n\r\n" + (hasBody ? body : "")
                guard send(connection, Array(text.utf8)) else { return }
            }
        }
    }

    private func read(_ connection: Int32, _ received: inout [UInt8]) -> Request? {
        var headEnd: Int?
        while headEnd == nil {
            headEnd = end(ofHead: received)
            if headEnd == nil, !receive(connection, &received) { return nil }
        }
        guard let headEnd else { return nil }
        let lines = String(decoding: received[..<headEnd], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let total = headEnd + (Int(headers["content-length"] ?? "") ?? 0)
        while received.count < total { if !receive(connection, &received) { return nil } }
        let body = Array(received[headEnd..<total])
        received.removeSubrange(..<total)
        guard words.count > 1 else { return nil }
        return asked.withLock { asked in
            let request = Request(
                method: String(words[0]),
                target: String(words[1]),
                headers: headers,
                body: body,
                number: asked.count
            )
            asked.append(request)
            return request
        }
    }

    private func end(ofHead bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 3..<bytes.count
        where bytes[index] == 10 && bytes[index - 1] == 13 && bytes[index - 2] == 10 && bytes[index - 3] == 13 {
            return index + 1
        }
        return nil
    }

    private func receive(_ connection: Int32, _ received: inout [UInt8]) -> Bool {
        var piece = [UInt8](repeating: 0, count: 256 << 10)
        let got = unsafe piece.withUnsafeMutableBytes { unsafe recv(connection, $0.baseAddress, $0.count, 0) }
        if got > 0 { received += piece[..<got] }
        return got > 0
    }

    private func send(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let part = unsafe bytes[sent...].withUnsafeBytes { part in
                unsafe Glibc.send(connection, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
            }
            guard part > 0 else { return false }
            sent += part
        }
        return true
    }
}
