internal import Dispatch
internal import Glibc
internal import Synchronization

/// Hands bytes between a fixed port of 127.0.0.1 and another one: the mock cluster picks its ports itself, so a client
/// that must know the port before meets it here, and goes on to the ports in the cluster's metadata.
///
/// One thread, waiting in `poll`. A direction whose receiver is slow is not read, so memory is 64 kB per direction.
final class TCPRelay: Sendable {
    private struct Stop {
        var writeEnd: Int32
        var isClosed = false
    }
    let port: Int
    private let stop: Mutex<Stop>
    private let ended = DispatchGroup()

    /// Listens on `port` (0: any) and connects to `target`.
    init(port: Int, target: Int) throws(KafkaClientError) {
        let (listener, bound) = try Self.listen(port)
        var ends: (Int32, Int32) = (-1, -1)
        let made = unsafe withUnsafeMutablePointer(to: &ends) { pair in
            unsafe pair.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe pipe($0) }
        }
        guard made == 0 else {
            close(listener)
            throw Self.failure("opening a pipe")
        }
        for descriptor in [listener, ends.0, ends.1] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        self.port = bound
        stop = Mutex(Stop(writeEnd: ends.1))
        ended.enter()
        let (readEnd, ended) = (ends.0, ended)
        DispatchQueue(label: "kafka.relay").async {
            var loop = RelayLoop(listener: listener, stop: readEnd, target: target)
            loop.run()
            close(readEnd)
            ended.leave()
        }
    }

    deinit { shut() }

    /// Closes all connections; the port is free when this returns, which is at once: the loop waits for nothing else.
    func shut() {
        let mustWait = stop.withLock { stop in
            guard !stop.isClosed else { return false }
            stop.isClosed = true
            // A byte, since closing alone goes unnoticed while a child process started meanwhile holds a copy.
            var byte: UInt8 = 0
            _ = unsafe write(stop.writeEnd, &byte, 1)
            close(stop.writeEnd)
            return true
        }
        if mustWait { ended.wait() }
    }

    private static func listen(_ port: Int) throws(KafkaClientError) -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("opening a socket") }
        var on: Int32 = 1
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = RelayLoop.localhost(port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe bind(descriptor, address, length) == 0, Glibc.listen(descriptor, 64) == 0 else {
                    return false
                }
                return unsafe getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else {
            let error = failure("listening on 127.0.0.1:\(port)")
            close(descriptor)
            throw error
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func failure(_ doing: String) -> KafkaClientError {
        let number = errno
        let text = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "errno \(number)"
        return KafkaClientError(code: .configuration, reason: "\(doing): \(text)")
    }
}

/// What the relay's thread does.
private struct RelayLoop {
    /// One way of a connection: what was read from one socket and not yet written to the other.
    struct Lane {
        var waiting: [UInt8] = []
        var isEnded = false
    }
    struct Pair {
        let sockets: (Int32, Int32)
        var lanes = (Lane(), Lane())  // from the first to the second, and back
        var isDone: Bool { lanes.0.isEnded && lanes.1.isEnded && lanes.0.waiting.isEmpty && lanes.1.waiting.isEmpty }
    }

    let listener: Int32
    let stop: Int32
    let target: Int
    var pairs: [Pair] = []

    init(listener: Int32, stop: Int32, target: Int) {
        (self.listener, self.stop, self.target) = (listener, stop, target)
    }

    mutating func run() {
        defer {
            for pair in pairs { Self.end(pair) }
            close(listener)
        }
        while true {
            var polled = [
                pollfd(fd: stop, events: 0, revents: 0), pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            ]
            for pair in pairs {
                polled.append(pollfd(fd: pair.sockets.0, events: Self.wanted(pair.lanes.0, pair.lanes.1), revents: 0))
                polled.append(pollfd(fd: pair.sockets.1, events: Self.wanted(pair.lanes.1, pair.lanes.0), revents: 0))
            }
            guard unsafe poll(&polled, nfds_t(polled.count), -1) > 0 || errno == EINTR else { return }
            if polled[0].revents != 0 { return }
            for index in pairs.indices {
                let ready = (polled[2 + 2 * index].revents, polled[3 + 2 * index].revents)
                Self.move(&pairs[index].lanes.0, pairs[index].sockets.0, ready.0, pairs[index].sockets.1, ready.1)
                Self.move(&pairs[index].lanes.1, pairs[index].sockets.1, ready.1, pairs[index].sockets.0, ready.0)
            }
            for pair in pairs where pair.isDone { Self.end(pair) }
            pairs.removeAll { $0.isDone }
            if polled[1].revents != 0 { takeConnection() }
        }
    }

    /// Reads when the lane out of the socket is empty, writes when the lane into it is not.
    private static func wanted(_ out: Lane, _ into: Lane) -> Int16 {
        (out.waiting.isEmpty && !out.isEnded ? Int16(POLLIN) : 0) | (into.waiting.isEmpty ? 0 : Int16(POLLOUT))
    }

    private static func move(_ lane: inout Lane, _ from: Int32, _ fromReady: Int16, _ to: Int32, _ toReady: Int16) {
        let broken = Int16(POLLERR | POLLNVAL)
        if (fromReady | toReady) & broken != 0 {
            lane = Lane(isEnded: true)
            return
        }
        if lane.waiting.isEmpty, !lane.isEnded, fromReady & Int16(POLLIN | POLLHUP) != 0 {
            lane.waiting = [UInt8](repeating: 0, count: 64 << 10)
            let got = unsafe read(from, &lane.waiting, lane.waiting.count)
            let isPassing = got < 0 && (errno == EAGAIN || errno == EINTR)
            lane.waiting.removeLast(lane.waiting.count - max(0, got))
            if got <= 0, !isPassing {
                lane.isEnded = true
                Glibc.shutdown(to, Int32(SHUT_WR))
            }
        }
        if !lane.waiting.isEmpty {
            let put = unsafe send(to, lane.waiting, lane.waiting.count, Int32(MSG_NOSIGNAL))
            if put > 0 { lane.waiting.removeFirst(put) }
            if put < 0, errno != EAGAIN, errno != EINTR { lane = Lane(isEnded: true) }
        }
    }

    private mutating func takeConnection() {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        for descriptor in [client, server] {
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        var address = Self.localhost(target)
        let isConnecting = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(server, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 || errno == EINPROGRESS
            }
        }
        guard isConnecting else {
            close(client)
            close(server)
            return
        }
        pairs.append(Pair(sockets: (client, server)))
    }

    private static func end(_ pair: Pair) {
        close(pair.sockets.0)
        close(pair.sockets.1)
    }

    static func localhost(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
