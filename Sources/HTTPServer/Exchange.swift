internal import CMicroHTTPD
internal import Lifecycle
internal import Synchronization

/// One request and its answer, filled and sent by libmicrohttpd's thread, answered by a task.
///
/// The connection pointer is good from creation until ``ended()``; every use is under the lock and checks the phase.
@safe final class Exchange: Sendable {
    private enum Phase {
        case reading
        case waiting
        case answered(Response, BodyWriter?)
        case sending
        case over
    }
    private struct State {
        var phase = Phase.reading
        var request: Request
        var received = 0
    }
    private let state: Mutex<State>
    nonisolated(unsafe) private let connection: OpaquePointer
    let over = Latch()

    init(connection: OpaquePointer, request: Request) {
        unsafe self.connection = unsafe connection
        state = Mutex(State(request: request))
    }
    var request: Request { state.withLock { $0.request } }

    // MARK: on libmicrohttpd's thread

    /// Keeps up to `limit` bytes; more is read and forgotten, to be refused at its end; false when it is time to hang up.
    func collect(_ data: UnsafeRawBufferPointer, limit: Int) -> Bool {
        state.withLock { state in
            state.received += data.count
            if state.received <= limit {
                unsafe state.request.body.append(contentsOf: data)
            } else {
                state.request.body = []
            }
            return state.received <= 16 * limit
        }
    }
    enum Step {
        case handOver
        case hangUp
        case tooLarge
        case send(Response, BodyWriter?)
    }
    /// The request is complete, or its connection was resumed; suspends before anyone can answer.
    func step(limit: Int) -> Step {
        state.withLock { state in
            switch state.phase {
            case .reading where state.received > limit:
                state.phase = .sending
                return .tooLarge
            case .reading:
                state.phase = .waiting
                unsafe MHD_suspend_connection(connection)
                return .handOver
            case .answered(let response, let writer):
                state.phase = .sending
                return .send(response, writer)
            // A daemon that is being stopped takes a response without sending it, and asks again.
            case .sending, .over: return .hangUp
            case .waiting: preconditionFailure("a suspended request came back unanswered")
            }
        }
    }
    /// The last byte is sent, or the connection is gone.
    func ended() {
        state.withLock { $0.phase = .over }
        over.open()
    }

    // MARK: on a task

    /// Wakes the connection, which comes back to ``step(limit:)`` for the response.
    func answer(_ response: Response, writer: BodyWriter? = nil) {
        state.withLock { state in
            guard case .waiting = state.phase else { preconditionFailure("answered in phase \(state.phase)") }
            state.phase = .answered(response, writer)
            unsafe MHD_resume_connection(connection)
        }
    }
    func stream(_ response: Response, until stop: Latch) -> BodyWriter {
        let writer = unsafe BodyWriter(connection: connection, stop: stop)
        answer(response, writer: writer)
        return writer
    }
}
