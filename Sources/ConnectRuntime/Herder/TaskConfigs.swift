import ConnectConfig
import ConnectModel
import ConnectSDK

/// One config per task, as Kafka Connect writes them: the connector's own split, plus the task's class, in a Java map's order.
enum TaskConfigs {
    static func make(
        _ config: ConfigMap,
        completed: [String: String],
        of descriptor: any ConnectorDescriptor
    ) -> [ConfigMap] {
        let most = max(1, (try? ConnectorKeys.tasksMax.value(in: config.dictionary)) ?? 1)
        let taskClass = taskClass(config["connector.class"] ?? descriptor.name, descriptor)
        return descriptor.taskConfigs(completed, most: most).map { task in
            let given = config.keys.filter { task[$0] != nil }
            let added = task.keys.filter { !config.contains($0) }.sorted()
            let keys = JavaHashOrder.sorted(given + added + ["task.class"])
            return ConfigMap(keys.map { ($0, $0 == "task.class" ? taskClass : task[$0]) })
        }
    }
    /// The Java class that would run such a task: a cluster that is handed back finds it where it expects it.
    static func taskClass(_ connectorClass: String, _ descriptor: any ConnectorDescriptor) -> String {
        let java = ([connectorClass] + descriptor.aliases).first { $0.contains(".") && $0.hasSuffix("Connector") }
        let name = java ?? "\(descriptor.name)Connector"
        return name.dropLast("Connector".count) + "Task"
    }
}
