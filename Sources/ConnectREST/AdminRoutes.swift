import ConnectAPI
import ConnectRuntime
import ConnectSDK
import HTTPServer
import Logs
import Metrics

extension Router {
    /// Routes about the worker itself, on every listener: root, health, metrics.
    mutating func addWorkerRoutes(_ herder: any Herder, metrics: MetricsRegistry) {
        on(.get, "/") { _ in
            let info = await herder.workerInfo(), cluster = await herder.cluster()
            var body = WorkerInfoBody(
                version: info.version,
                commit: info.commit,
                kafkaClusterID: info.kafkaClusterID
            )
            if !cluster.workerID.isEmpty {
                (body.workerID, body.role) = (cluster.workerID, cluster.role.rawValue)
                body.leaderURL = cluster.leaderURL
            }
            return body
        }
        on(.get, "/health") { _ in
            let health = await herder.health()
            let status =
                switch health.status {
                case .healthy: 200
                case .starting: 503
                case .unhealthy: 500
                }
            return .json(HealthBody(status: health.status.rawValue, message: health.message), status: status)
        }
        on(.get, "/metrics") { _ in .text(metrics.text(), type: "text/plain; version=0.0.4; charset=utf-8") }
    }

    /// What `admin.listeners` moves elsewhere: loggers, and what Kafka Connect does not have.
    mutating func addAdminRoutes(_ herder: any Herder) {
        on(.get, "/admin/tasks") { _ in await herder.taskSnapshots().map(TaskSnapshotBody.init) }
        on(.get, "/admin/workers") { _ in
            try await herder.workers().map {
                WorkerMemberBody(workerID: $0.workerID, url: $0.url, role: $0.role.rawValue, host: $0.host)
            }
        }
        on(.get, "/admin/config-directory") { _ in
            await herder.configDirectoryProblems().map {
                ConfigFileProblemBody(file: $0.file, line: $0.line, column: $0.column, key: $0.key, reason: $0.reason)
            }
        }
        addLoggerRoutes(herder)
    }

    /// What can be run, and whether a config would run.
    mutating func addPluginRoutes(_ herder: any Herder) {
        on(.get, "/connector-plugins") { call in
            await herder.plugins(connectorsOnly: try call.flag("connectorsOnly", default: true)).map {
                PluginBody(className: $0.name, type: $0.type, version: $0.version)
            }
        }
        on(.get, "/connector-plugins/:plugin/config") { call in
            try await herder.pluginDefinitions(call["plugin"], version: call.query("version")).map(ConfigKeyBody.init)
        }
        on(.put, "/connector-plugins/:plugin/config/validate") { call in
            let result = try await herder.validate(call["plugin"], try ConfigMap(call))
            return Response.json(ValidationBody(result)).warning(result.warnings)
        }
    }

    private mutating func addLoggerRoutes(_ herder: any Herder) {
        on(.get, "/admin/loggers") { _ in
            LogLevels.shared.all.mapValues { LoggerBody(level: $0.level.name, lastModified: $0.lastModified) }
        }
        on(.get, "/admin/loggers/:logger") { call in
            guard let setting = LogLevels.shared[call["logger"]] else {
                throw RESTError(404, "Logger \(call["logger"]) not found.")
            }
            return LoggerBody(level: setting.level.name, lastModified: setting.lastModified)
        }
        on(.put, "/admin/loggers/:logger") { call in
            let request = try LoggerRequest(call)
            guard let level = LogLevel(named: request.level) else {
                throw RESTError(404, "invalid log level '\(request.level)'.")
            }
            guard call.query("scope")?.lowercased() == "cluster" else {
                return .json(LoggerNames.set(call["logger"], to: level))
            }
            try await herder.setClusterLogLevel(call["logger"], level.name)
            return Response(204)
        }
    }
}

extension TaskSnapshotBody {
    init(_ task: TaskSnapshot) {
        self.init(id: TaskIDBody(task.id), type: task.kind.rawValue, state: task.state.rawValue, note: task.note)
        recordsRead = task.recordsRead
        recordsWritten = task.recordsTotal
        recordsFailed = task.recordsFailed
        bufferedBytes = task.bufferedBytes
        lag = task.kind == .sink && !task.lag.isEmpty ? Int(task.lag.values.reduce(0, +)) : nil
        isIdle = task.isIdle
        topicsAge = task.topicsSeen.map { Int((ContinuousClock.now - $0) / .milliseconds(1)) }
    }
}
