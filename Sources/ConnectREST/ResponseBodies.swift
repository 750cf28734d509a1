import ConnectAPI
import ConnectConfig
import ConnectModel
import ConnectRuntime
import ConnectSDK

// The runtime's values as bodies of the API.

extension ConnectorInfoBody {
    init(_ info: ConnectorInfo) {
        self.init(
            name: info.name,
            config: info.config.dictionary,
            tasks: info.tasks.map(TaskIDBody.init),
            type: typeName(info.kind)
        )
    }
}

extension TaskIDBody {
    init(_ id: TaskID) { self.init(connector: id.connector, task: id.task) }
}

extension TaskInfoBody {
    init(_ task: TaskInfo) { self.init(id: TaskIDBody(task.id), config: task.config.dictionary) }
}

extension TaskStateBody {
    init(_ task: TaskStatus) {
        self.init(
            id: task.id.task,
            state: task.status.state,
            workerID: task.status.workerID,
            trace: task.status.trace,
            version: task.status.version,
            note: task.status.note
        )
    }
}

extension ConnectorStatusBody {
    init(_ status: ConnectorStatus) {
        self.init(
            name: status.name,
            connector: ConnectorStateBody(
                state: status.connector.state,
                workerID: status.connector.workerID,
                trace: status.connector.trace,
                version: status.connector.version
            ),
            tasks: status.tasks.map(TaskStateBody.init),
            type: typeName(status.kind)
        )
    }
}

extension ConfigKeyBody {
    init(_ definition: ConfigDefinition) {
        self.init(
            name: definition.name,
            type: definition.type.rawValue,
            required: definition.isRequired,
            defaultValue: definition.defaultText,
            importance: definition.importance.rawValue
        )
        documentation = definition.documentation
        group = definition.group
        orderInGroup = definition.orderInGroup
        width = definition.width.rawValue
        displayName = definition.displayName
        dependents = definition.dependents
    }
}

extension ValidationBody {
    init(_ result: ValidationResult) {
        self.init(
            name: result.name,
            errorCount: result.errorCount,
            groups: result.groups,
            configs: result.keys.map { key in
                ConfigCheckBody(
                    definition: ConfigKeyBody(key.definition),
                    value: ConfigValueBody(
                        name: key.definition.name,
                        value: key.value,
                        recommendedValues: key.recommendedValues,
                        errors: key.errors
                    )
                )
            }
        )
    }
}

/// `source`, `sink` or `unknown`.
private func typeName(_ kind: ConnectorKind?) -> String { kind?.rawValue ?? "unknown" }

/// `GET /connectors/{name}/offsets`: maps keep the order of their keys, so the text is written here.
func offsetsText(_ positions: [SourcePosition]) -> [UInt8] {
    let entries = positions.map { position in
        JSON.object(["partition": JSON(position.partition), "offset": position.offset.map { JSON($0) } ?? .null])
    }
    return JSON.object(["offsets": .array(entries)]).bytes
}
