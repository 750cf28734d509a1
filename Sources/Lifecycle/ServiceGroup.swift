import Glibc

/// Something that runs as long as the process: the REST server, the herder, a task.
public protocol Service: Sendable {
    /// Names it in error texts and as a task.
    var name: String { get }
    /// Returns soon after `stop` opens, its work finished; cancellation means: out of time, write nothing more.
    func run(until stop: Latch) async throws
}

/// Runs services side by side in one task group; stops them in reverse order on a signal or when one of them ends.
///
/// A second SIGINT leaves at once with status 130; a service that ignores even its cancellation ends the process with
/// status 70, for no child task can be abandoned.
public struct ServiceGroup: Sendable {
    /// The first service that failed, and why.
    public struct Failure: Error, CustomStringConvertible {
        /// The service, a colon, the reason.
        public let description: String
    }
    private let services: [any Service]
    private let grace: Duration
    private let cancel: Duration
    private let quit: @Sendable (Int32) -> Void

    /// Services in start order; `grace` is the time for an orderly stop, `cancel` the time after that until the process is
    /// ended.
    public init(_ services: [any Service], grace: Duration = .seconds(30), cancel: Duration = .seconds(10)) {
        self.init(services, grace: grace, cancel: cancel) { _exit($0) }
    }
    init(_ services: [any Service], grace: Duration, cancel: Duration, quit: @escaping @Sendable (Int32) -> Void) {
        (self.services, self.grace, self.cancel, self.quit) = (services, grace, cancel, quit)
    }

    /// Returns when all services have ended; throws when one failed.
    public func run(stopOn signals: SignalStream = SignalStream()) async throws(Failure) {
        guard !services.isEmpty else { return }
        let stops = services.map { _ in Latch() }
        let outOfTime = Latch()
        var machine = ShutdownMachine(services: services.count)
        await withTaskGroup(of: ShutdownMachine.Event?.self) { group in
            for (index, service) in services.enumerated() {
                group.addTask(name: service.name) { await run(service, index, until: stops[index], outOfTime) }
            }
            let listen: @concurrent @Sendable () async -> ShutdownMachine.Event? = {
                await signals.next().map { .signal($0) }
            }
            group.addTask(name: "signals", operation: listen)
            for await case let event? in group {
                if case .signal = event { group.addTask(name: "signals", operation: listen) }
                for action in machine.on(event) {
                    switch action {
                    case .stop(let index): stops[index].open()
                    case .startGrace: group.addTask(name: "grace") { await after(grace, .graceOver) }
                    case .cancelAll:
                        outOfTime.open()
                        group.addTask(name: "cancel") { await after(cancel, .cancelOver) }
                    case .quit(let status): quit(status)
                    case .finished:
                        group.cancelAll()
                        return
                    }
                }
            }
        }
        if let text = machine.failure { throw Failure(description: text) }
    }

    private func run(
        _ service: any Service,
        _ index: Int,
        until stop: Latch,
        _ outOfTime: Latch
    ) async -> ShutdownMachine.Event {
        do {
            try await withCancellation(by: outOfTime) { try await service.run(until: stop) }
            return .ended(index, failure: nil)
        } catch is CancellationError {
            let reason = outOfTime.isOpen ? "not finished within \(grace)" : "was cancelled"
            return .ended(index, failure: "\(service.name): \(reason)")
        } catch { return .ended(index, failure: "\(service.name): \(error)") }
    }
    private func after(_ delay: Duration, _ event: ShutdownMachine.Event) async -> ShutdownMachine.Event? {
        do { try await Task.sleep(for: delay) } catch { return nil }
        return event
    }
}
