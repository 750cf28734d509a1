internal import CMicroHTTPD
public import Lifecycle
internal import Synchronization

/// Takes a streamed body piece by piece; a slow client suspends ``write(_:)`` once 64 KiB wait.
@safe public final class BodyWriter: Sendable {
    private struct State {
        var rest: ArraySlice<UInt8> = []
        var isSuspended = false
        var isClosed = false
        var isBroken = false
    }
    private let pieces = Channel<[UInt8]>(elements: 256, bytes: 64 << 10, size: \.count)
    private let state = Mutex(State())
    nonisolated(unsafe) private let connection: OpaquePointer
    /// Opens when the server stops: a stream without an end, such as one of events, ends then.
    public let stop: Latch

    init(connection: OpaquePointer, stop: Latch) {
        unsafe self.connection = connection
        self.stop = stop
    }

    /// Sends a piece of the body; throws when the client is gone or the task is cancelled.
    public func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await pieces.send(bytes)
        wake()
    }
    /// Sends the same as ``write(_:)-([UInt8])``, in UTF-8.
    public func write(_ text: String) async throws { try await write(Array(text.utf8)) }
    /// `broken` lets the client see that the body is not complete.
    func finish(broken: Bool) {
        state.withLock { $0.isBroken = broken }
        pieces.finish()
        wake()
    }
    private func wake() {
        state.withLock { state in
            guard state.isSuspended, !state.isClosed else { return }
            state.isSuspended = false
            unsafe MHD_resume_connection(connection)
        }
    }

    // MARK: on libmicrohttpd's thread

    enum Filled {
        case bytes(Int)
        case suspended
        case end
        case broken
    }
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Filled {
        state.withLock { state in
            if state.rest.isEmpty { state.rest = pieces.tryReceive()?[...] ?? [] }
            if state.rest.isEmpty {
                if pieces.isDrained {
                    if state.isBroken { unsafe mhd_hang_up(connection) }
                    return state.isBroken ? .broken : .end
                }
                // A write() after the look above waits for this lock and then resumes: no wake-up is lost.
                state.isSuspended = true
                unsafe MHD_suspend_connection(connection)
                return .suspended
            }
            let part = state.rest.prefix(buffer.count)
            unsafe buffer.copyBytes(from: part)
            state.rest = state.rest.dropFirst(part.count)
            return .bytes(part.count)
        }
    }
    func closed() {
        state.withLock { $0.isClosed = true }
        pieces.close()
    }
}
