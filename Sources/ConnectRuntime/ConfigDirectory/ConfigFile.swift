/// One connector file of the config directory, parsed.
struct ConfigFile: Sendable {
    /// The connector's name: `name` of the file, or the file's stem.
    var name: String
    /// The config as written, `name` left out unless it was in the config.
    var config: ConfigMap
    /// `initial_state`; counts when the connector is created.
    var initialState: TargetState?
    private let bytes: [UInt8]
    private let path: String

    /// Reads `{"name":…,"config":{…}}` or a flat config; throws what is wrong with its place.
    init(_ bytes: [UInt8], path: String) throws(ConfigDirectoryProblem) {
        (self.bytes, self.path) = (bytes, path)
        let stem = Self.stem(of: path)
        guard bytes.contains(where: { $0 > 0x20 }) else {
            throw ConfigDirectoryProblem(file: path, reason: "The file is empty.")
        }
        let value: JSON
        do throws(JSONFault) { value = try JSONParser.parse(bytes, refusesDuplicates: true) } catch {
            throw ConfigDirectoryProblem(
                file: path,
                line: error.line,
                column: error.column,
                reason: "Not JSON: \(error.reason)."
            )
        }
        guard let members = value.members else {
            throw ConfigDirectoryProblem(
                file: path,
                line: 1,
                column: 1,
                reason: "A connector is a JSON object: {\"name\":…,\"config\":{…}} or a flat config."
            )
        }
        guard let wrapped = value["config"], wrapped.members != nil else {
            config = try Self.map(members, bytes, path)
            name = config["name"] ?? stem
            initialState = nil
            return
        }
        for member in members where !["name", "config", "initial_state"].contains(member.key) {
            let hint = Suggestion.hint(for: member.key, among: ["name", "config", "initial_state"])
            throw Self.problem(
                member.key,
                "Unknown key beside \"config\"; only name, config and initial_state may stand there.\(hint)",
                bytes,
                path
            )
        }
        config = try Self.map(wrapped.members ?? [], bytes, path)
        guard let given = value["name"] else {
            name = config["name"] ?? stem
            initialState = try Self.state(value["initial_state"], bytes, path)
            return
        }
        guard let text = given.string, !text.trimmingBlanks.isEmpty else {
            throw Self.problem("name", "The name must be a text.", bytes, path)
        }
        name = text.trimmingBlanks
        initialState = try Self.state(value["initial_state"], bytes, path)
    }

    /// A problem with a key, at the line where the file has it.
    func problem(_ key: String?, _ reason: String) -> ConfigDirectoryProblem {
        guard let key else { return ConfigDirectoryProblem(file: path, reason: reason) }
        return Self.problem(key, reason, bytes, path)
    }

    static func stem(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".json") ? String(file.dropLast(5)) : file
    }
    private static func state(
        _ value: JSON?,
        _ bytes: [UInt8],
        _ path: String
    ) throws(ConfigDirectoryProblem) -> TargetState? {
        guard let value, value != .null else { return nil }
        guard let state = value.string.flatMap(TargetState.init(initialState:)) else {
            throw problem("initial_state", "Must be RUNNING, PAUSED or STOPPED.", bytes, path)
        }
        return state
    }
    private static func map(
        _ members: [JSON.Member],
        _ bytes: [UInt8],
        _ path: String
    ) throws(ConfigDirectoryProblem) -> ConfigMap {
        var config = ConfigMap()
        for member in members {
            guard let text = member.value.configText else {
                throw problem(
                    member.key,
                    "A config value is a text, a number, true or false; not a list or an object.",
                    bytes,
                    path
                )
            }
            config.set(member.key, text)
        }
        return config
    }
    private static func problem(
        _ key: String,
        _ reason: String,
        _ bytes: [UInt8],
        _ path: String
    ) -> ConfigDirectoryProblem {
        let place = place(of: key, in: bytes)
        return ConfigDirectoryProblem(file: path, line: place?.line, column: place?.column, key: key, reason: reason)
    }
    /// Where `"key"` stands followed by a colon.
    private static func place(of key: String, in bytes: [UInt8]) -> (line: Int, column: Int)? {
        let wanted = JSON.string(key).bytes
        var line = 1, lineStart = 0
        for index in bytes.indices {
            if bytes[index] == 0x0A { (line, lineStart) = (line + 1, index + 1) }
            guard bytes[index] == wanted[0], bytes[index...].starts(with: wanted) else { continue }
            let rest = bytes[(index + wanted.count)...].drop { $0 <= 0x20 }
            guard rest.first == UInt8(ascii: ":") else { continue }
            return (line, String(decoding: bytes[lineStart..<index], as: UTF8.self).count + 1)
        }
        return nil
    }
}
