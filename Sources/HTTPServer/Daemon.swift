internal import CMicroHTTPD
internal import Dispatch
internal import Glibc
internal import Logs
internal import Synchronization

let log = Logger("sluice.http")

/// What the callbacks know: limits, and where complete requests go.
final class Desk: Sendable {
    let bodyBytesMax: Int
    let requests: Inbox
    let refuse: @Sendable (Int, String) -> Response
    private let stopping = Atomic(false)

    init(bodyBytesMax: Int, requests: Int, refuse: @escaping @Sendable (Int, String) -> Response) {
        (self.bodyBytesMax, self.refuse) = (bodyBytesMax, refuse)
        self.requests = Inbox(limit: requests)
    }
    var isStopping: Bool { stopping.load(ordering: .relaxed) }
    var tooLarge: Response { refuse(413, "The request body is larger than \(bodyBytesMax) bytes") }

    func stopTaking() {
        stopping.store(true, ordering: .relaxed)
        requests.close()
    }
}

/// A running `MHD_Daemon`; thread-safe by libmicrohttpd's contract, ended once by ``stop()``.
@safe final class Daemon: Sendable {
    nonisolated(unsafe) private let daemon: OpaquePointer
    /// Read by the log callback as long as the daemon runs; owns the context and the texts.
    nonisolated(unsafe) private let settings: UnsafeMutablePointer<mhd_settings>
    private let socket: Int32

    /// Takes over the socket, also when it throws.
    init(socket: Int32, _ options: Server.Options, _ desk: Desk) throws(ServerError) {
        let settings = UnsafeMutablePointer<mhd_settings>.allocate(capacity: 1)
        unsafe settings.initialize(to: mhd_settings())
        unsafe settings.pointee.listener = socket
        unsafe settings.pointee.connections = UInt32(clamping: options.connections)
        unsafe settings.pointee.idle_seconds = UInt32(clamping: options.idle.components.seconds)
        unsafe settings.pointee.certificate = unsafe Self.copy(options.tls?.certificate)
        unsafe settings.pointee.key = unsafe Self.copy(options.tls?.key)
        unsafe settings.pointee.password = unsafe Self.copy(options.tls?.password)
        unsafe settings.pointee.context = Unmanaged.passRetained(desk).toOpaque()
        unsafe settings.pointee.on_request = onRequest
        unsafe settings.pointee.on_completed = onCompleted
        unsafe settings.pointee.on_log = onLog
        guard let daemon = unsafe mhd_start(settings) else {
            // The socket is libmicrohttpd's by now: it closes it when TLS fails [seen], and a second close() would hit
            // whoever has got its number since.
            unsafe Self.free(settings)
            throw ServerError(
                description: options.tls == nil
                    ? "the HTTP server does not start (its log at level debug says more)"
                    : "the HTTPS server does not start: the certificate or its key is not usable PEM, or they do not match"
            )
        }
        unsafe self.daemon = daemon
        unsafe self.settings = settings
        self.socket = socket
    }

    /// New connections are refused from here on; those open go on.
    func quiesce() {
        let socket = unsafe MHD_quiesce_daemon(daemon)
        shutdown(socket, Int32(SHUT_RDWR))  // closing must wait for stop(): the thread may still look at it
    }
    /// Joins libmicrohttpd's thread, off the cooperative pool: a serial queue has a thread of its own, a global one has not.
    func stop() async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "sluice.http.stop").async { [self] in
                unsafe MHD_stop_daemon(daemon)
                close(socket)
                unsafe Self.free(settings)
                continuation.resume()
            }
        }
    }

    private static func copy(_ text: String?) -> UnsafePointer<CChar>? {
        guard let text, let copied = unsafe strdup(text) else { return nil }
        return unsafe UnsafePointer(copied)
    }
    private static func free(_ settings: UnsafeMutablePointer<mhd_settings>) {
        unsafe Glibc.free(UnsafeMutablePointer(mutating: settings.pointee.certificate))
        unsafe Glibc.free(UnsafeMutablePointer(mutating: settings.pointee.key))
        unsafe Glibc.free(UnsafeMutablePointer(mutating: settings.pointee.password))
        if let context = unsafe settings.pointee.context { unsafe Unmanaged<Desk>.fromOpaque(context).release() }
        unsafe settings.deallocate()
    }
}

// MARK: callbacks, on libmicrohttpd's thread

private func onLog(context: UnsafeMutableRawPointer?, text: UnsafePointer<CChar>?) {
    guard let text = unsafe text else { return }
    let line = unsafe String(cString: text)
    log.debug("libmicrohttpd", ["text": .text(line.last == "\n" ? String(line.dropLast()) : line)])
}

