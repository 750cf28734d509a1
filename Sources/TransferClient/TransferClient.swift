import Blocking

/// A ``TransferSession`` on a thread of its own, for callers that must not block.
///
///     let client = try TransferClient()
///     let answer = try await client.send(TransferRequest("GET", "http://localhost:8083/connectors"))
public actor TransferClient {
    private let thread: TaskThread
    private let session: TransferSession

    /// The thread that its calls block.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// Makes a client without any connection yet.
    public init(_ settings: TransferSettings = TransferSettings(), label: String = "http.client") throws(TransferError)
    {
        session = try TransferSession(settings)
        thread = TaskThread(label: label)
    }

    /// Sends a request and waits for the answer; one at a time.
    public func send(_ request: TransferRequest) async throws(TransferError) -> TransferResponse {
        try session.send(request)
    }

    /// The same, handing the body to `receive` piece by piece on the client's thread; false ends the transfer.
    public func send(
        _ request: TransferRequest,
        receive: @escaping @Sendable (ArraySlice<UInt8>) -> Bool
    ) async throws(TransferError) -> TransferResponse {
        try session.send(request, receive: receive)
    }
}
