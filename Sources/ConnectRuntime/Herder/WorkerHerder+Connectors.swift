import ConnectConfig
import ConnectModel
import ConnectSDK
import Logs

extension WorkerHerder {
    func connectorNames() async throws(HerderError) -> [String] {
        try requireLive()
        return context.configs.names
    }
    func info(_ name: String) async throws(HerderError) -> ConnectorInfo {
        info(name, try record(name, .notFound))
    }
    private func info(_ name: String, _ record: ConnectorRecord) -> ConnectorInfo {
        ConnectorInfo(
            name: name,
            config: shown(record.config),
            tasks: record.tasks.indices.map { TaskID(name, $0) },
            kind: kind(of: record.config)
        )
    }
    func config(_ name: String) async throws(HerderError) -> ConfigMap { shown(try record(name, .notFound).config) }
    func tasks(_ name: String) async throws(HerderError) -> [TaskInfo] {
        let record = try record(name, .notFound)
        return record.tasks.enumerated().map { index, config in
            TaskInfo(id: TaskID(name, index), config: shown(config, for: record.config))
        }
    }

    // Change

    func create(
        _ name: String,
        _ config: ConfigMap,
        initialState: TargetState?
    ) async throws(HerderError) -> ConnectorInfo {
        try requireLive()
        let name = name.trimmingBlanks
        return try await supervisor(name).lane.run(asking: "creating connector \(name)") { () throws(HerderError) in
            let config = try named(config, name)
            let warnings = try await check(config)
            guard context.configs.connector(name) == nil else { throw .alreadyExists(name) }
            try await store("writing the connector's config") { () throws(StoreError) in
                try await context.configs.put(name, config, target: initialState)
            }
            var info = ConnectorInfo(name: name, config: shown(config), tasks: [], kind: kind(of: config))
            info.warnings = warnings
            return info
        }
    }
    func put(_ name: String, _ config: ConfigMap) async throws(HerderError) -> (info: ConnectorInfo, created: Bool) {
        try requireLive()
        let name = name.trimmingBlanks
        return try await supervisor(name).lane.run(asking: "configuring connector \(name)") { () throws(HerderError) in
            let old = context.configs.connector(name)
            let config = Masking.restore(try named(config, name), from: old?.config)
            let warnings = try await check(config)
            try await write(name, config)
            let now = ConnectorInfo(name: name, config: shown(config), tasks: [], kind: kind(of: config))
            var answer = context.configs.connector(name).map { info(name, $0) } ?? now
            answer.warnings = warnings
            return (answer, old == nil)
        }
    }
    func patch(_ name: String, _ changes: ConfigMap) async throws(HerderError) -> ConnectorInfo {
        try requireLive()
        return try await supervisor(name).lane.run(asking: "configuring connector \(name)") { () throws(HerderError) in
            let old = try record(name, .notFound)
            let config = try named(Masking.restore(old.config.merging(changes), from: old.config), name)
            let warnings = try await check(config)
            try await write(name, config)
            var answer = info(name, context.configs.connector(name) ?? old)
            answer.warnings = warnings
            return answer
        }
    }
    func delete(_ name: String) async throws(HerderError) {
        try requireLive()
        try await supervisor(name).lane.run(asking: "deleting connector \(name)") { () throws(HerderError) in
            _ = try record(name, .notFound)
            try await store("deleting the connector") { () throws(StoreError) in try await context.configs.remove(name)
            }
        }
    }
    private func write(_ name: String, _ config: ConfigMap) async throws(HerderError) {
        try await store("writing the connector's config") { () throws(StoreError) in
            try await context.configs.put(name, config)
        }
    }
    /// The name goes into the config, last as Kafka Connect puts it; another name there is a mistake.
    private func named(_ config: ConfigMap, _ name: String) throws(HerderError) -> ConfigMap {
        guard !name.isEmpty else {
            throw .invalidConfig([.invalid("name", value: "", "String may not be empty")])
        }
        guard !name.contains("/") else {
            throw .badRequest(
                "Connector name \(name) contains a slash: it could not be addressed by URL. Choose another name."
            )
        }
        if let inside = config["name"], inside != name {
            throw .badRequest(
                "Connector name configuration (\(inside)) doesn't match connector name in the URL (\(name))"
            )
        }
        var config = config
        config.set("name", name)
        return config
    }
    /// Throws what is wrong; returns what is odd but accepted.
    private func check(_ config: ConfigMap) async throws(HerderError) -> [ConfigIssue] {
        await context.config.providers.prepare(config.dictionary)
        let result = try checked(config, of: try descriptor(of: config))
        let issues = result.issues
        guard issues.isEmpty else { throw .invalidConfig(issues) }
        for warning in result.warnings {
            log.warn(
                "Unknown key in a connector's config",
                ["connector": "\(config["name"] ?? "")", "key": "\(warning.key)", "problem": "\(warning.message)"]
            )
        }
        return result.warnings
    }

    // Target states

