import Dispatch
import Glibc

/// The signals a process is asked to stop with.
public enum Signal: Sendable, Hashable, CaseIterable {
    /// SIGINT, Ctrl-C; a second one means at once.
    case interrupt
    /// SIGTERM, from a service manager or container runtime.
    case terminate

    var number: Int32 {
        switch self {
        case .interrupt: SIGINT
        case .terminate: SIGTERM
        }
    }
}

/// Signals of the operating system, one after another, for one reader.
///
/// From the end of ``init(_:)`` on they do not end the process any more; make it before anything that must be stopped in
/// order, and keep it.
@safe public final class SignalStream: Sendable {
    private let received = Channel<Signal>(elements: 64)
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]  // Dispatch objects are thread-safe

    /// Listens to `signals`; returns when they are caught, none is lost after that.
    public init(_ signals: [Signal] = Signal.allCases) {
        let queue = DispatchQueue(label: "sluice.signals")
        let registered = DispatchGroup()
        var sources: [any DispatchSourceSignal] = []
        for signal in signals {
            // The source installs a handler of its own; SIG_IGN set here would swallow a signal that comes before it.
            let source = DispatchSource.makeSignalSource(signal: signal.number, queue: queue)
            registered.enter()
            source.setRegistrationHandler { registered.leave() }
            source.setEventHandler { [received] in _ = received.trySend(signal) }
            source.activate()
            sources.append(source)
        }
        registered.wait()
        unsafe self.sources = sources
    }
    deinit { for source in unsafe sources { source.cancel() } }

    /// Passes a signal on as if the operating system had sent it: an in-process way to stop.
    public func raise(_ signal: Signal) { _ = received.trySend(signal) }

    /// The next signal; nil when the task is cancelled.
    public func next() async -> Signal? { try? await received.receive() }
}
