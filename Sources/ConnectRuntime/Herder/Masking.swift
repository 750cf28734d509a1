import ConnectConfig
import ConnectSDK
import KafkaClient

/// Hides secrets in everything that is shown; the config topic and running tasks have them in clear.
enum Masking {
    private static let words = [
        "password", "passwd", "secret", "passphrase", "token", "credential", "api.key", "apikey",
        "private.key", "jaas", "access.key",
    ]

    /// Whether a value must not be shown: a PASSWORD key, a client's secret, or a key whose name says so.
    static func hides(_ key: String, _ definition: ConfigDefinition?) -> Bool {
        if let definition { return definition.type == .password }
        let name = key.lowercased()
        return KafkaSettings.isSecret(name) || words.contains { name.contains($0) }
    }
    /// The config as it may be shown; a reference to a secret elsewhere is no secret.
    static func mask(_ config: ConfigMap, definitions: [String: ConfigDefinition]) -> ConfigMap {
        ConfigMap(
            config.pairs.map { key, value in
                (key, value.map { shown($0, of: key, definitions[key]) })
            }
        )
    }
    /// A value as it may be shown; of an address only the password in it is hidden.
    static func shown(_ value: String, of key: String, _ definition: ConfigDefinition?) -> String {
        guard !ConfigProviders.isReference(value) else { return value }
        return hides(key, definition) ? Secret.hidden : withoutPasswords(value)
    }
    /// `postgresql://ada:[hidden]@host/db?sslpassword=[hidden]`; other texts stay as they are.
    static func withoutPasswords(_ text: String) -> String {
        guard text.contains("://") else { return text }
        var result = "", rest = text[...]
        while let mark = rest.firstRange(of: "://") {
            result += rest[..<mark.upperBound]
            rest = rest[mark.upperBound...]
            let authority = rest.prefix { !"/?#, ".contains($0) }
            guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else {
                continue
            }
            result += rest[...colon]
            let isReference = ConfigProviders.isReference(String(rest[rest.index(after: colon)..<at]))
            result += isReference ? rest[rest.index(after: colon)..<at] : Secret.hidden[...]
            rest = rest[at...]
        }
        return hidingParameters(in: result + rest)
    }
    private static func hidingParameters(in text: String) -> String {
        guard let start = text.firstIndex(of: "?") else { return text }
        var result = String(text[...start]), name = "", value: String?
        func close() {
            result += name
            guard let given = value else { return }
            result += "=" + (hides(name, nil) && !ConfigProviders.isReference(given) ? Secret.hidden : given)
        }
        for character in text[text.index(after: start)...] {
            if character == "&" || character == ";" {
                close()
                result.append(character)
                (name, value) = ("", nil)
            } else if character == "=", value == nil {
                value = ""
            } else if value == nil {
                name.append(character)
            } else {
                value?.append(character)
            }
        }
        close()
        return result
    }
    /// Undoes masking in a config that somebody read, changed and sent back: what still reads `[hidden]` keeps its value.
    static func restore(_ config: ConfigMap, from stored: ConfigMap?) -> ConfigMap {
        guard let stored else { return config }
        return ConfigMap(
            config.pairs.map { key, value in
                guard let value, value.contains(Secret.hidden), let old = stored[key] else { return (key, value) }
                return (key, value == Secret.hidden || withoutPasswords(old) == value ? old : value)
            }
        )
    }
    /// The definitions of everything that this config may hold, by key.
    static func definitions(for config: ConfigMap, plugins: Plugins) -> [String: ConfigDefinition] {
        guard let name = config["connector.class"], let descriptor = plugins.connector(named: name) else { return [:] }
        var found: [String: ConfigDefinition] = [:]
        for definition in descriptor.kind.frameworkDefinitions + descriptor.keys.map(\.definition) {
            found[definition.name] = definition
        }
        func nest(_ keys: [any AnyConfigKey]?, _ prefix: String) {
            for key in keys ?? [] { found[prefix + key.definition.name] = key.definition }
        }
        for side in ["key.converter", "value.converter"] {
            nest(config[side].flatMap { plugins.converters.named($0)?.keys }, side + ".")
        }
        nest(config["header.converter"].flatMap { plugins.headerConverters.named($0)?.keys }, "header.converter.")
        for key in config.keys where key.hasSuffix(".type") {
            let prefix = String(key.dropLast("type".count))
            if key.hasPrefix("transforms.") { nest(config[key].flatMap { plugins.transforms.named($0)?.keys }, prefix) }
            if key.hasPrefix("predicates.") { nest(config[key].flatMap { plugins.predicates.named($0)?.keys }, prefix) }
        }
        return found
    }
}
