import ConnectConfig
import FoundationEssentials
import Glibc

/// Resolves `${provider:path:key}` in a config when a task starts; the topic and every answer keep the text as it was.
///
/// Kafka Connect 4.3: `EnvVarConfigProvider` (`${env:NAME}`), `FileConfigProvider` (`${file:/path:key}` of a properties file),
/// `DirectoryConfigProvider` (`${dir:/path:file}`, the content of one file of a directory). Ours: `CommandConfigProvider`
/// (what a command prints).
struct ConfigProviders: Sendable {
    private enum Kind: Sendable {
        case environment(allowed: String?)
        case file(roots: [String]?)
        case directory(roots: [String]?)
        case command(CommandProvider)
    }
    private var kinds: [String: Kind] = [:]
    private let environment: @Sendable (String) -> String?

    /// No provider: every text stays as it is.
    init() { environment = { _ in nil } }

    /// The providers that `config.providers` names, with their `config.providers.NAME.*` keys.
    init(
        names: [String],
        _ raw: [String: String],
        environment: @escaping @Sendable (String) -> String? = ConfigProviders.variable
    ) throws(ConfigInvalid) {
        self.environment = environment
        var issues: [ConfigIssue] = []
        for name in names where !name.isEmpty {
            let key = "config.providers.\(name).class"
            let type =
                raw[key] ?? ["env": "EnvVar", "file": "File", "dir": "Directory"][name].map { "\($0)ConfigProvider" }
            let roots = raw["config.providers.\(name).param.allowed.paths"].map { text in
                text.split(separator: ",").map { Self.normal(String($0)) }
            }
            switch type?.split(separator: ".").last {
            case "EnvVarConfigProvider":
                let pattern = raw["config.providers.\(name).param.allowlist.pattern"]
                if let pattern, (try? Regex(pattern)) == nil {
                    let key = "config.providers.\(name).param.allowlist.pattern"
                    issues.append(.invalid(key, value: pattern, "Not a regular expression"))
                }
                kinds[name] = .environment(allowed: pattern)
            case "FileConfigProvider": kinds[name] = .file(roots: roots)
            case "DirectoryConfigProvider": kinds[name] = .directory(roots: roots)
            case "CommandConfigProvider":
                do throws(ConfigIssue) { kinds[name] = .command(CommandProvider(try Self.command(name, raw))) } catch {
                    issues.append(error)
                }
            case nil: issues.append(.missing(key))
            case _?:
                let known = "EnvVarConfigProvider, FileConfigProvider, DirectoryConfigProvider or CommandConfigProvider"
                issues.append(.invalid(key, value: type, "Must be \(known)"))
            }
        }
        guard issues.isEmpty else { throw ConfigInvalid(issues: issues) }
    }

