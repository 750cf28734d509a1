import ConnectTestKit
import Dispatch
import Glibc
import Synchronization

/// Stands between clients and a broker that advertises this gate's port, and sees every request.
///
/// It tells requests of Kafka's protocol apart by their first bytes (length, API key), so that a test can cut a worker off
/// between two steps of a transaction: before the broker gets a request, or after it, before the client gets the answer.
final class KafkaGate: Sendable {
    /// API keys of requests that are steps of a transaction.
    enum Step: Int16, CaseIterable, Sendable {
        case produce = 0
        case initProducerID = 22
        case addPartitions = 24
        case endTransaction = 26
    }
    /// When to call.
    struct Trap: Sendable, CustomStringConvertible {
        var step: Step
        /// The how-manyth request of that kind.
        var count: Int
        /// Whether the broker gets the request first.
        var isAfter: Bool
        var description: String { "\(isAfter ? "after" : "before") \(step) \(count)" }
    }
    private struct State {
        var trap: Trap?
        var seen = 0
        var spring: (@Sendable () -> Void)?
        var isClosed = false
    }
    let port: Int
    private let listener: Int32
    private let target = Mutex(0)
    private let state = Mutex(State())

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var (address, length) = (Self.localhost(0), socklen_t(MemoryLayout<sockaddr_in>.size))
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0 && Glibc.listen(descriptor, 64) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else { throw WorkerProcess.Failure(description: "no port for the gate: errno \(errno)") }
        (listener, port) = (descriptor, Int(UInt16(bigEndian: address.sin_port)))
        DispatchQueue(label: "test.gate").async { [self] in accept() }
    }

    /// Where connections go from now on.
    func open(to port: Int) { target.withLock { $0 = port } }
    /// Calls `spring` once, at the trap; the connection in question is not served any further.
    func set(_ trap: Trap?, _ spring: @escaping @Sendable () -> Void = {}) {
        state.withLock { state in (state.trap, state.seen, state.spring) = (trap, 0, spring) }
    }
    /// Whether the trap has not been met yet.
    var isSet: Bool { state.withLock { $0.trap != nil } }
    func close() {
        state.withLock { $0.isClosed = true }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else {
                if state.withLock({ $0.isClosed }) { break }
                continue
            }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            var (address, on) = (Self.localhost(target.withLock { $0 }), Int32(1))
            let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe connect(server, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            for descriptor in [client, server] {
                _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(4))
            }
            guard isConnected else {
                Glibc.close(client)
                Glibc.close(server)
                continue
            }
            let ends = DispatchGroup()
            DispatchQueue(label: "test.gate.there").async(group: ends) { [self] in forwardRequests(client, server) }
            DispatchQueue(label: "test.gate.back").async(group: ends) { Self.forward(server, client) }
            ends.notify(queue: DispatchQueue(label: "test.gate.end")) {
                Glibc.close(client)
                Glibc.close(server)
            }
        }
        Glibc.close(listener)
    }

    /// Request by request: four bytes of length, then the API key.
    private func forwardRequests(_ client: Int32, _ server: Int32) {
        defer { Self.end(client, server) }
        while let head = Self.read(4, from: client) {
            let length = head.reduce(0) { $0 << 8 | Int($1) }
            guard length >= 2, let body = Self.read(length, from: client) else { return }
            let key = Int16(truncatingIfNeeded: Int(body[0]) << 8 | Int(body[1]))
            let (isMet, isAfter) = meets(key)
            if isMet, !isAfter { return spring() }
            guard Self.write(head + body, to: server) else { return }
            // The broker has it and acts on it; the answer is never read.
            if isMet { return spring() }
        }
    }
    private func meets(_ key: Int16) -> (Bool, Bool) {
        state.withLock { state in
            guard let trap = state.trap, trap.step.rawValue == key else { return (false, false) }
            state.seen += 1
            guard state.seen == trap.count else { return (false, false) }
            state.trap = nil
            return (true, trap.isAfter)
        }
    }
    private func spring() { state.withLock { $0.spring }?() }

    // Sockets

    private static func forward(_ from: Int32, _ to: Int32) {
        defer { end(from, to) }
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let got = unsafe recv(from, &chunk, chunk.count, 0)
            guard got > 0, write(Array(chunk[..<got]), to: to) else { return }
        }
    }
    private static func read(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe recv(descriptor, buffer.baseAddress.map { unsafe $0 + filled }, count - filled, 0)
            }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let put = unsafe bytes.withUnsafeBytes { buffer in
                unsafe send(
                    descriptor,
                    buffer.baseAddress.map { unsafe $0 + sent },
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard put > 0 else { return false }
            sent += put
        }
        return true
    }
    private static func end(_ one: Int32, _ other: Int32) {
        for descriptor in [one, other] { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
    private static func localhost(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
