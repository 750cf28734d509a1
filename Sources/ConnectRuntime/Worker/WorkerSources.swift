public import ConnectConfig
import FoundationEssentials

/// Where worker properties come from, and which counts: flag, then `CONNECT_*` variable, then file, then default.
public struct WorkerSources: Sendable {
    /// The properties by key.
    public private(set) var values: [String: String] = [:]
    /// Where each came from: `config/worker.properties:12`, `CONNECT_GROUP_ID`, `--group-id`.
    public private(set) var origins: [String: String] = [:]
    /// What is odd but accepted: keys that come twice, variables that are set but empty.
    public private(set) var warnings: [String] = []

    /// Starts without any.
    public init() {}

    /// Adds a properties file; later sources win.
    ///
    /// Throws what is wrong with file and line.
    public mutating func add(file path: String) throws(PropertiesFile.Fault) {
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path)) } catch {
            throw PropertiesFile.Fault(description: "\(path): cannot be read by this process")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw PropertiesFile.Fault(description: "\(path): the file is not UTF-8")
        }
        add(try PropertiesFile(text, name: path))
    }
    /// Adds a file that has been read.
    public mutating func add(_ file: PropertiesFile) {
        for entry in file.entries { set(entry.key, entry.value, from: "\(file.name):\(entry.line)") }
        for entry in file.duplicates {
            warnings.append("\(file.name):\(entry.line): \(entry.key) comes more than once; the last value counts")
        }
    }
    /// Adds the variables of the container images: `CONNECT_GROUP_ID` is `group.id`, `___` is a dash, `__` an underscore.
    ///
    /// `KAFKA_BOOTSTRAP_SERVERS`, then `KAFKA_BROKER`, names the brokers when nothing else does, whenever it is added.
    public mutating func add(environment: [String: String]) {
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("CONNECT_") {
            guard let key = Self.key(of: name) else { continue }
            if value.isEmpty, values[key] == nil, !WorkerKeys.isKnown(key) { continue }
            set(key, value, from: name)
        }
        for name in ["KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKER"] {
            guard values["bootstrap.servers"] == nil, let value = environment[name], !value.isEmpty else { continue }
            set("bootstrap.servers", value, from: name)
        }
    }
    /// Adds one value, of a flag or a test.
    public mutating func set(_ key: String, _ value: String, from origin: String) {
        values[key] = value
        origins[key] = origin
    }
    static func key(of variable: String) -> String? {
        let rest = variable.dropFirst("CONNECT_".count)
        // Settings of the images' start scripts, not of the worker.
        guard !rest.isEmpty, !["LOG4J_", "CUSTOM_", "KAFKA_"].contains(where: { rest.hasPrefix($0) }) else {
            return nil
        }
        return rest.lowercased().replacing("___", with: "-").replacing("__", with: "\u{0}")
            .replacing("_", with: ".").replacing("\u{0}", with: "_")
    }
    /// The issue with the place of its key added, so that people find the line to change.
    func placed(_ issue: ConfigIssue) -> ConfigIssue {
        guard let origin = origins[issue.key] else { return issue }
        return ConfigIssue(key: issue.key, message: "\(issue.message) (\(origin))")
    }
}