    private static func command(
        _ name: String,
        _ raw: [String: String]
    ) throws(ConfigIssue) -> CommandProvider.Settings {
        let prefix = "config.providers.\(name).param."
        let words = (raw[prefix + "command"] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.first?.hasPrefix("/") == true else {
            throw .invalid(
                prefix + "command",
                value: raw[prefix + "command"],
                "Expected the absolute path of a program with its first arguments; path and key follow them"
            )
        }
        var settings = CommandProvider.Settings(words: words)
        func time(_ key: String, _ fallback: Duration) throws(ConfigIssue) -> Duration {
            guard let text = raw[prefix + key] else { return fallback }
            guard let number = Int(text.trimmingBlanks), number > 0 else {
                throw .invalid(prefix + key, value: text, "Expected milliseconds, at least 1")
            }
            return .milliseconds(number)
        }
        settings.timeout = try time("timeout.ms", settings.timeout)
        settings.lifetime = try time("ttl.ms", settings.lifetime)
        return settings
    }

    /// Whether a config has anything to resolve.
    func concerns(_ config: [String: String]) -> Bool {
        config.values.contains { text in Self.references(in: text).contains { split($0) != nil } }
    }
    /// Runs the commands that a config refers to, so that ``resolve(_:)`` finds what they say.
    func prepare(_ config: [String: String]) async {
        for text in config.values {
            for reference in Self.references(in: text) {
                guard case (.command(let provider), let path, let name)? = split(reference) else { continue }
                await provider.ask(Self.arguments(path, name))
            }
        }
    }
    private static func references(in text: String) -> [Substring] {
        var found: [Substring] = [], rest = text[...]
        while let open = rest.firstRange(of: "${"), let close = rest[open.upperBound...].firstIndex(of: "}") {
            found.append(rest[open.upperBound..<close])
            rest = rest[rest.index(after: close)...]
        }
        return found
    }
    private static func arguments(_ path: String, _ name: String) -> [String] { path.isEmpty ? [name] : [path, name] }
    /// Nil when the text is no reference of a known provider.
    private func split(_ reference: Substring) -> (kind: Kind, path: String, name: String)? {
        guard let colon = reference.firstIndex(of: ":"), let kind = kinds[String(reference[..<colon])] else {
            return nil
        }
        let rest = reference[reference.index(after: colon)...]
        // Java's pattern takes the second part up to the next colon as the path; a key may hold further colons.
        guard let next = rest.firstIndex(of: ":") else { return (kind, "", String(rest)) }
        return (kind, String(rest[..<next]), String(rest[rest.index(after: next)...]))
    }

    /// The config with every reference replaced; an unknown provider's text stays, a missing value is an issue of its key.
    func resolve(_ config: [String: String]) throws(ConfigInvalid) -> [String: String] {
        var resolved = config, issues: [ConfigIssue] = []
        for (key, text) in config.sorted(by: { $0.key < $1.key }) where text.contains("${") {
            do throws(ConfigIssue) { resolved[key] = try resolve(text, for: key) } catch { issues.append(error) }
        }
        guard issues.isEmpty else { throw ConfigInvalid(issues: issues) }
        return resolved
    }
    /// Whether a value holds nothing but a reference, which may be shown: the secret is elsewhere.
    static func isReference(_ text: String) -> Bool {
        text.hasPrefix("${") && text.hasSuffix("}") && text.contains(":")
    }

    private func resolve(_ text: String, for key: String) throws(ConfigIssue) -> String {
        var result = "", rest = text[...]
        while let open = rest.firstRange(of: "${"), let close = rest[open.upperBound...].firstIndex(of: "}") {
            result += rest[..<open.lowerBound]
            let inside = rest[open.upperBound..<close]
            result += try value(of: inside, for: key) ?? String(rest[open.lowerBound...close])
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
    /// Nil when the text is no reference of a known provider.
    private func value(of reference: Substring, for key: String) throws(ConfigIssue) -> String? {
        guard let (kind, path, name) = split(reference) else { return nil }
        switch kind {
        case .command(let provider):
            switch provider.answer(Self.arguments(path, name)) {
            case .success(let value)?: return value
            case .failure(let failure)?: throw issue(key, reference, "\(failure)")
            case nil: throw issue(key, reference, "its command has not been asked yet; try again")
            }
        case .environment(let allowed):
            if let allowed, (try? Regex(allowed).wholeMatch(in: name)) == nil {
                throw issue(key, reference, "environment variable \(name) is not allowed by allowlist.pattern")
            }
            guard let value = environment(name) else {
                throw issue(key, reference, "environment variable \(name) is not set where the worker runs")
            }
            return value
        case .file(let roots):
            let text = try read(path, roots, key, reference)
            let file: PropertiesFile
            do throws(PropertiesFile.Fault) { file = try PropertiesFile(text, name: path) } catch {
                throw issue(key, reference, "\(error)")
            }
            guard let value = file.values[name] else { throw issue(key, reference, "\(path) has no key \(name)") }
            return value
        case .directory(let roots):
            guard !name.contains("/"), name != ".." else { throw issue(key, reference, "\(name) is not a file name") }
            return try read("\(path)/\(name)", roots, key, reference)
        }
    }
    private func read(
        _ path: String,
        _ roots: [String]?,
        _ key: String,
        _ reference: Substring
    ) throws(ConfigIssue) -> String {
        let normal = Self.normal(path)
        if let roots, !roots.contains(where: { normal == $0 || normal.hasPrefix($0 + "/") }) {
            throw issue(key, reference, "\(path) is outside allowed.paths")
        }
        do {
            let data = try Data(contentsOf: URL(filePath: path))
            guard let text = String(validating: data, as: UTF8.self) else {
                throw issue(key, reference, "\(path) is not UTF-8")
            }
            return text
        } catch let error as ConfigIssue { throw error } catch {
            throw issue(key, reference, "\(path) cannot be read by the worker")
        }
    }
    private func issue(_ key: String, _ reference: Substring, _ reason: String) -> ConfigIssue {
        ConfigIssue(key: key, message: "Could not resolve ${\(reference)} of configuration \(key): \(reason)")
    }
    private static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
    /// A variable of this process.
    static let variable: @Sendable (String) -> String? = { name in
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