/// Called when the head is there, for each piece of the body, at the end of the body, and after each resume.
private func onRequest(
    context: UnsafeMutableRawPointer?,
    connection: OpaquePointer?,
    url: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?,
    version: UnsafePointer<CChar>?,
    data: UnsafePointer<CChar>?,
    size: UnsafeMutablePointer<Int>?,
    slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context = unsafe context, let connection = unsafe connection, let size = unsafe size,
        let slot = unsafe slot, let url = unsafe url, let method = unsafe method
    else { return .NO }
    let desk = unsafe Unmanaged<Desk>.fromOpaque(context).takeUnretainedValue()
    guard let known = unsafe slot.pointee else {
        guard let request = unsafe Request(connection, String(cString: method), String(cString: url)) else {
            let refusal = desk.refuse(400, "The path or query is not valid percent-encoded UTF-8")
            return unsafe queue(refusal, nil, connection, desk)
        }
        if let length = request.headers["Content-Length"].flatMap({ Int($0) }), length > desk.bodyBytesMax {
            return unsafe queue(desk.tooLarge, nil, connection, desk)
        }
        let exchange = unsafe Exchange(connection: connection, request: request)
        unsafe slot.pointee = Unmanaged.passRetained(exchange).toOpaque()  // onCompleted releases it
        return .YES
    }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(known).takeUnretainedValue()
    if unsafe size.pointee > 0 {
        let goesOn = unsafe exchange.collect(.init(start: data, count: size.pointee), limit: desk.bodyBytesMax)
        unsafe size.pointee = 0
        return goesOn ? .YES : .NO
    }
    switch exchange.step(limit: desk.bodyBytesMax) {
    case .hangUp: return .NO
    case .tooLarge: return unsafe queue(desk.tooLarge, nil, connection, desk)
    case .send(let response, let writer): return unsafe queue(response, writer, connection, desk)
    case .handOver:
        if !desk.requests.put(exchange) { exchange.answer(desk.refuse(503, "The server is stopping")) }
        return .YES
    }
}

private func onCompleted(
    context: UnsafeMutableRawPointer?,
    connection: OpaquePointer?,
    slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    reason: MHD_RequestTerminationCode
) {
    guard let slot = unsafe slot, let known = unsafe slot.pointee else { return }
    unsafe slot.pointee = nil
    unsafe Unmanaged<Exchange>.fromOpaque(known).takeRetainedValue().ended()
}

/// Hands a response to libmicrohttpd; NO means that the connection is closed.
private func queue(_ response: Response, _ writer: BodyWriter?, _ connection: OpaquePointer, _ desk: Desk) -> MHD_Result
{
    let made: OpaquePointer?
    if let writer {
        let retained = unsafe Unmanaged.passRetained(writer).toOpaque()  // onStreamClosed releases it
        unsafe made = MHD_create_response_from_callback(UInt64.max, 32 << 10, onFill, retained, onStreamClosed)
        if unsafe made == nil { unsafe onStreamClosed(context: retained) }
    } else {
        guard case .bytes(let bytes) = response.body else { preconditionFailure("a stream without its writer") }
        unsafe made = bytes.withUnsafeBytes { unsafe mhd_response($0.baseAddress, $0.count) }
    }
    guard let made = unsafe made else { return .NO }
    defer { unsafe MHD_destroy_response(made) }  // the connection holds it until it is sent
    for field in response.headers where unsafe MHD_add_response_header(made, field.name, field.value) == .NO {
        log.warn("A response header cannot be sent and is left out", ["name": "\(field.name)"])
    }
    if desk.isStopping { unsafe MHD_add_response_header(made, "Connection", "close") }
    return unsafe MHD_queue_response(connection, UInt32(clamping: response.status), made)
}

private func onFill(
    context: UnsafeMutableRawPointer?,
    position: UInt64,
    buffer: UnsafeMutablePointer<CChar>?,
    size: Int
) -> Int {
    guard let context = unsafe context else { return -2 }
    let writer = unsafe Unmanaged<BodyWriter>.fromOpaque(context).takeUnretainedValue()
    return switch unsafe writer.fill(UnsafeMutableRawBufferPointer(start: buffer, count: size)) {
    case .bytes(let count): count
    case .suspended: 0
    case .end: -1  // MHD_CONTENT_READER_END_OF_STREAM
    case .broken: -2  // MHD_CONTENT_READER_END_WITH_ERROR
    }
}

private func onStreamClosed(context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    unsafe Unmanaged<BodyWriter>.fromOpaque(context).takeRetainedValue().closed()
}
