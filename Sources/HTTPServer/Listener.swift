internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

/// Why a server does not start, and what can be done about it.
public struct ServerError: Error, Sendable, CustomStringConvertible {
    /// The whole sentence.
    public let description: String
}

/// A listening TCP socket; closed once, by whoever has taken it or else when nobody holds this any more.
final class Listener: Sendable {
    private let socket: Mutex<Int32?>
    let port: Int

    /// Port 0 takes any free one; an empty host means all addresses of the machine.
    init(host: String, port: Int) throws(ServerError) {
        var failure = ServerError(description: "the host name \(host) has no address")
        for address in try Self.addresses(host, port) {
            do {
                let socket = try address.listen()
                self.socket = Mutex(socket)
                self.port = Self.boundPort(socket) ?? port
                return
            } catch { failure = ServerError(description: Self.words(error.code, host, port)) }
        }
        throw failure
    }
    deinit { if let left = take() { close(left) } }

    /// The socket, which the caller closes from now on; nil when it is taken already.
    func take() -> Int32? {
        socket.withLock { socket in
            defer { socket = nil }
            return socket
        }
    }

    private struct Failure: Error { let code: Int32 }
    private struct Address {
        var family: Int32
        var bytes: [UInt8]

        func listen() throws(Failure) -> Int32 {
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            let socket = Glibc.socket(family, kind, 0)
            guard socket >= 0 else { throw Failure(code: errno) }
            var (yes, no): (Int32, Int32) = (1, 0)
            let size = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, size)
            if family == AF_INET6 { _ = unsafe setsockopt(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, size) }
            let isBound = unsafe bytes.withUnsafeBytes { raw in
                guard let start = raw.baseAddress else { return false }
                return unsafe bind(socket, start.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) == 0
            }
            guard isBound, Glibc.listen(socket, 512) == 0 else {
                let code = errno
                close(socket)
                throw Failure(code: code)
            }
            return socket
        }
    }

    private static func addresses(_ host: String, _ port: Int) throws(ServerError) -> [Address] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host.isEmpty ? nil : host, "\(port)", &hints, &found)
        guard status == 0 else {
            let reason = unsafe String(cString: gai_strerror(status))
            throw ServerError(
                description:
                    "cannot listen on host \"\(host)\": \(reason); set listeners=… to an address of this machine"
            )
        }
        defer { unsafe freeaddrinfo(found) }
        var result: [Address] = []
        var next = unsafe found
        while let info = unsafe next {
            let bytes = unsafe Array(
                UnsafeRawBufferPointer(start: info.pointee.ai_addr, count: Int(info.pointee.ai_addrlen))
            )
            unsafe result.append(Address(family: info.pointee.ai_family, bytes: bytes))
            unsafe next = info.pointee.ai_next
        }
        // Without a host both families are named; the one of IPv6 takes both kinds of clients, if there is IPv6.
        return host.isEmpty ? result.sorted { $0.family == AF_INET6 && $1.family != AF_INET6 } : result
    }

    private static func boundPort(_ socket: Int32) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(socket, $0, &length) }
        }
        guard status == 0 else { return nil }
        // The port stands in bytes 2 and 3 of both families, in network order.
        return unsafe withUnsafeBytes(of: &storage) { unsafe Int($0[2]) << 8 | Int($0[3]) }
    }

    private static func words(_ code: Int32, _ host: String, _ port: Int) -> String {
        let place = host.isEmpty ? "all addresses" : host
        return switch code {
        case EADDRINUSE: "port \(port) on \(place) is in use; set listeners=… to another port"
        case EACCES: "port \(port) on \(place) needs a privilege; set listeners=… to a port from 1024 up"
        case EADDRNOTAVAIL: "\(place) is no address of this machine; set listeners=… to one that is"
        default: unsafe "cannot listen on port \(port) of \(place): \(String(cString: strerror(code))) (errno \(code))"
        }
    }
}
