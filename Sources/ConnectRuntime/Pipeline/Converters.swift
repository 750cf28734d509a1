import ConnectConfig
import ConnectModel
import ConnectSDK

/// The converters and transforms of one task, made from the connector's config and the worker's defaults.
struct ConverterSet: Sendable {
    var key: any Converter
    var value: any Converter
    var header: any HeaderConverter
    var chain: (any RecordTransform)?
    /// Class names for error reports.
    var names: Names

    struct Names: Sendable, Hashable {
        var key = "", value = "", header = "", chain = "", task = ""
    }

    init(
        key: any Converter,
        value: any Converter,
        header: any HeaderConverter,
        chain: (any RecordTransform)? = nil,
        names: Names = Names()
    ) {
        (self.key, self.value, self.header) = (key, value, header)
        (self.chain, self.names) = (chain, names)
    }

    /// Throws the issues of all of them at once.
    init(
        plugins: Plugins,
        config: [String: String],
        defaults: [String: String],
        task: String
    ) throws(ConfigInvalid) {
        let keyMaker = Maker("key.converter", plugins.converters, config, defaults, isKey: true)
        let valueMaker = Maker("value.converter", plugins.converters, config, defaults, isKey: false)
        let headerMaker = Maker("header.converter", plugins.headerConverters, config, defaults, isKey: false)
        var issues: [ConfigIssue] = []
        let key = keyMaker.make(&issues), value = valueMaker.make(&issues), header = headerMaker.make(&issues)
        var chain: (any RecordTransform)?
        do throws(ConfigInvalid) { chain = try plugins.chain(config) } catch { issues += error.issues }
        guard issues.isEmpty, let key, let value, let header else { throw ConfigInvalid(issues: issues) }
        let types = Self.list(config["transforms"]).compactMap { config["transforms.\($0).type"] }
        let names = Names(
            key: keyMaker.className,
            value: valueMaker.className,
            header: headerMaker.className,
            chain: types.joined(separator: ","),
            task: task
        )
        self.init(key: key, value: value, header: header, chain: chain, names: names)
    }

    /// The formats in which a sink may get the bytes untouched; nil when records must be converted.
    var rawFormats: (key: RawFormat, value: RawFormat)? {
        guard chain == nil, let key = key.rawFormat, let value = value.rawFormat else { return nil }
        return (key, value)
    }

    private static func list(_ text: String?) -> [String] {
        text?.split(separator: ",").map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) } ?? []
    }
}

/// Finds a plugin by the class in `role` and makes it with the keys below `role.`.
private struct Maker<Product: Sendable> {
    let role: String
    let plugins: [PluginDescriptor<Product>]
    let className: String
    let own: [String: String]
    let isKey: Bool

    /// As in Kafka Connect, a connector that names a converter does not inherit the worker's settings of its own.
    init(
        _ role: String,
        _ plugins: [PluginDescriptor<Product>],
        _ config: [String: String],
        _ defaults: [String: String],
        isKey: Bool
    ) {
        (self.role, self.plugins, self.isKey) = (role, plugins, isKey)
        let source = config[role] == nil ? defaults : config
        let fallback =
            role == "header.converter"
            ? "org.apache.kafka.connect.storage.SimpleHeaderConverter" : "org.apache.kafka.connect.json.JsonConverter"
        className = source[role] ?? fallback
        let prefix = role + "."
        own = source.reduce(into: [:]) { own, item in
            if item.key.hasPrefix(prefix) { own[String(item.key.dropFirst(prefix.count))] = item.value }
        }
    }

    func make(_ issues: inout [ConfigIssue]) -> Product? {
        guard let plugin = plugins.first(where: { $0.name == className || $0.aliases.contains(className) }) else {
            let known = plugins.map(\.name).joined(separator: ", ")
            issues.append(.invalid(role, value: className, "Class \(className) could not be found. Known: \(known)"))
            return nil
        }
        do throws(ConfigInvalid) { return try plugin.make(own, isKey) } catch {
            issues += error.issues.map { ConfigIssue(key: "\(role).\($0.key)", message: $0.message) }
            return nil
        }
    }
}
