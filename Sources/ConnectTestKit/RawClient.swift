internal import Dispatch
internal import Glibc
internal import Synchronization

/// A TCP client that shows the bytes as they are: for tests of servers, without a library between.
///
/// What blocks does so on a thread of its own; nothing waits longer than ten seconds.
public final class RawClient: Sendable {
    private let socket: Int32
    private let buffer = Mutex<[UInt8]>([])
    private let queue = DispatchQueue(label: "raw-client")
    private let isOpen = Mutex(true)

    /// Connects to a port of 127.0.0.1; when that fails, every read is empty.
    public init(port: Int) {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        _ = unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        _ = unsafe withUnsafePointer(to: address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(socket, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
    deinit { hangUp(abruptly: false) }

    /// Sends all bytes, blocking; false when the other side is gone.
    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends all bytes, blocking; false when the other side is gone.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBytes { raw in
            var rest = unsafe raw[...]
            while unsafe !rest.isEmpty {
                let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe Glibc.send(socket, piece.baseAddress, piece.count, Int32(MSG_NOSIGNAL))
                if count <= 0 { return false }
                unsafe rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// Everything up to and with `end`; less when the other side closes first or stays silent too long.
    public func read(until end: String) async -> String {
        await take { bytes in
            let wanted = Array(end.utf8)
            guard bytes.count >= wanted.count else { return nil }
            let starts = 0...(bytes.count - wanted.count)
            return starts.first { bytes[$0..<$0 + wanted.count].elementsEqual(wanted) }.map { $0 + wanted.count }
        }
    }
    /// The next `count` bytes; less as in ``read(until:)``.
    public func read(count: Int) async -> String { await take { $0.count >= count ? count : nil } }
    /// Everything until the other side closes.
    public func readAll() async -> String { await take { _ in nil } }

    /// One response with a `Content-Length` body, head and body together.
    public func readResponse() async -> String {
        let head = await read(until: "\r\n\r\n")
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        guard let count = length.flatMap({ Int($0.drop { $0 != ":" }.dropFirst().filter { $0 != " " }) }), count > 0
        else {
            return head
        }
        return await head + read(count: count)
    }

    /// Closes; `abruptly` with a reset instead of an orderly end.
    public func hangUp(abruptly: Bool) {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        if abruptly {
            var linger = linger(l_onoff: 1, l_linger: 0)
            _ = unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        close(socket)
    }

    /// Takes as many bytes as `enough` says, reading until it says a number or nothing more comes.
    private func take(_ enough: @escaping @Sendable ([UInt8]) -> Int?) async -> String {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                var bytes = buffer.withLock { $0 }
                var piece = [UInt8](repeating: 0, count: 64 << 10)
                while true {
                    if let count = enough(bytes) {
                        let left = Array(bytes[count...])
                        buffer.withLock { $0 = left }
                        return continuation.resume(returning: String(decoding: bytes[..<count], as: UTF8.self))
                    }
                    let count = unsafe recv(socket, &piece, piece.count, 0)
                    guard count > 0 else {
                        buffer.withLock { $0 = [] }
                        return continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
                    }
                    bytes += piece[..<count]
                }
            }
        }
    }
}
