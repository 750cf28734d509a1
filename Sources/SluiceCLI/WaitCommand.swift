import CommandGrammar
import ConnectAPI
import Lifecycle

/// `wait`: until connectors are up, or until all that is there has been delivered.
struct WaitCommand {
    let environment: CommandEnvironment

    enum Goal: String, CaseIterable, Sendable {
        /// Every connector and task is RUNNING.
        case running
        /// Sources have nothing more to read, sinks have no lag.
        case delivered
    }
    private static let goal = Option("for", Kind<Goal>.choice, default: .running, "What to wait for.")
    private static let limit = Option("within", .duration, default: .seconds(60), "How long to wait at most.")
    private static let progress = Option("progress", "Say what has been moved, about once a second.")

    var command: Command {
        let environment = environment
        return Command(
            "wait",
            "Wait until connectors run or everything is delivered; for scripts.",
            details: "  Leaves with 0 when it is so, 1 when a task failed, 3 when the time is over.",
            options: [Self.goal, Self.limit, Self.progress],
            arguments: [Argument("name", .any, "Only these connectors; all by default.")]
        ) { values in
            let client = try environment.client(values), clock = ContinuousClock()
            let deadline = clock.now + values[Self.limit]
            var told = ""
            var goal = GoalMachine(goal: values[Self.goal], only: Set(values.arguments))
            while true {
                let seen = await look(client)
                switch goal.on(seen, at: clock.now) {
                case .reached: return 0
                case .failed(let why): throw CLIError(.failed, why)
                case .wait(let text):
                    if values[Self.progress], let text, text != told {
                        environment.terminal.tell(text)
                        told = text
                    }
                    guard clock.now < deadline else {
                        throw CLIError(.unreachable, "not \(values[Self.goal].rawValue) within the time: \(goal.last)")
                    }
                    // The worker has no event to wait for over plain HTTP: a poll, bounded by --within.
                    try await clock.sleep(for: .milliseconds(500))
                }
            }
        }
    }
    private func look(_ client: ConnectClient) async -> GoalMachine.Seen {
        do {
            return .worker(
                try await client.connectors(),
                try await client.tasks().sorted { ($0.id.connector, $0.id.task) < ($1.id.connector, $1.id.task) }
            )
        } catch { return .nothing("\(error)") }
    }
}

/// Decides when a wait is over; no clock, no network.
struct GoalMachine {
    enum Seen: Sendable {
        case worker([String: ExpandedConnectorBody], [TaskSnapshotBody])
        /// The worker gave no (whole) answer.
        case nothing(String)
    }
    enum Step: Equatable { case reached, failed(String), wait(String?) }
    let goal: WaitCommand.Goal
    let only: Set<String>
    /// What was seen last, for the message when the time is over.
    private(set) var last = "no answer yet"
    private var calm = 0
    private var calmSince: ContinuousClock.Instant?
    private var moved = -1

    init(goal: WaitCommand.Goal, only: Set<String>) { (self.goal, self.only) = (goal, only) }

    mutating func on(_ seen: Seen, at now: ContinuousClock.Instant) -> Step {
        guard case .worker(let all, let tasks) = seen else {
            if case .nothing(let why) = seen { last = why }
            return .wait(nil)
        }
        let wanted = all.filter { only.isEmpty || only.contains($0.key) }
        if let failure = failure(wanted) { return .failed(failure) }
        let running = wanted.values.allSatisfy { one in
            one.status?.connector.state == "RUNNING" && one.status?.tasks.isEmpty == false
                && one.status?.tasks.allSatisfy { $0.state == "RUNNING" } == true
        }
        let isUp = !wanted.isEmpty && running && only.isSubset(of: Set(all.keys))
        let mine = tasks.filter { only.isEmpty || only.contains($0.id.connector) }
        last = text(mine)
        guard isUp else { return .wait(last) }
        if goal == .running { return .reached }
        return delivered(mine, now) ? .reached : .wait(last)
    }
    /// Calm twice in a row, with nothing moved between the looks: a record on its way between source and sink is seen.
    ///
    /// And a topic that a source has just made is known to the sinks whose `topics.regex` it matches.
    private mutating func delivered(_ tasks: [TaskSnapshotBody], _ time: ContinuousClock.Instant) -> Bool {
        let now = tasks.reduce(0) { $0 + $1.recordsRead + $1.recordsWritten + $1.recordsFailed }
        // A task may be without partitions, all tasks of a sink may not: its group has not given them out yet.
        let sinks = Dictionary(grouping: tasks.filter { $0.type == "sink" }, by: \.id.connector)
        let haveWork = sinks.values.allSatisfy { $0.contains { $0.lag != nil } }
        let isCalm =
            haveWork && tasks.allSatisfy { $0.isIdle && ($0.lag ?? 0) == 0 && $0.note == nil } && now == moved
        moved = now
        calm = isCalm ? calm + 1 : 0
        if calm == 1 { calmSince = time }
        guard calm >= 2, let calmSince else { return false }
        return tasks.allSatisfy { $0.topicsAge.map { .milliseconds($0) <= time - calmSince } ?? true }
    }
    private func failure(_ wanted: [String: ExpandedConnectorBody]) -> String? {
        for (name, one) in wanted.sorted(by: { $0.key < $1.key }) {
            if one.status?.connector.state == "FAILED" {
                return "connector \(name) is FAILED: \(one.status?.connector.trace ?? "no reason given")"
            }
            if let task = one.status?.tasks.first(where: { $0.state == "FAILED" }) {
                return "task \(name)-\(task.id) is FAILED: \(task.trace ?? "no reason given")"
            }
        }
        return nil
    }
    private func text(_ tasks: [TaskSnapshotBody]) -> String {
        tasks.map { task in
            let lag = task.lag.map { $0 == 0 ? "" : ", \($0) behind" } ?? ""
            let note = task.note.map { " (\($0))" } ?? ""
            return "\(task.id.connector) \(task.recordsWritten)\(lag)\(note)"
        }.joined(separator: " · ")
    }
}