    func pause(_ name: String) async throws(HerderError) { try await target(name, .paused) }
    func resume(_ name: String) async throws(HerderError) { try await target(name, .started) }
    private func target(_ name: String, _ target: TargetState) async throws(HerderError) {
        try requireLive()
        try await supervisor(name).lane.run(asking: "writing the target state of \(name)") { () throws(HerderError) in
            _ = try record(name, .unknown)
            try await store("writing the target state") { () throws(StoreError) in
                try await context.configs.putTarget(name, target)
            }
        }
    }
    func stop(_ name: String) async throws(HerderError) {
        try requireLive()
        try await supervisor(name).lane.run(asking: "stopping connector \(name)") { () throws(HerderError) in
            _ = try record(name, .unknown)
            try await store("stopping the connector") { () throws(StoreError) in
                try await context.configs.putStopped(name)
            }
        }
    }

    // Restart

    func restart(_ name: String) async throws(HerderError) {
        _ = try record(name, .unknownColon)
        let supervisor = supervisor(name)
        try await supervisor.lane.run(asking: "restarting connector \(name)") { () throws(HerderError) in
            let record = try record(name, .unknownColon)
            supervisor.startInstance(record, isForced: true)
            await supervisor.reconcile()
            guard let status = context.status.status(.connector(name)), status.state == TaskState.failed.rawValue else {
                return
            }
            throw .internalError("Failed to start connector: \(name): \(status.trace ?? "")")
        }
    }
    func restart(
        _ name: String,
        includeTasks: Bool,
        onlyFailed: Bool
    ) async throws(HerderError) -> ConnectorStatus {
        _ = try record(name, .unknownColon)
        var status = try await status(name)
        let request = RestartRequest(includeTasks: includeTasks, onlyFailed: onlyFailed)
        let plan = RestartPlan(
            request,
            connector: context.status.status(.connector(name)),
            tasks: context.status.tasks(of: name)
        )
        if plan.connector { status.connector.state = TaskState.restarting.rawValue }
        for index in status.tasks.indices where plan.tasks.contains(status.tasks[index].id.task) {
            status.tasks[index].status.state = TaskState.restarting.rawValue
        }
        try await store("writing the restart request") { () throws(StoreError) in
            try await context.configs.putRestart(name, request)
        }
        return status
    }
    func restartTask(_ id: TaskID) async throws(HerderError) {
        let record = try record(id.connector, .unknownColon)
        guard record.tasks.indices.contains(id.task) else { throw .unknownTask(id) }
        let supervisor = supervisor(id.connector)
        try await supervisor.lane.run(asking: "restarting task \(id)") { () throws(HerderError) in
            guard context.configs.connector(id.connector)?.tasks.indices.contains(id.task) == true else {
                throw .unknownTask(id)
            }
            guard context.assignment.owns(task: id) else {
                throw .conflict("Task \(id) runs on another worker; ask that one.")
            }
            await supervisor.restartTasks([id.task], announcing: false)
        }
    }

    // Status

    func status(_ name: String) async throws(HerderError) -> ConnectorStatus {
        try requireLive()
        guard let connector = context.status.status(.connector(name)) else { throw .noStatus("connector \(name)") }
        let notes = notes(name)
        let tasks = context.status.tasks(of: name).sorted { $0.key < $1.key }.map { task, status in
            TaskStatus(id: TaskID(name, task), status: shown(status, note: notes[task]))
        }
        return ConnectorStatus(
            name: name,
            connector: shown(connector, note: nil),
            tasks: tasks,
            kind: context.configs.connector(name).flatMap { kind(of: $0.config) }
        )
    }
    func taskStatus(_ id: TaskID) async throws(HerderError) -> TaskStatus {
        try requireLive()
        guard let status = context.status.status(.task(id)) else { throw .noStatus("task \(id)") }
        return TaskStatus(id: id, status: shown(status, note: notes(id.connector)[id.task]))
    }
    private func shown(_ status: StatusRecord, note: String?) -> InstanceStatus {
        InstanceStatus(
            state: status.state,
            workerID: status.workerID,
            trace: status.trace.flatMap { $0.isEmpty ? nil : $0 },
            version: status.version,
            note: note
        )
    }
    private func notes(_ name: String) -> [Int: String] {
        supervisor(name).snapshots.reduce(into: [:]) { found, snapshot in found[snapshot.id.task] = snapshot.note }
    }

    // Topics

    func topics(_ name: String) async throws(HerderError) -> [String] {
        try requireLive()
        guard context.config.tracksTopics else { throw .forbidden("Topic tracking is disabled.") }
        return context.status.topics(of: name)
    }
    func resetTopics(_ name: String) async throws(HerderError) {
        try requireLive()
        guard context.config.tracksTopics else { throw .forbidden("Topic tracking is disabled.") }
        guard context.config.allowsTopicReset else { throw .forbidden("Topic tracking reset is disabled.") }
        context.status.forgetTopics(of: name)
    }
}
