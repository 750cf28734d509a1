import ConnectConfig
import ConnectSDK

extension WorkerHerder {
    func plugins(connectorsOnly: Bool) async -> [PluginInfo] {
        let plugins = context.plugins
        // Kafka Connect's order: sinks before sources, then the other kinds.
        let all = plugins.connectors.map { PluginInfo(name: $0.name, type: $0.kind.rawValue, version: $0.version) }
        var found = all.sorted { ($0.type, $0.name) < ($1.type, $1.name) }
        guard !connectorsOnly else { return found }
        func add<Product>(_ list: [PluginDescriptor<Product>], _ kind: PluginKind) {
            found += list.map { PluginInfo(name: $0.name, type: kind.rawValue, version: $0.version) }
                .sorted { $0.name < $1.name }
        }
        add(plugins.transforms, .transformation)
        add(plugins.predicates, .predicate)
        add(plugins.converters, .converter)
        add(plugins.headerConverters, .headerConverter)
        return found
    }
    func pluginDefinitions(_ plugin: String, version: String?) async throws(HerderError) -> [ConfigDefinition] {
        let plugins = context.plugins
        func check(_ found: String) throws(HerderError) {
            guard let version, !version.isEmpty else { return }
            let range: VersionRange
            do { range = try VersionRange(requirement: version) } catch { throw .badRequest(error.message) }
            guard !range.contains(found) else { return }
            throw .badRequest(
                "Plugin \(plugin) not found that matches the version range \(range), available versions: [\(found)]"
            )
        }
        func definitions<Product>(_ found: PluginDescriptor<Product>) throws(HerderError) -> [ConfigDefinition] {
            try check(found.version)
            return found.keys.map(\.definition)
        }
        if let connector = plugins.connector(named: plugin) {
            try check(connector.version)
            // Its own keys come before those of every connector, and count for more.
            let own = connector.keys.map(\.definition), names = Set(own.map(\.name))
            let common = connector.kind.frameworkDefinitions + OwnKeys.all(for: connector.kind)
            return own + common.filter { !names.contains($0.name) }
        }
        if let found = plugins.transforms.named(plugin) { return try definitions(found) }
        if let found = plugins.predicates.named(plugin) { return try definitions(found) }
        if let found = plugins.converters.named(plugin) { return try definitions(found) }
        if let found = plugins.headerConverters.named(plugin) { return try definitions(found) }
        throw .notFound("Unknown plugin \(plugin).")
    }
    func validate(_ plugin: String, _ config: ConfigMap) async throws(HerderError) -> ValidationResult {
        let descriptor = try descriptor(of: config)
        guard let asked = context.plugins.connector(named: plugin), asked.name == descriptor.name else {
            let type = config["connector.class"] ?? ""
            throw .badRequest("Included connector type \(type) does not match request type \(plugin)")
        }
        await context.config.providers.prepare(config.dictionary)
        var result = try checked(config, of: descriptor)
        result.name = plugin
        return result
    }
    /// Checks what the values mean here, with `${…}` replaced, as Kafka Connect does; what is shown stays as it was written.
    func checked(_ config: ConfigMap, of descriptor: any ConnectorDescriptor) throws(HerderError) -> ValidationResult {
        var resolved = config, unresolved: [ConfigIssue] = []
        do throws(ConfigInvalid) {
            let values = try context.config.providers.resolve(config.dictionary)
            for (key, value) in values where config[key] != value { resolved.set(key, value) }
        } catch { unresolved = error.issues }
        var result: ValidationResult
        do throws(ConnectorCheck.Refusal) {
            result = try ConnectorCheck.run(resolved, of: descriptor, plugins: context.plugins, worker: context.config)
        } catch { throw .badRequest(error.message) }
        for index in result.keys.indices {
            let key = result.keys[index].definition.name
            if let missing = unresolved.first(where: { $0.key == key }) {
                result.keys[index].errors = [missing.message]
            }
            guard let written = config[key], let value = resolved[key], value != written, !value.isEmpty else {
                continue
            }
            result.keys[index].value = written
            result.keys[index].errors = result.keys[index].errors.map { $0.replacing(value, with: written) }
        }
        return result
    }
    /// The connector that a config is for; every other answer is a bad request.
    func descriptor(of config: ConfigMap) throws(HerderError) -> any ConnectorDescriptor {
        guard let type = config["connector.class"]?.trimmingBlanks, !type.isEmpty else {
            let shown = self.shown(config).pairs.map { "\($0.key)=\($0.value ?? "null")" }.joined(separator: ", ")
            throw .badRequest("Connector config {\(shown)} contains no connector type")
        }
        if let range = config["connector.plugin.version"]?.trimmingBlanks, !range.isEmpty {
            do { _ = try VersionRange(requirement: range) } catch { throw .badRequest(error.message) }
        }
        guard let found = context.plugins.connector(named: type) else {
            let all = context.plugins.connectors
            let hint = Suggestion.hint(for: type, among: all.map(\.name))
            let known = all.map(\.name).sorted().joined(separator: ", ")
            throw .badRequest(
                "Failed to find any class that implements Connector and which name matches \(type), available connectors "
                    + "are: \(known).\(hint)"
            )
        }
        return found
    }
}
