import Synchronization

/// Why a channel took nothing.
public enum ChannelError: Error, Sendable {
    /// The channel takes nothing any more.
    case closed
    /// The task was cancelled; an element being sent was not taken.
    case cancelled
}

/// A bounded first-in first-out hand-over between tasks, limited in elements and in bytes; a full one suspends the sender.
///
/// Any number of senders and receivers. Nothing is ever dropped except by ``close()`` or a cancelled ``send(_:)``.
public final class Channel<Element: Sendable>: Sendable {
    private typealias Sender = CheckedContinuation<Result<Void, ChannelError>, Never>
    private typealias Receiver = CheckedContinuation<Result<Element?, ChannelError>, Never>
    private struct State {
        var queue = FIFO<Element>()
        var bytes = 0
        var senders: [(id: Int, element: Element, continuation: Sender)] = []
        var receivers: [(id: Int, continuation: Receiver)] = []
        var isFinished = false
        var nextID = 0
    }
    private let state = Mutex(State())
    private let elements: Int
    private let bytes: Int
    private let size: @Sendable (Element) -> Int

    /// Holds at most `elements` elements and `bytes` bytes, as `size` counts them.
    ///
    /// One element larger than `bytes` still passes, alone.
    public init(elements: Int, bytes: Int = .max, size: @escaping @Sendable (Element) -> Int = { _ in 0 }) {
        precondition(elements > 0 && bytes > 0, "a channel of \(elements) elements, \(bytes) bytes would pass nothing")
        (self.elements, self.bytes, self.size) = (elements, bytes, size)
    }
    /// How many elements wait to be received.
    public var count: Int { state.withLock { $0.queue.count } }
    /// Finished and empty: nothing will ever come again.
    public var isDrained: Bool { state.withLock { $0.isFinished && $0.queue.isEmpty && $0.senders.isEmpty } }

    /// Suspends while the channel is full; throws `closed` after ``finish()``, `cancelled` when the element was not taken.
    public func send(_ element: Element) async throws(ChannelError) {
        let id = newID()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (sender: Sender) in
                let wake = state.withLock { state -> Wake? in
                    if state.isFinished { return .sender(sender, .failure(.closed)) }
                    if Task.isCancelled { return .sender(sender, .failure(.cancelled)) }
                    guard state.senders.isEmpty, let handed = accept(element, &state) else {
                        state.senders.append((id, element, sender))
                        return nil
                    }
                    return .both(sender, handed)
                }
                wake?.run()
            }
        } onCancel: {
            let sender = state.withLock { state in
                state.senders.firstIndex { $0.id == id }.map { state.senders.remove(at: $0).continuation }
            }
            sender?.resume(returning: .failure(.cancelled))
        }
        try result.get()
    }

    /// Never suspends, so C callbacks may call it; false when full or finished.
    public func trySend(_ element: Element) -> Bool {
        let handed = state.withLock { state -> Handed? in
            state.isFinished || !state.senders.isEmpty ? nil : accept(element, &state)
        }
        handed?.run()
        return handed != nil
    }

    /// The next element; nil when the channel is finished and empty; throws `cancelled`; what is queued stays queued.
    public func receive() async throws(ChannelError) -> Element? {
        let id = newID()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (receiver: Receiver) in
                let wake = state.withLock { state -> Wake? in
                    if Task.isCancelled { return .receiver(receiver, .failure(.cancelled)) }
                    if let (element, senders) = take(&state) { return .delivery(receiver, element, senders) }
                    if state.isFinished { return .receiver(receiver, .success(nil)) }
                    state.receivers.append((id, receiver))
                    return nil
                }
                wake?.run()
            }
        } onCancel: {
            let receiver = state.withLock { state in
                state.receivers.firstIndex { $0.id == id }.map { state.receivers.remove(at: $0).continuation }
            }
            receiver?.resume(returning: .failure(.cancelled))
        }
        return try result.get()
    }

    /// Never suspends; nil when nothing is there now.
    public func tryReceive() -> Element? {
        guard let (element, senders) = state.withLock({ take(&$0) }) else { return nil }
        for sender in senders { sender.resume(returning: .success(())) }
        return element
    }

    /// Takes no more; what is queued can still be received, suspended senders get through as room appears.
    public func finish() {
        let receivers = state.withLock { state in
            state.isFinished = true
            defer { state.receivers = [] }
            return state.receivers
        }
        for receiver in receivers { receiver.continuation.resume(returning: .success(nil)) }
    }

    /// Finishes and throws away what is queued; suspended senders get `closed`.
    public func close() {
        let senders = state.withLock { state in
            (state.queue, state.bytes) = (FIFO(), 0)
            defer { state.senders = [] }
            return state.senders
        }
        finish()
        for sender in senders { sender.continuation.resume(returning: .failure(.closed)) }
    }

    /// For tests that must know that someone waits.
    var waitingSenders: Int { state.withLock { $0.senders.count } }

    private func newID() -> Int {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }
    private enum Handed {
        case queued, to(Receiver, Element)
        func run() { if case .to(let receiver, let element) = self { receiver.resume(returning: .success(element)) } }
    }
    private enum Wake {
        case sender(Sender, Result<Void, ChannelError>), both(Sender, Handed)
        case receiver(Receiver, Result<Element?, ChannelError>), delivery(Receiver, Element, [Sender])
        func run() {
            switch self {
            case .sender(let sender, let result): sender.resume(returning: result)
            case .both(let sender, let handed): handed.run(); sender.resume(returning: .success(()))
            case .receiver(let receiver, let result): receiver.resume(returning: result)
            case .delivery(let receiver, let element, let senders):
                for sender in senders { sender.resume(returning: .success(())) }
                receiver.resume(returning: .success(element))
            }
        }
    }
    private func accept(_ element: Element, _ state: inout State) -> Handed? {
        if !state.receivers.isEmpty { return .to(state.receivers.removeFirst().continuation, element) }
        let cost = size(element)
        guard state.queue.count < elements, state.queue.isEmpty || state.bytes + cost <= bytes else { return nil }
        state.queue.append(element)
        state.bytes += cost
        return .queued
    }
    private func take(_ state: inout State) -> (Element, [Sender])? {
        guard let element = state.queue.popFirst() else { return nil }
        state.bytes -= size(element)
        var woken: [Sender] = []
        while let next = state.senders.first, accept(next.element, &state) != nil {
            woken.append(state.senders.removeFirst().continuation)
        }
        return (element, woken)
    }
}
