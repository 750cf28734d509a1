import ConnectModel
import ConnectSDK
import KafkaClient
import Metrics
import Synchronization

/// What the outside may see of a task, written by the task and read from any thread.
final class TaskBoard: Sendable {
    private struct State {
        var snapshot: TaskSnapshot
        var delivered: [TopicPartition: Int64] = [:]
        var partitions: Set<TopicPartition> = []
        var lastProgress = Duration.zero
        var shownNote: String?
        var topics = TopicView.named
    }
    let id: TaskID
    let time = TaskTime()
    let meters: TaskMeters
    private let listener: any TaskListener
    private let stallAfter: Duration
    private let state: Mutex<State>

    init(
        _ id: TaskID,
        _ kind: ConnectorKind,
        _ meters: TaskMeters,
        _ listener: any TaskListener,
        stallAfter: Duration
    ) {
        (self.id, self.meters, self.listener, self.stallAfter) = (id, meters, listener, stallAfter)
        state = Mutex(State(snapshot: TaskSnapshot(id: id, kind: kind)))
    }

    /// The picture at this moment.
    var snapshot: TaskSnapshot {
        let now = time.now
        return state.withLock { state in
            var snapshot = state.snapshot
            (snapshot.withoutProgress, snapshot.isStalled) = stall(state, now)
            if snapshot.note == nil, snapshot.isStalled { snapshot.note = stallNote(snapshot) }
            switch state.topics {
            case .named: break
            case .pending: snapshot.isIdle = false
            case .current(let asOf): snapshot.topicsSeen = asOf
            }
            return snapshot
        }
    }

    func became(_ task: TaskState, failure: TaskFailure? = nil) {
        let now = time.now
        state.withLock { state in
            if state.snapshot.state == .paused, task == .running { state.lastProgress = now }
            (state.snapshot.state, state.snapshot.failure) = (task, failure)
        }
    }

    func update(
        note: String?,
        bufferedRecords: Int,
        bufferedBytes: Int,
        read: Int,
        total: Int,
        failed: Int,
        isIdle: Bool,
        delivered: [TopicPartition: Int64] = [:],
        committed: [TopicPartition: Int64] = [:],
        partitions: Set<TopicPartition> = [],
        lastProgress: Duration
    ) {
        state.withLock { state in
            (state.snapshot.bufferedRecords, state.snapshot.bufferedBytes) = (bufferedRecords, bufferedBytes)
            (state.snapshot.note, state.snapshot.recordsTotal) = (note, total)
            (state.snapshot.recordsRead, state.snapshot.recordsFailed) = (read, failed)
            (state.snapshot.committed, state.snapshot.isIdle) = (committed, isIdle)
            (state.delivered, state.partitions) = (delivered, partitions)
            state.lastProgress = max(state.lastProgress, lastProgress)
        }
        tell(note)
    }

    /// The partitions to look at for ``show(_:)``.
    var partitions: Set<TopicPartition> { state.withLock { $0.partitions } }

    /// Keeps whether the consumer reads all topics that it should.
    func show(_ topics: TopicView) { state.withLock { $0.topics = topics } }

    /// Computes the lags from where the consumer stands; returns them for the metrics.
    @discardableResult
    func show(_ progress: [TopicPartition: (position: Int64?, end: Int64)]) -> [TopicPartition: Int64] {
        state.withLock { state in
            var lags: [TopicPartition: Int64] = [:]
            for (partition, place) in progress where state.partitions.contains(partition) {
                guard let reached = state.delivered[partition] ?? place.position else { continue }
                lags[partition] = max(0, place.end - reached)
            }
            state.snapshot.lag = lags
            return lags
        }
    }

    /// Looks for a stall and tells it.
    func checkStall() {
        let snapshot = self.snapshot
        meters.stalled.set(snapshot.isStalled ? 1 : 0)
        tell(snapshot.note)
    }

    private func stall(_ state: State, _ now: Duration) -> (Duration, Bool) {
        let snapshot = state.snapshot
        let waiting = snapshot.bufferedRecords > 0 || snapshot.lag.values.contains { $0 > 0 }
        guard snapshot.state == .running, waiting else { return (.zero, false) }
        let time = max(.zero, now - state.lastProgress)
        return (time, time >= stallAfter)
    }

    private func stallNote(_ snapshot: TaskSnapshot) -> String {
        let lag = snapshot.lag.values.reduce(0, +)
        let time = Int(snapshot.withoutProgress / .seconds(1))
        return
            "STALLED: nothing delivered for \(time) s while \(max(lag, Int64(snapshot.bufferedRecords))) records wait"
    }

    /// Tells the listener when the reason appears, changes its failure, or goes; not for each new second in it.
    func tell(_ note: String?) {
        let isNew = state.withLock { state in
            let short = note.map { String($0.prefix { $0 != "(" }.filter { !$0.isNumber }) }
            guard short != state.shownNote else { return false }
            state.shownNote = short
            return true
        }
        if isNew { listener.task(id, reports: note) }
    }
}
