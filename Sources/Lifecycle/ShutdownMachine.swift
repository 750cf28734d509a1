/// Decides when a group of services stops; no clock, no task: events in, actions out.
struct ShutdownMachine {
    enum Event: Sendable, Equatable {
        case ended(Int, failure: String?)
        case signal(Signal)
        case graceOver
        case cancelOver
    }
    enum Action: Equatable {
        case stop(Int)
        case startGrace
        case cancelAll
        case quit(status: Int32)
        case finished
    }
    private var running: [Int]
    private(set) var isStopping = false
    private(set) var failure: String?

    init(services: Int) { running = Array(0..<services) }

    mutating func on(_ event: Event) -> [Action] {
        switch event {
        case .ended(let index, let failure):
            running.removeAll { $0 == index }
            if self.failure == nil, let failure { self.failure = failure }
            if running.isEmpty { return [.finished] }
            return isStopping ? stopNext() : begin()
        case .signal(let signal): return isStopping && signal == .interrupt ? [.quit(status: 130)] : begin()
        case .graceOver: return [.cancelAll]
        case .cancelOver: return [.quit(status: 70)]
        }
    }
    private mutating func begin() -> [Action] {
        guard !isStopping else { return [] }
        isStopping = true
        return [.startGrace] + stopNext()
    }
    /// Last started stops first, and each waits for the one before it.
    private func stopNext() -> [Action] { running.last.map { [.stop($0)] } ?? [] }
}
