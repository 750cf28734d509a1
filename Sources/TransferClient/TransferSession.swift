import CLibCurl

/// What came of one request of a ``TransferSession``.
public struct TransferOutcome: Sendable {
    /// The number given at the start.
    public let tag: Int
    /// The answer, or why there is none.
    public let result: Result<TransferResponse, TransferError>
}

/// HTTP over libcurl with connections that stay open and several requests in flight.
///
/// Not thread-safe, and its calls block: it belongs to one task on that task's own thread. Every wait ends with its
/// time-out, and every request with those of ``TransferSettings``.
///
///     let session = try TransferSession(settings)
///     let answer = try session.send(TransferRequest("GET", "http://localhost:9200/"))
///     try session.start(TransferRequest("POST", url, body: body), tag: 1)     // in flight
///     for outcome in session.wait(.milliseconds(250)) { … }
@safe public final class TransferSession {
    private let settings: TransferSettings
    private let multi: UnsafeMutableRawPointer
    private var active: [UInt: CurlTransfer] = [:]  // by the address of the easy handle
    private var done: [TransferOutcome] = []

    /// Makes a session without any connection yet.
    public init(_ settings: TransferSettings = TransferSettings()) throws(TransferError) {
        guard CurlLibrary.isReady, let multi = unsafe curl_multi_init() else {
            throw TransferError(.other, "libcurl cannot start", isRetriable: false)
        }
        (self.settings, unsafe self.multi) = unsafe (settings, multi)
        unsafe _ = curl_shim_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, settings.connectionsMax)
        unsafe _ = curl_shim_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.connectionsMax)
    }

    deinit {
        for transfer in active.values { unsafe _ = curl_multi_remove_handle(multi, transfer.easy) }
        active.removeAll()
        unsafe _ = curl_multi_cleanup(multi)
    }

    /// How many requests are on their way.
    public var inFlight: Int { active.count }

    /// Sends a request and waits for the answer, at most as long as the time-outs allow.
    public func send(_ request: TransferRequest) throws(TransferError) -> TransferResponse {
        try send(request, receive: nil)
    }

    /// The same, handing the body to `receive` piece by piece instead of keeping it; false ends the transfer.
    public func send(
        _ request: TransferRequest,
        receive: ((ArraySlice<UInt8>) -> Bool)?
    ) throws(TransferError) -> TransferResponse {
        let tag = Int.min
        precondition(!active.values.contains { $0.tag == tag }, "send called from within a receiver")
        try add(request, tag: tag, receive: receive)
        while true {
            if let index = done.firstIndex(where: { $0.tag == tag }) { return try done.remove(at: index).result.get() }
            drive(.seconds(1))
        }
    }

    /// Puts a request in flight; its outcome comes out of ``wait(_:)`` under `tag`.
    public func start(_ request: TransferRequest, tag: Int) throws(TransferError) {
        precondition(tag != .min, "the smallest number is the session's own")
        try add(request, tag: tag, receive: nil)
        drive(.zero)
    }

    /// Moves bytes until at least one request is done, but not longer than `timeout`; `.zero` only does what can be
    /// done at once.
    public func wait(_ timeout: Duration) -> [TransferOutcome] {
        drive(.zero)
        let end = ContinuousClock.now + timeout
        while done.isEmpty, inFlight > 0 {
            let left = end - .now
            guard left > .zero else { break }
            drive(left)
        }
        defer { done.removeAll() }
        return done
    }

    /// Ends all requests in flight; their outcomes are lost.
    public func cancelAll() {
        for transfer in active.values { unsafe _ = curl_multi_remove_handle(multi, transfer.easy) }
        active.removeAll()
        done.removeAll()
    }

    private func add(
        _ request: TransferRequest,
        tag: Int,
        receive: ((ArraySlice<UInt8>) -> Bool)?
    ) throws(TransferError) {
        let transfer = try CurlTransfer(request, tag: tag, settings, receive: receive)
        let code = unsafe curl_multi_add_handle(multi, transfer.easy)
        guard code == CURLM_OK else {
            throw TransferError(.other, unsafe String(cString: curl_multi_strerror(code)), isRetriable: false)
        }
        active[UInt(bitPattern: unsafe transfer.easy)] = transfer
    }

    /// Moves what can be moved, waits at most `timeout` for more, moves that, and gathers what is done.
    private func drive(_ timeout: Duration) {
        var running: Int32 = 0
        unsafe _ = curl_multi_perform(multi, &running)
        gather()
        guard timeout > .zero, running > 0, done.isEmpty else { return }
        let milliseconds = Int32(clamping: max(1, timeout.wholeMilliseconds))
        unsafe _ = curl_multi_poll(multi, nil, 0, milliseconds, nil)
        unsafe _ = curl_multi_perform(multi, &running)
        gather()
    }

    private func gather() {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle else {
                continue
            }
            let code = unsafe curl_shim_message_result(message)
            unsafe _ = curl_multi_remove_handle(multi, easy)
            guard let transfer = active.removeValue(forKey: UInt(bitPattern: easy)) else { continue }
            done.append(TransferOutcome(tag: transfer.tag, result: transfer.result(code)))
        }
    }
}
