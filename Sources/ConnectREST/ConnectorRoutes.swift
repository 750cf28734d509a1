import ConnectAPI
import ConnectConfig
import ConnectModel
import ConnectRuntime
import HTTPServer

extension Router {
    /// Routes about connectors, their tasks, topics and offsets (Kafka Connect 4.3, `ConnectorsResource`).
    mutating func addConnectorRoutes(_ herder: any Herder, advertisedURL: @escaping @Sendable () -> String) {
        on(.get, "/connectors") { call in try await list(call, herder) }
        on(.post, "/connectors") { call in
            let request = try CreateRequest(call)
            let info = try await herder.create(request.name, request.config, initialState: request.initialState)
            return created(info, advertisedURL())
        }
        on(.get, "/connectors/:name") { call in ConnectorInfoBody(try await herder.info(call["name"])) }
        on(.get, "/connectors/:name/config") { call in try await herder.config(call["name"]).dictionary }
        on(.put, "/connectors/:name/config") { call in
            let answer = try await herder.put(trimmed(call["name"]), try ConfigMap(call))
            if answer.created { return created(answer.info, advertisedURL()) }
            return Response.json(ConnectorInfoBody(answer.info)).warning(answer.info.warnings)
        }
        on(.patch, "/connectors/:name/config") { call in
            let info = try await herder.patch(call["name"], try ConfigMap(call))
            return Response.json(ConnectorInfoBody(info)).warning(info.warnings)
        }
        on(.delete, "/connectors/:name") { call in
            try await herder.delete(call["name"])
            return Response(204)
        }
        addStateRoutes(herder)
        addTopicAndOffsetRoutes(herder)
    }

    private mutating func addStateRoutes(_ herder: any Herder) {
        on(.get, "/connectors/:name/status") { call in ConnectorStatusBody(try await herder.status(call["name"])) }
        on(.get, "/connectors/:name/tasks") { call in try await herder.tasks(call["name"]).map(TaskInfoBody.init) }
        on(.get, "/connectors/:name/tasks/:task/status") { call in
            TaskStateBody(try await herder.taskStatus(try taskID(call)))
        }
        on(.post, "/connectors/:name/tasks/:task/restart") { call in
            try await herder.restartTask(try taskID(call))
            return Response(204)
        }
        on(.put, "/connectors/:name/pause") { call in
            try await herder.pause(call["name"])
            return Response(202)
        }
        on(.put, "/connectors/:name/resume") { call in
            try await herder.resume(call["name"])
            return Response(202)
        }
        on(.put, "/connectors/:name/stop") { call in
            try await herder.stop(call["name"])
            return Response(204)
        }
        on(.post, "/connectors/:name/restart") { call in
            let tasks = try call.flag("includeTasks"), failed = try call.flag("onlyFailed")
            guard tasks || failed else {
                try await herder.restart(call["name"])
                return Response(204)
            }
            let plan = try await herder.restart(call["name"], includeTasks: tasks, onlyFailed: failed)
            return .json(ConnectorStatusBody(plan), status: 202)
        }
    }

    private mutating func addTopicAndOffsetRoutes(_ herder: any Herder) {
        on(.get, "/connectors/:name/topics") { call in
            [call["name"]: ["topics": try await herder.topics(call["name"])]]
        }
        on(.put, "/connectors/:name/topics/reset") { call in
            try await herder.resetTopics(call["name"])
            return Response(202)
        }
        on(.get, "/connectors/:name/offsets") { call in
            let text = offsetsText(try await herder.offsets(call["name"]))
            return Response(200, headers: ["Content-Type": "application/json"], body: .bytes(text))
        }
        on(.patch, "/connectors/:name/offsets") { call in
            let kind = try await herder.info(call["name"]).kind
            let request = try OffsetsRequest(call, kind)
            return MessageBody(message: try await herder.alterOffsets(call["name"], request.positions))
        }
        on(.delete, "/connectors/:name/offsets") { call in
            MessageBody(message: try await herder.resetOffsets(call["name"]))
        }
    }
}

/// `GET /connectors`: names, or with `expand` status and info of each (KIP-465); one that vanishes meanwhile is left out.
private func list(_ call: Call, _ herder: any Herder) async throws -> Response {
    let wanted = Set(call.queries("expand"))
    let names = try await herder.connectorNames()
    guard !wanted.isEmpty else { return .json(names) }
    var all: [String: ExpandedConnectorBody] = [:]
    for name in names {
        do throws(HerderError) {
            var one = ExpandedConnectorBody(status: nil, info: nil)
            if wanted.contains("info") { one.info = ConnectorInfoBody(try await herder.info(name)) }
            if wanted.contains("status") { one.status = ConnectorStatusBody(try await herder.status(name)) }
            all[name] = one
        } catch {
            switch error {
            case .unknownConnector, .noStatus: continue
            default: throw error
            }
        }
    }
    return .json(all)
}

private func created(_ info: ConnectorInfo, _ base: String) -> Response {
    var response = Response.json(ConnectorInfoBody(info), status: 201)
    response.headers.add("Location", base + "/connectors/" + info.name.percentEncoded)
    return response.warning(info.warnings)
}

extension Response {
    /// With a `Warning` header for everything that is odd but accepted; Kafka Connect's clients read bodies only.
    func warning(_ issues: [ConfigIssue]) -> Response {
        var response = self
        for issue in issues {
            let text = String(String.UnicodeScalarView(issue.message.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
            let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            response.headers.add("Warning", "299 sluice \"\(quoted)\"")
        }
        return response
    }
}

private func taskID(_ call: Call) throws(RESTError) -> TaskID {
    guard let number = Int(call["task"]) else { throw RESTError(404, "HTTP 404 Not Found") }
    return TaskID(call["name"], number)
}
