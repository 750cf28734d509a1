import ConnectModel
import ConnectSDK
import Lifecycle
import Metrics
import Synchronization

/// What a sink task gets from the runtime.
final class SinkContext: SinkTaskContext {
    let id: TaskID
    let stop: Latch
    let metrics: MetricsRegistry
    let epoch: Int64
    private let onCommit = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ spec: TaskSpec, _ environment: TaskEnvironment, _ stop: Latch) {
        (id, epoch, metrics, self.stop) = (spec.id, spec.epoch, environment.metrics, stop)
    }
    func requestCommit() { onCommit.withLock { $0 }?() }
    func bind(_ commit: @escaping @Sendable () -> Void) { onCommit.withLock { $0 = commit } }
}

/// What a source task gets from the runtime.
final class SourceContext: SourceTaskContext {
    let id: TaskID
    let stop: Latch
    let metrics: MetricsRegistry
    private let storage: any OffsetStorage
    private let onWake = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ spec: TaskSpec, _ environment: TaskEnvironment, _ stop: Latch) {
        (id, metrics, storage, self.stop) = (spec.id, environment.metrics, environment.offsets, stop)
    }
    func offset(of partition: OffsetMap) async throws(TaskFailure) -> OffsetMap? {
        try await offsets().first { $0.partition == partition }?.offset
    }
    func offsets() async throws(TaskFailure) -> [SourcePosition] {
        do { return try await storage.positions(of: id.connector) } catch {
            throw .retry(doing: "reading the stored offsets of connector \(id.connector)", because: "\(error)")
        }
    }
    func wake() { onWake.withLock { $0 }?() }
    func bind(_ wake: @escaping @Sendable () -> Void) { onWake.withLock { $0 = wake } }
}
