import ConnectConfig
import ConnectSDK

extension ConnectorCheck {
    /// Why a class is not the plugin that a key wants, in Kafka Connect's words; nil when it is.
    func classProblem(
        _ key: String,
        _ name: String,
        _ interface: String,
        isFound: Bool
    ) -> (message: String, isMissing: Bool)? {
        if isFound { return nil }
        let wanted = name.trimmingBlanks
        if let full = plugins.names.first(where: { $0.names.contains(wanted) })?.full {
            return ("Class class \(full) does not implement the \(interface) interface", false)
        }
        let package = "org.apache.kafka.connect."
        let children = plugins.names.map(\.full).filter { $0.hasPrefix(wanted + "$") }
        let isParent =
            !children.isEmpty && interface == "Transformation"
            || wanted == package + "converters.NumberConverter" && interface.hasSuffix("Converter")
            || KnownClasses.interfaces.contains(wanted) && wanted.hasSuffix("." + interface)
        if isParent {
            let hint = children.isEmpty ? "" : " Did you mean \(children.joined(separator: ", "))?"
            return ("This class is abstract and cannot be created.\(hint)", false)
        }
        if KnownClasses.interfaces.contains(wanted) {
            return ("Class interface \(wanted) does not implement the \(interface) interface", false)
        }
        if !children.isEmpty || KnownClasses.isKnown(wanted) {
            return ("Class class \(wanted) does not implement the \(interface) interface", false)
        }
        return (classMissing(key, name), true)
    }
    func classMissing(_ key: String, _ name: String) -> String {
        ConfigIssue.invalid(key, value: name, "Class \(name) could not be found.").message
    }
}

/// Java classes that are no plugins and still turn up where a plugin's class belongs.
enum KnownClasses {
    static let interfaces: Set<String> = [
        "org.apache.kafka.connect.transforms.Transformation",
        "org.apache.kafka.connect.transforms.predicates.Predicate",
        "org.apache.kafka.connect.storage.Converter", "org.apache.kafka.connect.storage.HeaderConverter",
        "org.apache.kafka.connect.data.Schema", "java.util.List", "java.util.Map", "java.util.Set",
        "java.lang.Comparable", "java.lang.CharSequence", "java.lang.Runnable",
        "org.apache.kafka.common.serialization.Serializer", "org.apache.kafka.common.serialization.Deserializer",
    ]
    private static let names: Set<String> = {
        var names: Set<String> = [
            "org.apache.kafka.connect.converters.NumberConverter",
            "org.apache.kafka.connect.transforms.util.SimpleConfig",
            "org.apache.kafka.connect.data.Struct", "org.apache.kafka.connect.data.Decimal",
            "org.apache.kafka.connect.source.SourceConnector", "org.apache.kafka.connect.sink.SinkConnector",
            "org.apache.kafka.connect.connector.Connector", "java.util.ArrayList", "java.util.HashMap",
            "java.util.Date",
            "java.math.BigDecimal", "java.math.BigInteger", "org.apache.kafka.clients.producer.RoundRobinPartitioner",
        ]
        for name in ["Object", "String", "Integer", "Long", "Short", "Byte", "Boolean", "Double", "Float", "Character"]
        {
            names.insert("java.lang.\(name)")
        }
        for type in [
            "String", "Integer", "Long", "Short", "Double", "Float", "Boolean", "ByteArray", "ByteBuffer", "Bytes",
            "UUID",
            "Void", "List",
        ] {
            names.insert("org.apache.kafka.common.serialization.\(type)Serializer")
            names.insert("org.apache.kafka.common.serialization.\(type)Deserializer")
        }
        return names
    }()
    static func isKnown(_ name: String) -> Bool { names.contains(name) || interfaces.contains(name) }
}

extension ConnectorDescriptor {
    /// The name in messages that Kafka Connect has: the Java class that the connector stands for, if it does.
    var className: String { aliases.first { $0.contains(".") } ?? name }
}

extension Plugins {
    /// Every plugin's name in messages and all names that mean it.
    var names: [(full: String, names: [String])] {
        connectors.map { connector in
            let full = connector.className
            let short = full.split(separator: ".").last.map(String.init) ?? full
            let pruned = short.hasSuffix("Connector") ? String(short.dropLast("Connector".count)) : short
            return (full, [connector.name, short, pruned] + connector.aliases)
        } + converters.map { ($0.name, [$0.name] + $0.aliases) }
            + headerConverters.map { ($0.name, [$0.name] + $0.aliases) }
            + transforms.map { ($0.name, [$0.name] + $0.aliases) }
            + predicates.map { ($0.name, [$0.name] + $0.aliases) }
    }
}

extension Array {
    /// The plugin that a config means: by name or by alias.
    func named<Product>(_ name: String) -> PluginDescriptor<Product>? where Element == PluginDescriptor<Product> {
        let name = name.trimmingBlanks
        return first { $0.name == name || $0.aliases.contains(name) }
    }
}
